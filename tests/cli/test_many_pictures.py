"""`matte image` with many pictures: gone on with, planned, summed up; killed at any moment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.cli.sweep import SAMPLE
from matte.photos.run_file import RUN_FOLDER
from tests.commands import run
from tests.conftest import save, small_portrait

QUICK = ("--preset", "fast", "--refiner", "guided", "--backend", "onnx", "--precision", "fp32")
COUNT = 12


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of small pictures with somebody in them."""
    (tmp_path / "in").mkdir()
    for number in range(COUNT):
        save(tmp_path / "in" / f"{number:02d}.png", small_portrait(number))
    return tmp_path / "in"


def results(folder: Path) -> dict[str, bytes]:
    """Returns the results in a folder, by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_run_is_gone_on_with(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("image", pictures, "-o", out, *QUICK)
    assert f"{COUNT} written" in first.stderr
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.png")}
    (out / "00-matte.png").unlink()
    again = run("image", pictures, "-o", out, "--resume", *QUICK)
    assert "1 written (" in again.stderr
    assert f"{COUNT - 1} were there" in again.stderr
    changed = {p.name for p, at in before.items() if p.stat().st_mtime_ns != at}
    assert changed == {"00-matte.png"}
    other = run("image", pictures, "-o", out, "--resume", *QUICK, "--k", "9")
    assert other.exit_code == 2
    assert "k was " in other.stderr


def test_a_result_that_is_there_has_not_failed(pictures: Path, tmp_path: Path) -> None:
    """So neither --resume nor --retry-failed replaces what somebody has changed since."""
    out = tmp_path / "out"
    for path in list(pictures.iterdir())[2:]:
        path.unlink()
    assert run("image", pictures, "-o", out, *QUICK).exit_code == 0
    mine = sorted(out.glob("*.png"))[0]
    mine.write_bytes(b"retouched")
    before = results(out)
    again = run("image", pictures, "-o", out, *QUICK)
    assert again.exit_code == 1
    assert "2 failed: exists (--skip-existing leaves" in again.stderr
    assert "--retry-failed" not in again.stderr
    for words in ("--resume", "--retry-failed"):
        after = run("image", pictures, "-o", out, words, *QUICK)
        assert after.exit_code == 0, after.stderr
        assert "2 were there" in after.stderr
        assert results(out) == before


def test_a_dry_run_writes_nothing(pictures: Path, tmp_path: Path) -> None:
    done = run("image", pictures, "-o", tmp_path / "out", "--dry-run", *QUICK)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == COUNT
    assert f"{COUNT} to do, 0 done before; about" in done.stderr
    assert not (tmp_path / "out").exists()


def test_existing_results_are_skipped(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "03-matte.png").write_bytes(b"mine")
    done = run("image", pictures, "-o", out, "--skip-existing", *QUICK)
    assert done.exit_code == 0
    assert (out / "03-matte.png").read_bytes() == b"mine"
    assert f"{COUNT - 1} written" in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_killed_run_loses_nothing(pictures: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "matte", "image", str(pictures), "-q", *QUICK]
    undisturbed, killed = tmp_path / "whole", tmp_path / "killed"
    assert run("image", pictures, *QUICK, "-o", undisturbed).exit_code == 0
    for wanted in (1, 6):
        process = subprocess.Popen(
            [*words, "-o", str(killed), "--resume"], stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 60
        while len(list(killed.glob("*.png"))) < wanted and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert run("image", pictures, *QUICK, "-o", killed, "--resume").exit_code == 0
    assert results(killed) == results(undisturbed)
    assert {path.name for path in killed.iterdir() if path.is_dir()} == {RUN_FOLDER}


def test_rough_masks_by_the_pictures_names_say_whom_to_keep(tmp_path: Path) -> None:
    group = np.asarray(Pillow.open(SAMPLE).convert("RGB").resize((192, 192)))
    (tmp_path / "in").mkdir()
    source = save(tmp_path / "in" / "group.png", np.hstack([group, group[:, ::-1]]))
    masks = tmp_path / "masks"
    masks.mkdir()
    stroke = np.zeros((96, 192), np.uint8)
    stroke[60:90, 130:150] = 255
    save(masks / "group.png", stroke)
    words = ("--subject", f"mask:{masks}", *QUICK)
    done = run(
        "image", source.parent, "-o", tmp_path / "out", "--report", tmp_path / "r.json", *words
    )
    assert done.exit_code == 0, done.stderr
    assert "group.png is 192×96, the picture 384×192: it is scaled" in done.stderr
    alpha = np.asarray(Pillow.open(tmp_path / "out" / "group-matte.png"))[:, :, 3]
    assert alpha[150, 290] == 255
    assert not alpha[:, :150].any()
    (row,) = json.loads((tmp_path / "r.json").read_text())["pictures"]
    assert row["subject_mask"]["scaled from"] == [192, 96]
    save(source.parent / "other.png", group)
    again = run("image", source.parent, "-o", tmp_path / "out", "--resume", *words)
    assert f"no mask of {source.parent / 'other.png'} in {masks}: call it other.png" in again.stderr
