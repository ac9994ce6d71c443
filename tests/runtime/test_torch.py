"""What torch adds: devices, half precision, compilation, and its errors."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError
from matte.runtime import gpus
from matte.runtime.execution import Execution, NetworkSource
from matte.runtime.gpus import gpu_number, no_torch_gpu_reason, nvidia_gpus, torch_device_precisions
from matte.runtime.opener import open_session
from matte.runtime.processor import ProcessorAbilities
from matte.runtime.torch import DeviceNetwork, TorchSession

CPU, GPU = Execution("torch"), Execution("torch", "gpu:0")
HALF = replace(CPU, precision="bf16")
# Inductor imports what torch itself has deprecated.
compiling = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Small(nn.Module):
    """A convolution and a sigmoid."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.sigmoid(self.convolution(image).sum(dim=1, keepdim=True))
        return found


class Fails(nn.Module):
    """Raises what it was given."""

    def __init__(self, error: RuntimeError) -> None:
        super().__init__()
        self._error = error

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        raise self._error


def picture(side: int = 32) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).random((1, 3, side, side), np.float32))


def session(network: nn.Module, execution: Execution = CPU, **settings: Any) -> TorchSession:
    inputs: dict[str, tuple[int | None, ...]] = {"image": (None, 3, None, None)}
    return TorchSession(network, inputs, "mask", execution, RuntimeSettings(**settings))


def test_half_precision_is_near_and_given_as_float32() -> None:
    exact, half = (DeviceNetwork(Small(), execution)(picture()) for execution in (CPU, HALF))
    assert half.dtype == torch.float32
    assert 0 < float((half - exact).abs().max()) < 1e-2


def test_another_layout_gives_the_same() -> None:
    exact, other = (DeviceNetwork(Small(), CPU, channels_last=c)(picture()) for c in (False, True))
    assert torch.allclose(exact, other, atol=1e-6)


@compiling
def test_a_compiled_network_gives_the_same_to_all_threads() -> None:
    expected = session(Small()).run({"image": picture().numpy()})["mask"]
    compiled = session(Small(), torch_compile=True)
    with ThreadPoolExecutor(3) as pool:
        jobs = [pool.submit(compiled.run, {"image": picture().numpy()}) for _ in range(6)]
    for job in jobs:
        assert np.abs(job.result()["mask"] - expected).max() <= 1e-6


@compiling
def test_without_a_compiler_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch._inductor.config as inductor

    torch._dynamo.reset()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(inductor.cpp, "cxx", (str(tmp_path / "no-compiler"),))
    with pytest.raises(BackendError, match=r"torch\.compile failed .*: install a C\+\+ compiler"):
        session(Small(), torch_compile=True).run({"image": picture(48).numpy()})
    torch._dynamo.reset()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("tried to get 9 GiB"), "memory is too small .*: take a smaller"),
        (RuntimeError("[enforce fail] can't allocate memory: 9"), "this machine's memory is too"),
        (
            RuntimeError("shapes differ\nat length"),
            r"torch failed \(shapes differ\): try --backend",
        ),
    ],
)
def test_what_torch_raises_has_a_remedy(error: RuntimeError, said: str) -> None:
    with pytest.raises(BackendError, match=said):
        session(Fails(error)).run({"image": picture().numpy()})


def test_it_is_a_runtime_like_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "processor_abilities", lambda: ProcessorAbilities(bf16=True))
    network = NetworkSource(
        Path("small.onnx"), torch=lambda execution, s: session(Small(), execution)
    )
    asked = RuntimeSettings(backend="torch", device="cpu", precision="bf16")
    opened = open_session(network, asked)
    assert (opened.execution.precision, opened.inputs) == ("bf16", {"image": (None, 3, None, None)})
    with pytest.raises(BackendError, match="there is no int8 of small"):
        open_session(network, replace(asked, precision="int8"))


def test_devices_are_those_of_the_machine() -> None:
    found = torch_device_precisions()
    assert found["cpu"][0] == "fp32"
    assert (len(found) > 1) == (not no_torch_gpu_reason())
    if not nvidia_gpus():
        assert no_torch_gpu_reason() == gpus.NO_NVIDIA_GPU
        network = NetworkSource(
            Path("small.onnx"), torch=lambda execution, s: session(Small(), execution)
        )
        with pytest.raises(BackendError, match=r"'torch' has no gpu:0 here \(there is no GPU"):
            open_session(network, RuntimeSettings(backend="torch", device="gpu:0"))
    assert [gpu_number(device) for device in ("gpu", "gpu:0", "gpu:12")] == [0, 0, 12]


@pytest.mark.gpu
class TestOnGpu:
    """The same on CUDA."""

    @pytest.mark.parametrize("precision", ["fp32", "fp16"])
    def test_results_are_near(self, precision: str) -> None:
        expected = DeviceNetwork(Small(), CPU)(picture())
        found = DeviceNetwork(Small(), replace(GPU, precision=precision))(picture().cuda()).cpu()
        assert float((found - expected).abs().max()) <= (1e-5 if precision == "fp32" else 1e-2)

    def test_too_little_memory_has_a_remedy(self) -> None:
        class Greedy(nn.Module):
            def forward(self, image: torch.Tensor) -> torch.Tensor:
                return torch.empty(1 << 50, device=image.device)

        with pytest.raises(BackendError, match=r"the GPU's memory is too small .*--device cpu"):
            session(Greedy(), GPU).run({"image": picture().numpy()})
