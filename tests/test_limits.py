import time
from pathlib import Path

import pytest

from matte import limits
from matte.errors import PictureError, WeightsError
from matte.limits import ChildResult, run_child, trial_seconds


def test_as_many_bytes_as_are_allowed_pass() -> None:
    limits.check_bytes("a profile", 10, 10, PictureError, "leave it out")


def test_more_bytes_are_refused_with_the_remedy_of_who_asks() -> None:
    with pytest.raises(PictureError, match=r"a clip has 3 GiB, over 2 GiB: give a shorter one"):
        limits.check_bytes(
            "a clip", 3 * limits.GIB, 2 * limits.GIB, PictureError, "give a shorter one"
        )


def test_an_onnx_file_that_no_parser_reads_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "network.onnx"
    file.write_bytes(b"12345")
    limits.check_onnx_bytes(file)
    monkeypatch.setattr(limits, "MAX_ONNX_BYTES", 4)
    with pytest.raises(WeightsError, match=r"network\.onnx has"):
        limits.check_onnx_bytes(file)
    limits.check_onnx_bytes(tmp_path / "missing.onnx")


@pytest.mark.parametrize(
    ("size", "allowed"), [(31, False), (32, True), (4096, True), (4097, False)]
)
def test_trained_sizes(size: int, allowed: bool) -> None:
    assert limits.is_trained_size(size) is allowed


def test_amounts_in_words() -> None:
    assert limits.format_bytes(3 << 29) == "1.5 GiB"
    assert limits.format_bytes(200 << 30) == "200 GiB"
    assert limits.format_pixels(12_200_000) == "12.2 megapixels"


def test_pictures_are_measured_by_their_header() -> None:
    limits.check_pixels("p", 40, 30, 1200)
    with pytest.raises(PictureError, match="p is 4000×3000, 12 megapixels: raise --max-pixels"):
        limits.check_pixels("p", 4000, 3000, 12_000_000 - 1)


def test_a_large_network_is_tried_for_longer() -> None:
    assert trial_seconds(1000) == 12
    assert trial_seconds(100 << 20) == 37
    assert trial_seconds(10 << 30) == 300


def test_a_child_prints_and_ends() -> None:
    done = run_child("json.tool:main", [], 5, 1 << 30)
    assert not done.has_ended, "it reads nothing"
    assert not done.is_late
    done = run_child("builtins:print", ["a"], 5, 1 << 30)
    assert done == ChildResult(["['a']"], has_ended=True)


def test_a_child_that_only_waits_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matte.limits.MAX_WAITING_RATIO", 0.3)
    assert run_child("tests.test_limits:wait", [], 1, 1 << 30).is_late


def wait(_arguments: list[str]) -> None:
    time.sleep(20)
