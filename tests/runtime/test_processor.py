"""Whether a processor is fast and exact in int8, as Linux tells it."""

from pathlib import Path

import pytest

from matte.runtime import onnx, openvino, processor
from matte.runtime.processor import has_int8


@pytest.mark.parametrize(
    ("told", "has"),
    [
        ("model name\t: one\nflags\t\t: fpu avx2 avx512_vnni\n", True),
        ("flags\t\t: fpu avx2 avx_vnni\n", True),
        ("flags\t\t: amx_tile amx_int8\n", True),
        ("flags\t\t: fpu avx2 avx512f avx512bw\nvmx flags\t: avx_vnni\n", False),
        ("processor\t: 0\nFeatures\t: fp asimd asimddp\n", True),
        ("Features\t: fp asimd\n", False),
        ("", False),
    ],
)
def test_int8_is_offered_where_the_processor_says_so(
    told: str, has: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(told)
    monkeypatch.setattr(processor, "TOLD", tmp_path / "cpuinfo")
    assert has_int8() is has
    assert ("int8" in onnx.abilities()["cpu"]) is has
    assert ("int8" in openvino.abilities()["cpu"]) is has


def test_it_is_not_where_nothing_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "TOLD", tmp_path / "none")
    assert not has_int8()
