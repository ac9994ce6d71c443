"""The devices that a run takes place on."""

import pytest

from matte.errors import BackendError
from matte.training.machine import TrainingMachine


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(BackendError, match="toaster"):
        TrainingMachine("toaster").fabric("32-true")
    with pytest.raises(BackendError, match="1 CPU with strategy 'dpp'"):
        TrainingMachine("cpu", strategy="dpp").fabric("32-true")


@pytest.mark.parametrize(
    ("flags", "name"), [({"avx512_bf16"}, "bf16-mixed"), ({"avx2"}, "32-true")]
)
def test_the_chosen_precision_is_reported(
    flags: set[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("matte.runtime.processor.system_flags", lambda: flags)
    lines = list[str]()
    fabric = TrainingMachine("cpu").fabric("auto", lines.append)
    assert fabric.strategy.precision.precision == name
    assert [line.partition(":")[0] for line in lines] == [f"precision {name}"]
