"""The commands that run one stage, and those that look around."""

import json
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest

from matte.arrays import Mask
from matte.configs.loader import merge_settings
from matte.configs.settings import TrimapSettings
from matte.media.pictures import read_alpha, read_image, read_photo, read_trimap
from matte.trimap.morphology import kernel_band
from tests.commands import run
from tests.conftest import disc, save
from tests.tolerances import REFINED


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A picture, its mask and its trimap."""
    image, alpha = disc(96, 128)
    mask = Mask(np.where(alpha > 0.5, 255, 0).astype(np.uint8))
    trimap = kernel_band(mask, TrimapSettings(k=3, iterations=4))
    return (
        save(tmp_path / "photo.png", image),
        save(tmp_path / "mask.png", mask),
        save(tmp_path / "trimap.png", trimap),
    )


def test_trimap_is_the_recipes(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    result = run("trimap", files[1], "--k", "5", "--iterations", "2", "--shape", "rect")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{tmp_path / 'mask-trimap.png'}\n"
    mask = cv2.imread(str(files[1]), cv2.IMREAD_GRAYSCALE)
    assert mask is not None
    kernel = np.ones((5, 5), np.uint8)
    expected = np.full(mask.shape, 128, np.uint8)
    expected[cv2.erode(mask, kernel, iterations=2) == 255] = 255
    expected[cv2.dilate(mask, kernel, iterations=2) == 0] = 0
    assert np.array_equal(read_trimap(tmp_path / "mask-trimap.png"), expected)


def test_a_trimap_that_nothing_can_come_of_is_said(tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.png", np.zeros((40, 50), np.uint8))
    result = run("trimap", mask)
    assert result.exit_code == 0
    target = tmp_path / "mask-trimap.png"
    assert result.stderr == f"Warning: {target}: the trimap has no sure subject\n"
    assert (read_trimap(target) == 0).all()


def test_where_a_soft_mask_is_unsure_the_trimap_is_unknown(tmp_path: Path) -> None:
    soft = np.zeros((90, 120), np.float32)
    soft[20:70, 30:90] = 1
    soft[35:60, 90:110] = 0.3  # hair, perhaps
    np.save(tmp_path / "mask.npy", soft)
    result = run("trimap", tmp_path / "mask.npy")
    assert result.exit_code == 0, result.output
    trimap = read_trimap(tmp_path / "mask-trimap.png")
    assert (trimap[40:55, 95:105] == 128).all()
    assert trimap[45, 60] == 255
    assert trimap[5, 5] == 0


@pytest.mark.parametrize("suffix", [".png", ".tif", ".npy"])
def test_refine_writes_alpha(files: tuple[Path, Path, Path], tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"alpha{suffix}"
    result = run("refine", files[0], files[2], "-o", target)
    assert result.exit_code == 0, result.output
    _, alpha = disc(96, 128)
    assert np.abs(read_alpha(target) - alpha).mean() < REFINED


def test_refine_tells_what_is_odd(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    blank = save(tmp_path / "blank.png", np.zeros((96, 128), np.uint8))
    result = run("refine", files[0], blank, "--refiner", "guided")
    assert result.exit_code == 0
    told = f"{blank}: the trimap has no sure subject: it is used as it is"
    assert result.stderr == f"Warning: {told}\n"
    refused = run("refine", files[0], files[2], "--max-pixels", "100", "--overwrite")
    assert refused.exit_code == 1
    assert "is 128×96, 0 megapixels: raise --max-pixels" in refused.stderr


def test_composite_takes_the_old_background_out(
    files: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    _, alpha = disc(96, 128)
    np.save(tmp_path / "alpha.npy", alpha)
    result = run("composite", files[0], tmp_path / "alpha.npy", "--bg", "white")
    assert result.exit_code == 0, result.output
    kept = tmp_path / "kept.png"
    arguments = (files[0], tmp_path / "alpha.npy", "--bg", "white", "--keep-colours", "-o", kept)
    assert run("composite", *arguments).exit_code == 0
    exact = alpha[:, :, None] * [230, 180, 60] + (1 - alpha[:, :, None]) * 255
    cleaned = np.abs(read_image(tmp_path / "photo-composite.png") - exact).max()
    assert cleaned < 12
    assert np.abs(read_image(kept) - exact).max() > 3 * cleaned


def test_composites_as_image_makes_them(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    image, alpha = disc(96, 128)
    np.save(tmp_path / "alpha.npy", alpha)
    words = ("composite", files[0], tmp_path / "alpha.npy", "--bg", "transparent")
    result = run(*words, "--crop", "0", "-o", tmp_path / "cut.png")
    assert result.exit_code == 0, result.output
    cut = read_photo(tmp_path / "cut.png")
    assert cut.pixels.shape[0] < 70
    assert cut.transparency is not None
    piped = run(*words, "-o", "-")
    assert piped.exit_code == 0
    assert piped.stdout_bytes.startswith(b"\x89PNG")
    # What was transparent in the picture stays so.
    rgba = np.dstack([image, np.full(alpha.shape, 51, np.uint8)])
    glass = save(tmp_path / "glass.png", rgba)
    out = tmp_path / "out.png"
    assert run("composite", glass, *words[2:], "-o", out, "--keep-colours").exit_code == 0
    assert read_photo(out).transparency is not None
    assert read_alpha(out).max() == pytest.approx(0.2)


def test_sizes_that_differ_are_said(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    small = save(tmp_path / "small.png", np.zeros((5, 6), np.uint8))
    for words in (("refine", files[0], small), ("composite", files[0], small, "--bg", "red")):
        result = run(*words)
        assert result.exit_code == 1
        assert "is 6×5, the picture 128×96: give both at one size" in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("trimap", "MASK"), ("refine", "PHOTO", "TRIMAP"), ("composite", "PHOTO", "MASK")]
)
def test_existing_files_are_kept(
    files: tuple[Path, Path, Path], tmp_path: Path, words: tuple[str, ...]
) -> None:
    named = {"PHOTO": files[0], "MASK": files[1], "TRIMAP": files[2]}
    precious = tmp_path / "precious.png"
    precious.write_text("precious")
    extra = ("--bg", "red") if words[0] == "composite" else ()
    arguments = [named.get(word, word) for word in words]
    result = run(*arguments, *extra, "-o", precious)
    assert result.exit_code == 1
    assert "exists: choose another name or add --overwrite" in result.stderr
    assert precious.read_text() == "precious"
    assert run(*arguments, *extra, "-o", precious, "--overwrite").exit_code == 0
    assert precious.read_bytes().startswith(b"\x89PNG")


def test_config_show_is_a_settings_file_with_origins(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text("[trimap]\niterations = 4\n")
    result = run("config", "show", "--preset", "fast", "--config", mine, "--k", "5")
    assert result.exit_code == 0
    lines = {line.partition(" ")[0]: line for line in result.stdout.splitlines()}
    assert lines["k"].endswith("# flag")
    assert lines["iterations"].endswith(f"# {mine}")
    assert lines["segmenter"].endswith("# preset fast")
    assert lines["threshold"].endswith("# default")
    again = tmp_path / "again.toml"
    again.write_text(result.stdout)
    merged = merge_settings(None, again)
    assert merged.preset == "fast"
    assert merged.config == merge_settings("fast", mine, {"k": 5}).config
    assert tomllib.loads(result.stdout)["trimap"]["k"] == 5


def test_the_users_own_file_is_read(own_home: Path) -> None:
    own = own_home / "config.toml"
    own.write_text('preset = "fast"\n[trimap]\nk = 9\n')
    try:
        result = run("config", "show")
    finally:
        own.unlink()
    assert 'preset = "fast"' in result.stdout
    assert f"# {own}" in result.stdout


def test_doctor_finds_this_installation_well() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "MISSING" not in result.stdout
    findings = {f["name"]: f for f in json.loads(run("doctor", "--json").stdout)}
    assert findings["weights person"]["works"]
    assert findings["runtime onnx"]["works"]


def test_doctor_says_what_is_missing_and_what_mends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from matte import doctor

    monkeypatch.setitem(doctor.EXTRAS, "no-such-package", ("classical", "a test"))
    assert "run pip install '.[classical]' in matte's checkout" in run("doctor").stdout
    monkeypatch.setattr(doctor, "BASE", ("no-such-package",))
    result = run("doctor")
    assert result.exit_code == 1
    assert "MISSING no-such-package" in result.stdout
    assert "pip install no-such-package" in result.stdout


def test_doctor_reads_the_settings_file(own_home: Path) -> None:
    own = own_home / "config.toml"
    own.write_text("[trimap]\nk = 0\n")
    try:
        result = run("doctor")
    finally:
        own.unlink()
    assert result.exit_code == 1
    assert f"{own}: k = 0" in result.stdout


@pytest.mark.parametrize("name", ["photo.png", "trimap.png"])
def test_inputs_are_never_overwritten(
    files: tuple[Path, Path, Path], tmp_path: Path, name: str
) -> None:
    before = (tmp_path / name).read_bytes()
    result = run("refine", files[0], files[2], "-o", tmp_path / name, "--overwrite")
    assert result.exit_code == 1
    assert "is named twice" in result.stderr
    assert (tmp_path / name).read_bytes() == before
