"""What `matte image` refuses: in one line, with the remedy, and nothing lost or half-written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.commands import run
from tests.conftest import SAMPLE, disc, save
from tests.media.files import png
from tests.rights import without_root_rights

FOLDER = ("full", "bare", "closed")


def fill(folder: Path) -> None:
    """What is there before each run."""
    save(folder / "photo.png", disc(32, 40)[0])
    save(folder / "mask.png", np.zeros((5, 6), np.uint8))
    save(folder / "tall.png", np.zeros((6, 5), np.uint8))
    (folder / "text.jpg").write_text("no picture")
    (folder / "empty.jpg").touch()
    (folder / "half.jpg").write_bytes(SAMPLE.read_bytes()[:9000])
    (folder / "half.png").write_bytes((folder / "photo.png").read_bytes()[:700])
    (folder / "huge.png").write_bytes(png(50_000, 50_000, 8, 2, b""))
    (folder / "there.png").write_text("precious")
    (folder / "report.json").write_text("precious")
    (folder / "bad.toml").write_text("[trimap\n")
    (folder / "wrong.toml").write_text("[trimap]\nkk = 3\n")
    np.save(folder / "nan.npy", np.full((32, 40), np.nan, np.float32))
    np.save(folder / "objects.npy", np.array([{}, []], object))
    (folder / "bare").mkdir()
    (folder / "full").mkdir()
    save(folder / "full/a.png", disc(32, 40)[0])


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


PHOTO = "photo.png"
BAD: list[tuple[list[str], int, str]] = [
    # What is read.
    (["none.jpg"], 1, "can't read none.jpg (No such file"),
    (["empty.jpg"], 1, "empty.jpg is empty: give a whole JPEG"),
    (["text.jpg"], 1, "text.jpg is not a readable picture: give a whole JPEG"),
    (["half.jpg"], 1, "half.jpg is not a readable picture: give a whole JPEG"),
    (["half.png"], 1, "half.png is not a readable picture: give a whole JPEG"),
    (["huge.png"], 1, "huge.png is 50000×50000, 2500 megapixels: raise --max-pixels"),
    ([PHOTO, "--max-pixels", "1000"], 1, "photo.png is 40×32, 0 megapixels: raise --max"),
    (["bare"], 1, "no pictures in bare: it may hold .avif .bmp"),
    (["/dev/zero"], 1, "/dev/zero is a device: name a picture"),
    (["new\nline.png"], 1, "can't read new\\nline.png"),
    (["x" * 300 + ".png"], 1, "can't write xxx"),
    ([PHOTO, "--bg", "none.jpg"], 1, "can't read none.jpg"),
    ([PHOTO, "--bg", "text.jpg"], 1, "text.jpg is not a readable picture"),
    (
        [PHOTO, "--mask-in", "tall.png"],
        1,
        "the mask is 5×6, the picture 40×32: another",
    ),
    ([PHOTO, "--trimap-in", "mask.png"], 1, "the trimap is 6×5, the picture"),
    ([PHOTO, "--mask-in", "nan.npy"], 1, "nan.npy is an alpha with values outside 0 … 1: scale"),
    ([PHOTO, "--mask-in", "objects.npy"], 1, "can't read objects.npy (it holds Python's objects"),
    ([PHOTO, "--mask-in", "none.npy"], 1, "can't read none.npy"),
    ([PHOTO, "--trimap-in", "nan.npy"], 1, "nan.npy is not a readable picture"),
    # What is written.
    ([PHOTO, "-o", "none/out.png"], 1, "no folder none to write out.png into: create it first"),
    ([PHOTO, "-o", "out.gif"], 1, "can't write out.gif: end it in .avif, .bmp, .exr"),
    ([PHOTO, "-o", "out"], 1, "can't write out: end it in"),
    ([PHOTO, "-o", "out.jpg"], 1, "out.jpg can't hold transparency: name a .png"),
    (["full", "-o", "new", "--format", "jpg"], 1, "a-matte.jpg can't hold transparency"),
    ([PHOTO, "-o", "there.png"], 1, "there.png exists: choose another name or add --overwrite"),
    ([PHOTO, "-o", PHOTO], 1, "photo.png is named twice: give every file its own name"),
    ([PHOTO, "-o", PHOTO, "--bg", "red", "--overwrite"], 1, "photo.png is named twice"),
    ([PHOTO, "-o", "a.png", "--mask", "a.png"], 1, "a.png is named twice"),
    ([PHOTO, "-o", "a.png", "--mask", "full/../a.png"], 1, "a.png is named twice"),
    ([PHOTO, "--bg", "full/a.png", "-o", "full/a.png", "--overwrite"], 1, "full/a.png is named tw"),
    ([PHOTO, "--mask-in", "mask.png", "--mask", "mask.png", "--overwrite"], 1, "mask.png is named"),
    ([PHOTO, "--report", PHOTO, "--overwrite"], 1, "can't write photo.png: end it in .csv, .json"),
    ([PHOTO, "--report", "out.txt"], 1, "can't write out.txt: end it in .csv, .json"),
    ([PHOTO, "--report", "report.json"], 1, "report.json exists: choose another"),
    ([PHOTO, "--alpha", "a.jpg"], 1, "can't write a.jpg: end it in .npy, .png, .tif, .tiff"),
    ([PHOTO, "full/a.png", "-o", "there.png"], 2, "there.png is not a folder: with several"),
    ([PHOTO, "full/a.png", "-o", "report.json"], 1, "can't make the folder report.json (File ex"),
    (["full", "-o", "report.json/x"], 1, "can't make the folder report.json/x (Not a directory)"),
    ([PHOTO, PHOTO, "-o", "new"], 1, "new/photo-matte.png is named twice"),
    (["full", "full", "-o", "new"], 1, "new/full/a-matte.png is named twice"),
    # What is asked for.
    ([PHOTO, "--bg", "forest"], 2, "background 'forest' is neither a file nor a colour: did you"),
    (
        [PHOTO, "--bg", "Gren"],
        2,
        "background 'Gren' is neither a file nor a colour: did you mean 'green' or 'grey'? Else",
    ),
    ([PHOTO, "--bg", "meadow"], 2, "background 'meadow' is neither a file nor a colour: give a"),
    ([PHOTO, "--bg", "https://host/a.jpg"], 2, "https:// is on the web: download it first, and"),
    ([PHOTO, "--mask-in", "https://host/a.png"], 2, "https:// is on the web: download it first"),
    ([PHOTO, "--bg", ""], 2, "background '' is neither"),
    ([PHOTO, "--bg", "rgb(300,0,0)"], 2, "background 'rgb(300,0,0)'"),
    ([PHOTO, "--bg", "blur:-3"], 2, "'-3' is not a length: give pixels, or a percentage"),
    ([PHOTO, "--crop", "much"], 2, "'much' is not a length"),
    ([PHOTO, "--premultiply", "--bg", "red"], 2, "--premultiply is for cut-outs: use --bg"),
    ([PHOTO, "--k", "0"], 2, "k = 0: give 1 … 101"),
    ([PHOTO, "--width", "60%"], 2, "width = '60%': give up to 10000 pixels, or 50%"),
    ([PHOTO, "--threshold", "nan"], 2, "threshold = nan"),
    ([PHOTO, "--preset", "quick"], 2, "no preset 'quick': choose from"),
    ([PHOTO, "--config", "none.toml"], 2, "can't read none.toml"),
    ([PHOTO, "--config", "bad.toml"], 2, "bad.toml is not TOML: "),
    ([PHOTO, "--config", "wrong.toml"], 2, "wrong.toml: no setting 'kk' in trimap: did you mean"),
    ([PHOTO, "--config", "photo.png"], 2, "photo.png is not TOML: "),
    ([PHOTO, "--refiner", "gided"], 1, "no refiner 'gided': did you mean 'guided'?"),
    ([PHOTO, "--segmenter", "persn"], 1, "no segmenter 'persn': did you mean 'person'?"),
    ([PHOTO, "--segmenter", "text.jpg"], 1, "text.jpg is not a whole ONNX file"),
    ([PHOTO, "--modnet", "none.onnx"], 1, "can't read none.onnx"),
    ([PHOTO, "--modnet", "x", "--mask", "m.png"], 2, "a run with --modnet has no mask and no tri"),
    ([PHOTO, "--trimap-free", "--mask-in", "mask.png"], 2, "a run with --modnet has no mask"),
    ([PHOTO, "--trimap-in", "mask.png", "--mask-in", "mask.png"], 2, "--trimap-in takes the place"),
    ([PHOTO, "--trimap-in", "mask.png", "--mask", "m.png"], 2, "with --trimap-in no mask is made"),
    ([PHOTO, "text.jpg", "--mask", "m.png"], 2, "--mask-in, --trimap-in, --mask, --trimap, --alph"),
    ([PHOTO, "full", "-o", "-"], 2, "several pictures can't go to standard output: name a fol"),
    (["-", "-"], 2, "standard input is named twice: give one -"),
]


@pytest.mark.parametrize(("words", "code", "message"), BAD)
def test_bad_input_gets_one_line_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path)
    before = contents(tmp_path)
    result = run(*words, *(() if "--refiner" in words else ("--refiner", "guided")))
    assert result.exit_code == code, result.output
    assert result.stderr.startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert contents(tmp_path) == before
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("what", ["file", "background", "mask", "folder", "result"])
def test_what_is_not_permitted_is_said(tmp_path: Path, what: str) -> None:
    folder = tmp_path
    fill(folder)
    folder.chmod(0o555)
    secret = save(folder / "secret.png", disc(32, 40)[0])
    secret.chmod(0)
    (folder / "full").chmod(0)
    photo, out = folder / PHOTO, "/dev/shm/never.png"
    words, message = {
        "file": ((secret,), f"can't read {secret} (Permission denied): name a picture"),
        "background": ((photo, "--bg", secret, "-o", out), f"can't read {secret} (Permission"),
        "mask": ((photo, "--mask-in", secret, "-o", out), f"can't read {secret} (Permission"),
        "folder": ((folder / "full",), f"can't read {folder / 'full'} (Permission denied)"),
        "result": ((photo,), f"can't write {folder / 'photo-matte.png'} (Permission denied)"),
    }[what]
    with without_root_rights():
        result = run(*words, "--k", "3", "--iterations", "2")
    (folder / "full").chmod(0o755)
    folder.chmod(0o755)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {message}"), result.stderr
    assert result.stderr.count("\n") == 1
    assert not list(folder.glob("*matte*"))
    assert not Path(out).exists()


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """Of the mask, which would fit, and the picture, which does not, neither is there."""
    photo, out, mask = save(tmp_path / "p.png", disc(96, 128)[0]), tmp_path / "o.png", "m.png"
    out.write_text("precious")
    (tmp_path / mask).write_text("precious too")
    code = (
        "import resource, sys\n"
        "from matte.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, 3_000))\n"
        "main(sys.argv[1:])\n"
    )
    words = (photo, "-o", out, "--mask", tmp_path / mask, "--overwrite", "--refiner", "guided")
    given = ("--mask-in", save(tmp_path / "given.png", np.eye(96, 128, dtype=np.uint8) * 255))
    before = contents(tmp_path)
    # Backgrounds of noise don't shrink.
    noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    ground = save(tmp_path / "noise.png", noise)
    before["noise.png"] = ground.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, (*words, *given, "--bg", ground))],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error == f"Error: can't write {out} (File too large): choose another place"
    assert done.stdout == ""
    assert contents(tmp_path) == before


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize("ending", [".webp", ".avif", ".jpg"])
def test_a_picture_that_a_format_can_not_hold(tmp_path: Path, ending: str) -> None:
    strip = save(tmp_path / "strip.png", np.full((1, 70_000, 3), 200, np.uint8))
    out = tmp_path / f"out{ending}"
    result = run(strip, "--bg", "red", "-o", out, "--k", "3")
    assert result.exit_code == 1
    told = f"a picture of 70000×1 can't be saved as {ending}: save it as .png\n"
    assert result.stderr.endswith(told)
    assert not out.exists()


def test_videos_have_a_command_of_their_own(tmp_path: Path) -> None:
    result = run("image", tmp_path / "talk.mp4")
    assert result.exit_code == 2
    assert result.stderr.endswith(f"talk.mp4 is a video: matte video {tmp_path / 'talk.mp4'}\n")
