"""What `matte image` makes, mostly without networks: tests/fakes.py has their place."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.media.pictures import read_alpha, read_image, read_mask, read_trimap
from tests.commands import run
from tests.conftest import SAMPLE, disc, save

BAND = ("--k", "3", "--iterations", "2")
IMAGE, ALPHA = disc(64, 80)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save(tmp_path / "photo.png", IMAGE)


def test_a_composite_and_all_stages(tmp_path: Path) -> None:
    background = save(tmp_path / "beach.png", np.full((30, 90, 3), (10, 200, 30), np.uint8))
    names = ("mask.png", "trimap.png", "alpha.npy", "foreground.png", "out.jpg")
    mask, trimap, alpha, foreground, out = (tmp_path / name for name in names)
    result = run(
        *(SAMPLE, "--bg", background, "-o", out, "--mask", mask, "--trimap", trimap, "-v"),
        *("--alpha", alpha, "--foreground", foreground, "--backend", "onnx"),
        *("--precision", "fp32"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [str(path) for path in (mask, trimap, alpha, foreground, out)]
    assert "512×512, preset balanced; " in result.stderr
    assert "\n  subject on onnx, cpu, fp32: the only way there is\n" in result.stderr
    assert "% unknown" in result.stderr
    composite, a, sample = read_image(out), read_alpha(alpha), read_image(SAMPLE)
    assert composite.shape == (512, 512, 3)
    assert np.abs(composite[a == 0].astype(int) - (10, 200, 30)).mean() < 3
    assert np.abs(composite[a == 1].astype(int) - sample[a == 1]).mean() < 3
    assert (read_mask(mask) > 0).mean() > 0.2
    known = read_trimap(trimap)
    assert (a[known == 0] == 0).all()
    assert (a[known == 255] == 1).all()
    assert (read_image(foreground)[a == 1] == sample[a == 1]).all()


def test_trimap_free_runs_the_shipped_modnet(tmp_path: Path) -> None:
    alone, named, out = (tmp_path / name for name in ("alone.npy", "named.npy", "out.png"))
    result = run(SAMPLE, "--trimap-free", "--alpha", alone, "-o", out)
    assert result.exit_code == 0, result.output
    result = run(SAMPLE, "--modnet", "modnet", "--alpha", named, "-o", out, "--overwrite")
    assert result.exit_code == 0
    assert np.array_equal(np.load(alone), np.load(named))
    assert np.load(alone)[100:180, 195:250].mean() > 0.98, "the face"
    assert np.load(alone)[20:140, 300:380].mean() < 0.05, "the wall"


@pytest.mark.usefixtures("fake")
def test_without_a_background_a_cut_out(photo: Path) -> None:
    result = run(photo, *BAND)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{photo.with_name('photo-matte.png')}\n"
    assert result.stderr == ""
    with Pillow.open(photo.with_name("photo-matte.png")) as cut_out:
        straight = np.asarray(cut_out)
    assert straight.shape == (64, 80, 4)
    many = photo.with_name("many.webp")
    assert run(photo, *BAND, "--premultiply", "-o", many).exit_code == 0
    with Pillow.open(many) as cut_out:
        multiplied = np.asarray(cut_out).astype(int)
    assert np.abs(multiplied[..., :3] - straight[..., :3] * (straight[..., 3:] / 255)).max() <= 1
    assert (multiplied[..., 3] == straight[..., 3]).all()


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    "words", [(), ("--crop", "5%"), ("--fallback", "none"), ("--trimap-free",)]
)
def test_no_subject_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    blank = save(tmp_path / "blank.png", np.full((40, 50, 3), 90, np.uint8))
    out = tmp_path / "out.png"
    result = run(blank, "-o", out, *words)
    assert result.exit_code == 0
    told = f"no subject found in {blank}: alpha is nowhere above one half"
    assert result.stderr.startswith(f"Warning: {told}: give a rough mask with --mask-in, ")
    assert result.stderr.count("\n") == 1
    with Pillow.open(out) as cut_out:
        assert cut_out.size == (50, 40)
        if "--trimap-free" not in words:
            assert (np.asarray(cut_out) == 0).all()


@pytest.mark.usefixtures("fake")
def test_a_subject_may_be_required(tmp_path: Path) -> None:
    blank = save(tmp_path / "blank.png", np.full((40, 50, 3), 90, np.uint8))
    out = tmp_path / "out.png"
    result = run(blank, "-o", out, "--require-subject")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: no subject found in {blank}: give a rough mask with")
    assert not out.exists()


@pytest.mark.usefixtures("fake")
def test_a_mask_or_a_trimap_may_be_given(photo: Path, tmp_path: Path) -> None:
    wide = np.zeros((64, 80), np.uint8)
    wide[4:60, 4:76] = 255
    mask, alpha = save(tmp_path / "mask.png", wide), tmp_path / "a.npy"
    words = ("-o", tmp_path / "o.png", "--alpha", alpha, "--overwrite", *BAND)
    assert run(photo, "--mask-in", mask, *words).exit_code == 0
    assert np.load(alpha)[10, 10] == 1
    half = save(tmp_path / "half.png", np.ascontiguousarray(wide[::2, ::2]))
    scaled = run(photo, "--mask-in", half, *words)
    assert (scaled.exit_code, np.load(alpha)[10, 10]) == (0, 1)
    assert scaled.stderr == "Warning: the mask is 40×32, the picture 80×64: it is scaled\n"
    wide[20:40] = 100
    trimap = save(tmp_path / "trimap.png", wide)
    assert run(photo, "--trimap-in", trimap, *words).exit_code == 0
    assert np.array_equal(np.load(alpha), np.select([wide == 0, wide == 255], [0, 1], 0.5))


@pytest.mark.usefixtures("fake")
def test_a_doubt_falls_back_or_is_an_error(photo: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out.png", tmp_path / "report.json"
    result = run(photo, "--k", "101", "-o", out, "--report", report)
    assert result.exit_code == 0, result.output
    reason = "the trimap has no sure subject"
    assert result.stderr == f"Warning: {photo}: {reason}: its matte is MODNet's\n"
    (picture,) = json.loads(report.read_text())["pictures"]
    assert picture["fallback"] == {"reason": reason, "to": "modnet"}
    words = ("--k", "101", "-o", out, "--report", report, "--overwrite", "--fallback", "none")
    before = out.read_bytes()
    result = run(photo, *words)
    assert result.exit_code == 1
    remedy = "try another --width, or --fallback modnet"
    assert result.stderr == f"Error: {reason}: {remedy}\n"
    assert out.read_bytes() == before
    assert json.loads(report.read_text())["pictures"][0]["error"].endswith(remedy)


@pytest.mark.usefixtures("fake")
def test_a_mask_that_was_not_made_is_said(photo: Path, tmp_path: Path) -> None:
    trimap = save(tmp_path / "trimap.png", np.full((64, 80), 128, np.uint8))
    result = run(photo, "--trimap-in", trimap, "--mask", tmp_path / "mask.png")
    assert result.exit_code == 2
    assert result.stderr == "Error: with --trimap-in no mask is made: leave --mask out\n"


@pytest.mark.usefixtures("fake")
def test_even_kernels_are_warned_about_once(photo: Path, tmp_path: Path) -> None:
    other = save(tmp_path / "other.png", IMAGE)
    result = run(photo, other, "--k", "4", "--iterations", "2")
    assert result.exit_code == 0
    assert result.stderr.count("Warning: ") == 1
    assert "k = 4 is even" in result.stderr
