"""What a processor can do, as operating systems list it."""

import platform
from pathlib import Path

import pytest

from matte.runtime import onnx, openvino, processor
from matte.runtime.processor import ProcessorAbilities, processor_abilities, system_flags

X86 = "model name\t: one\nflags\t\t: fpu avx2 "


@pytest.mark.parametrize(
    ("cpuinfo", "abilities"),
    [
        (f"{X86}avx512_vnni\n", ProcessorAbilities(vnni=True)),
        (f"{X86}avx_vnni\n", ProcessorAbilities(vnni=True)),
        (f"{X86}amx_tile amx_int8 amx_bf16\n", ProcessorAbilities(bf16=True, vnni=True)),
        (f"{X86}avx512f avx512_bf16\n", ProcessorAbilities(bf16=True, avx512=True)),
        (f"{X86}avx512f avx512bw\nvmx flags\t: avx_vnni\n", ProcessorAbilities(avx512=True)),
        ("processor\t: 0\nFeatures\t: fp asimd asimddp bf16\n", ProcessorAbilities(vnni=True)),
        ("Features\t: fp asimd\n", ProcessorAbilities()),
        ("", ProcessorAbilities()),
    ],
)
def test_abilities_are_read_from_linux(
    cpuinfo: str, abilities: ProcessorAbilities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    assert processor_abilities() == abilities
    assert ("int8" in onnx.device_precisions()["cpu"]) is abilities.vnni
    assert ("int8" in openvino.device_precisions()["cpu"]) is abilities.vnni


def test_flags_can_be_handed_in() -> None:
    assert processor_abilities(["avx512_bf16", "sse2"]) == ProcessorAbilities(bf16=True)
    assert processor_abilities([]) == ProcessorAbilities()


@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows", "Java"])
def test_a_system_that_lists_nothing_has_no_flags(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux without /proc, and here neither macOS' nor Windows' libraries."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert system_flags() == frozenset()


def test_macos_is_asked_for_each_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"hw.optional.arm.FEAT_DotProd": 1}
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(processor, "_sysctl_number", lambda name: numbers.get(name, 0))
    assert system_flags() == {"asimddp"}
