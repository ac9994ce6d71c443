from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.media.pictures import read_alpha, read_image, read_mask, read_trimap
from tests.cli.test_grammar import run
from tests.conftest import SAMPLE, save


def test_a_composite_and_all_stages(tmp_path: Path) -> None:
    background = save(tmp_path / "beach.png", np.full((30, 90, 3), (10, 200, 30), np.uint8))
    names = ("mask.png", "trimap.png", "alpha.npy", "foreground.png")
    mask, trimap, alpha, foreground = (tmp_path / name for name in names)
    result = run(
        *(SAMPLE, "--bg", background, "-o", tmp_path / "out.jpg", "--mask", mask),
        *("--trimap", trimap, "--alpha", alpha, "--foreground", foreground),
    )
    assert result.exit_code == 0, result.output
    written = [tmp_path / "mask.png", trimap, alpha, foreground, tmp_path / "out.jpg"]
    assert result.stdout.split() == [str(path) for path in written]
    composite, a = read_image(tmp_path / "out.jpg"), read_alpha(alpha)
    assert composite.shape == (512, 512, 3)
    assert np.abs(composite[a == 0].astype(int) - (10, 200, 30)).mean() < 3
    assert np.abs(composite[a == 1].astype(int) - read_image(SAMPLE)[a == 1]).mean() < 3
    assert (read_mask(mask) > 0).mean() > 0.2
    known = read_trimap(trimap)
    assert (a[known == 0] == 0).all()
    assert (a[known == 255] == 1).all()
    assert (
        np.abs(read_image(foreground)[a == 1].astype(int) - read_image(SAMPLE)[a == 1]).max() == 0
    )


