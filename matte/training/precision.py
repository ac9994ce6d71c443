"""Which numbers a run calculates with: what its recipe names, or what suits the machine."""

import warnings
from dataclasses import dataclass

from matte.errors import MatteWarning, SettingError
from matte.runtime.gpus import torch_device_precisions
from matte.runtime.processor import ProcessorAbilities, processor_abilities
from matte.training.settings import Precision

REMEDY = 'write precision = "auto" in the recipe\'s [run], or add --set \'run.precision="auto"\''


@dataclass(frozen=True, slots=True)
class ChosenPrecision:
    """A precision by Fabric's name, such as "bf16-mixed", and why it was chosen."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"precision {self.name}: {self.reason}"


def choose_precision(
    wanted: Precision, on_gpu: bool, processor: ProcessorAbilities | None = None
) -> ChosenPrecision:
    """Return the precision to train in.

    `wanted` "auto" is bf16-mixed where the GPU, or without one the processor, multiplies bfloat16,
    else 32-true. Any other is what it says; "bf16-mixed" on a device that only imitates it is
    several times as slow as fp32 (41 s a step instead of 5.7) and gets a warning.

    `processor`: what it can do; None: this machine's.
    """
    if wanted == "16-mixed" and not on_gpu:
        raise SettingError("precision = 16-mixed is for GPUs", 'write precision = "auto"')
    device = "GPU" if on_gpu else "processor"
    has_bf16 = _gpus_have_bf16() if on_gpu else (processor or processor_abilities()).bf16
    if wanted == "auto":
        if has_bf16:
            return ChosenPrecision("bf16-mixed", f"this {device} multiplies bfloat16")
        return ChosenPrecision("32-true", f"this {device} has no bfloat16")
    if wanted == "bf16-mixed" and not has_bf16:
        warnings.warn(
            f"this {device} has no bfloat16, so bf16-mixed is several times slower than fp32:"
            f" {REMEDY}",
            MatteWarning,
            stacklevel=2,
        )
    return ChosenPrecision(wanted, "the recipe names it")


def _gpus_have_bf16() -> bool:
    """Return whether all GPUs that torch can use multiply bfloat16."""
    gpus = [
        types for device, types in torch_device_precisions().items() if device.startswith("gpu")
    ]
    return bool(gpus) and all("bf16" in types for types in gpus)
