"""GPUs as drivers and torch list them, on machines with and without one."""

import ctypes

import pytest

from matte.runtime import gpus
from matte.runtime.gpus import gpu_number, nvidia_gpus, torch_device_precisions
from matte.runtime.processor import ProcessorAbilities


def test_without_a_driver_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ctypes.CDLL:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    nvidia_gpus.cache_clear()
    try:
        assert nvidia_gpus() == ()
        assert list(torch_device_precisions()) == ["cpu"]
    finally:
        nvidia_gpus.cache_clear()


@pytest.mark.parametrize("bf16", [True, False])
def test_bfloat16_is_for_processors_that_multiply_it(
    bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "processor_abilities", lambda: ProcessorAbilities(bf16=bf16))
    assert torch_device_precisions()["cpu"] == (("fp32", "bf16") if bf16 else ("fp32",))


def test_macs_with_apples_processor_may_have_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, expected in (("arm64", True), ("x86_64", False)):
        monkeypatch.setattr("platform.system", lambda: "Darwin")
        monkeypatch.setattr("platform.machine", lambda machine=machine: machine)
        assert gpus._is_apple_silicon() is expected


@pytest.mark.parametrize(("device", "number"), [("gpu", 0), ("gpu:0", 0), ("gpu:1", 1)])
def test_a_device_names_its_gpu(device: str, number: int) -> None:
    assert gpu_number(device) == number
