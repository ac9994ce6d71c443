import hashlib
from pathlib import Path

import pytest

from matte.configs.settings import SegmentationSettings
from matte.weights.cards import model_card
from tests.commands import HEAVY, loaded_by, run
from tests.weights.conftest import server
from tests.weights.download_server import DownloadServer

__all__ = ["server"]
NAME = SegmentationSettings().segmenter


def test_a_card_is_printed_as_it_is() -> None:
    result = run("weights", "card", NAME)
    assert result.exit_code == 0, result.output
    assert result.stdout == model_card(NAME)


def test_an_unknown_network_is_one_line() -> None:
    result = run("weights", "card", "clothin")
    assert result.exit_code == 1
    assert result.stderr == "Error: no network 'clothin': did you mean 'clothing'?\n"


def test_cards_load_no_runtime() -> None:
    loaded = loaded_by("weights", "card", NAME)
    assert not loaded & (HEAVY | {"openvino", "onnxruntime", "cv2"})


def test_the_verbose_list_tells_how_ours_were_made() -> None:
    result = run("weights", "list", "-v")
    assert result.exit_code == 0
    assert f"    matte train segmenter --config {NAME} " in result.stdout


def test_the_list_shows_what_is_not_fetched_yet() -> None:
    lines = run("weights", "list").stdout.splitlines()
    (u2net,) = [line for line in lines if line.startswith("u2net ")]
    assert u2net.split(maxsplit=2)[1:] == ["segmenter", "not fetched    U²-Net, 176 MB"]
    (rmbg,) = [line for line in lines if line.startswith("rmbg-1.4 ")]
    assert rmbg.endswith("176 MB, non-commercial use only")


def test_a_network_for_non_commercial_use_is_named_as_such_before_it_comes() -> None:
    for words in ((), ("--quiet",)):
        result = run("weights", "download", "rmbg-1.4", *words)
        assert result.exit_code == 2
        assert result.stderr == (
            "Error: 'rmbg-1.4' is for non-commercial use only (licence: bria-rmbg-1.4:"
            " non-commercial use only): if that is your use, add --accept-licence\n"
        )
    assert "matte weights download rmbg-1.4 --accept-licence" in model_card("rmbg-1.4")


def test_a_download_says_what_comes_and_by_what_it_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    DownloadServer.content = b"\x3a\x00"
    row = f'[net]\nfile = "net.onnx"\nkind = "modnet"\nurl = "{server}/whole"\nlicence = "MIT"\n'
    published = f'published_hash = "md5:{hashlib.md5(DownloadServer.content).hexdigest()}"\n'
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/manifest.toml").write_text(row + published + "bytes = 2\n")
    result = run("weights", "download", "net")
    notice = "net: 0 MB; licence: MIT; checked by its publisher's md5\n"
    assert (result.stderr, result.stdout) == (notice, f"{tmp_path / 'weights/net.onnx'}\n")
    (tmp_path / "weights/net.onnx").unlink()
    (tmp_path / "weights/manifest.toml").write_text(row)
    result = run("weights", "download", "net")
    assert "size not known; licence: MIT; its publisher's hash is not known" in result.stderr
    assert run("weights", "verify", "net").exit_code == 0


def test_listing_and_downloading_load_no_runtime() -> None:
    loaded = loaded_by("weights", "list")
    assert not loaded & (HEAVY | {"openvino", "onnxruntime", "cv2", "onnx"})