def test_without_a_background_a_cut_out(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(SAMPLE.read_bytes())
    result = run(photo, "--refiner", "guided", "--k", "5", "--threads", "1")
    assert result.exit_code == 0, result.output
    with Pillow.open(tmp_path / "photo-matte.png") as cut_out:
        assert cut_out.mode == "RGBA"
    assert result.stdout == f"{tmp_path / 'photo-matte.png'}\n"


def test_16_bits_stay_16_bits(tmp_path: Path) -> None:
    photo = save(tmp_path / "deep.png", read_image(SAMPLE).astype(np.uint16) * 257)
    assert run(photo, "--bg", "white", "-o", tmp_path / "out.png").exit_code == 0
    assert read_image(tmp_path / "out.png").dtype == np.uint16


def test_several_files_go_into_a_folder_and_one_failure_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    (tmp_path / "out").mkdir()
    files = [tmp_path / name for name in ("a.jpg", "bad.jpg", "b.jpg")]
    result = run(*files, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a-matte.png", "b-matte.png"]
    assert "bad.jpg is not a readable picture" in result.stderr
    assert "1 of 3 pictures failed" in result.stderr


def test_trimap_free_runs_the_shipped_modnet(tmp_path: Path) -> None:
    alone, named = tmp_path / "alone.npy", tmp_path / "named.npy"
    out = tmp_path / "out.png"
    result = run(SAMPLE, "--trimap-free", "--alpha", alone, "-o", out, "-v")
    assert result.exit_code == 0, result.output
    result = run(SAMPLE, "--modnet", "modnet", "--alpha", named, "-o", out, "--overwrite")
    assert result.exit_code == 0
    assert np.array_equal(np.load(alone), np.load(named))
    assert np.load(alone)[100:180, 195:250].mean() > 0.98, "the face"
    assert np.load(alone)[20:140, 300:380].mean() < 0.05, "the wall"
    refused = run(SAMPLE, "--trimap-free", "--mask", tmp_path / "m.png", "-o", out)
    assert refused.exit_code == 2
    assert "no mask and no trimap" in refused.stderr


def test_no_subject_is_said(tmp_path: Path) -> None:
    blank = save(tmp_path / "blank.png", np.full((90, 90, 3), 90, np.uint8))
    result = run(blank, "-o", tmp_path / "out.png")
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: no subject found in ")
    with Pillow.open(tmp_path / "out.png") as cut_out:
        assert (np.asarray(cut_out) == 0).all()


def test_even_kernels_are_warned_about_once(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(SAMPLE.read_bytes())
    result = run(tmp_path / "a.jpg", tmp_path / "b.jpg", "--k", "12")
    assert result.exit_code == 0
    assert result.stderr.count("Warning: ") == 1
    assert "k = 12 is even" in result.stderr


def test_verbose_tells_what_ran(tmp_path: Path) -> None:
    result = run(SAMPLE, "-o", tmp_path / "o.png", "--verbose", "--backend", "onnx")
    assert "512×512, preset balanced, segmenter on onnx" in result.stderr
    assert "% unknown" in result.stderr


BAD = [
    (["none.jpg"], 1, "can't read none.jpg (No such file"),
    (["text.jpg"], 1, "text.jpg is not a readable picture"),
    (["."], 1, "can't read . (Is a directory"),
    (["photo.jpg", "-o", "none/out.png"], 1, "no folder none to write out.png into"),
    (["photo.jpg", "-o", "out.gif"], 1, "can't write out.gif: end it in .jpeg, .jpg, .png"),
    (["photo.jpg", "-o", "out"], 1, "can't write out: end it in"),
    (["photo.jpg", "-o", "out.jpg"], 1, "out.jpg can't hold transparency"),
    (["photo.jpg", "-o", "there.png"], 1, "there.png exists"),
    (["photo.jpg", "-o", "photo.jpg", "--bg", "red", "--overwrite"], 1, "photo.jpg is named twice"),
    (["photo.jpg", "-o", "a.png", "--mask", "a.png"], 1, "a.png is named twice"),
    (["photo.jpg", "--alpha", "a.jpg"], 1, "can't write a.jpg: end it in .npy, .png, .tif, .tiff"),
    (["photo.jpg", "--bg", "none.jpg"], 1, "can't read none.jpg"),
    (["photo.jpg", "--bg", "text.jpg"], 1, "text.jpg is not a readable picture"),
    (["photo.jpg", "--bg", "beech"], 2, "background 'beech' is neither a file nor a colour"),
    (["photo.jpg", "--k", "0"], 2, "k = 0: give 1 … 101"),
    (["photo.jpg", "--threshold", "nan"], 2, "threshold = nan"),
    (["photo.jpg", "--preset", "quick"], 2, "no preset 'quick': choose from"),
    (["photo.jpg", "--config", "none.toml"], 2, "can't read none.toml"),
    (["photo.jpg", "--refiner", "gided"], 1, "no refiner 'gided': did you mean 'guided'?"),
    (["photo.jpg", "--segmenter", "persn"], 1, "no segmenter 'persn': did you mean 'person'?"),
    (["photo.jpg", "--segmenter", "text.jpg"], 1, "text.jpg is not a whole ONNX file"),
    (["photo.jpg", "--modnet", "none.onnx"], 1, "can't read none.onnx"),
    (["photo.jpg", "--modnet", "x", "--mask", "m.png"], 2, "a run with --modnet has no mask"),
    (
        ["photo.jpg", "text.jpg", "--mask", "m.png"],
        2,
        "--mask, --trimap, --alpha and --fo",
    ),
    (["photo.jpg", "text.jpg", "-o", "out.png"], 2, "out.png is not a folder"),
    (["photo.jpg", "photo.png", "--overwrite"], 1, "photo-matte.png is named twice"),
    (["photo.jpg", "photo-matte.png", "--overwrite"], 1, "photo-matte.png is named twice"),
    (["photo.jpg", "--bg", "there.png", "-o", "there.png", "--overwrite"], 1, "there.png is"),
    (["photo.jpg", "--bg", ""], 2, "background '' is neither"),
    (["photo.jpg", "--bg", "rgb(300,0,0)"], 2, "background 'rgb(300,0,0)'"),
    (["new\nline.png"], 1, "can't read new\\nline.png"),
    (["x" * 300 + ".png"], 1, "can't read xxx"),
]


@pytest.mark.parametrize(("words", "code", "message"), BAD)
def test_bad_input_gets_one_line_and_loses_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "there.png").write_text("precious")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    result = run(*words)
    assert result.exit_code == code, result.output
    assert result.stderr.startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
