"""Many pictures: folders, failures among them, progress, interruption."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from matte.photos.run_file import RUN_FOLDER
from tests.commands import run
from tests.conftest import disc, save

BAND = ("--k", "3", "--iterations", "2")


def photos(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        save(folder / name, disc(32, 40)[0])
    return folder


def below(folder: Path) -> set[str]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in files if RUN_FOLDER not in path.parts}


@pytest.mark.usefixtures("fake")
def test_a_folders_tree_is_mirrored_and_may_be_run_again(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "x/b.png", "x/y/c.bmp")
    out = tmp_path / "new/out"
    result = run(source, "-o", out, *BAND)
    assert result.exit_code == 0, result.output
    expected = {"a-matte.png", "x/b-matte.png", "x/y/c-matte.png"}
    assert below(out) == expected
    assert {line.removeprefix(f"{out}/") for line in result.stdout.splitlines()} == expected
    assert re.fullmatch(r"3 written \(.* a second\)\n", result.stderr), "no progress in a pipe"
    assert run(source, "-o", out, "--overwrite", *BAND).exit_code == 0
    assert below(out) == expected
    for _ in range(2):
        assert run(source, "--overwrite", *BAND).exit_code == 0
        assert below(source) == {"a.png", "x/b.png", "x/y/c.bmp"} | expected


@pytest.mark.usefixtures("fake")
def test_what_is_no_picture_is_counted_and_named_by_verbose(tmp_path: Path) -> None:
    source, out = photos(tmp_path / "in", "a.png", "b.png"), tmp_path / "in/out"
    for name in ("raw.cr2", "notes.txt", ".hidden", "a-matte.psd"):
        (source / name).touch()
    words = ("-o", out, "--overwrite", "--report", source / "a-matte.json", *BAND)
    result = run(source, *words)
    assert "Note: 2 files skipped, no picture by the name: -v names them\n" in result.stderr
    told = run(source, *words, "-v").stderr
    skipped = [line for line in told.splitlines() if line.startswith("Note: skipped")]
    assert [line.split("/")[-1] for line in skipped] == ["notes.txt", "raw.cr2"]
    assert "skipped" not in run(source, *words, "-q").stderr


@pytest.mark.usefixtures("fake")
def test_a_folder_with_one_picture_is_mirrored_too(tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = out / "report.json"
    result = run(photos(tmp_path / "in", "x/a.png"), "-o", out, "--report", report, *BAND)
    assert result.exit_code == 0, result.output
    assert below(out) == {"x/a-matte.png", "report.json"}


@pytest.mark.usefixtures("fake")
def test_one_failure_stops_no_other(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "d.png", "e.png")
    (source / "bad\n.jpg").write_bytes(b"no picture")
    save(source / "c.png", np.zeros((20, 20, 3), np.uint8))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/d-matte.png").write_text("precious")
    report = tmp_path / "report.json"
    result = run(source, "-o", tmp_path / "out", "--report", report, *BAND)
    assert result.exit_code == 1
    assert below(tmp_path / "out") == {f"{name}-matte.png" for name in "acde"}
    assert (tmp_path / "out/d-matte.png").read_text() == "precious"
    lines = result.stderr.splitlines()
    broken, exists, warning = sorted(lines[:3])  # a picture is written while the next is matted
    assert broken.startswith(f"Error: {source}/bad\\n.jpg is not a readable picture: give")
    assert warning.startswith("Warning: no subject found in ")
    assert exists.startswith(f"Error: {tmp_path}/out/d-matte.png exists: choose another name")
    counts = r"3 written \(.*\); 1 of them without a subject; 1 failed: .*; 1 failed: .*"
    assert re.fullmatch(counts, lines[3])
    assert lines[4:] == ["Error: 2 of 5 pictures failed: see above; --retry-failed tries again"]
    pictures = json.loads(report.read_text())["pictures"]
    assert ["error" in picture for picture in pictures] == [False, True, False, True, False]


@pytest.mark.usefixtures("fake")
def test_failures_name_their_picture(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    result = run(source, "--fallback", "none", "--k", "101")
    assert result.exit_code == 1
    for line, name in zip(result.stderr.splitlines(), "ab", strict=False):
        assert line.startswith(f"Error: {source}/{name}.png: the trimap has no sure subject: try")


@pytest.mark.usefixtures("fake")
def test_a_picture_too_large_for_the_memory_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matte.pipeline import run as running

    def greedy(*_: object) -> None:
        raise MemoryError

    source = photos(tmp_path / "in", "a.png", "b.png")
    monkeypatch.setattr(running, "estimate_foreground", greedy)
    result = run(source, *BAND)
    assert result.exit_code == 1
    assert f"Error: {source}/b.png: there is not enough memory: give a smal" in result.stderr


@pytest.mark.usefixtures("fake")
def test_the_background_may_be_one_of_the_pictures(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png")
    result = run(source, "--bg", source / "a.png", "-o", tmp_path / "out", *BAND)
    assert result.exit_code == 0, result.output
    assert below(tmp_path / "out") == {"a-matte.png", "b-matte.png"}


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background ignore it
from tests import fakes
from matte.cli.main import main
from matte.pipeline import build, networks

slow = fakes.HalfUnknown.refine
fakes.HalfUnknown.refine = lambda *given: (time.sleep(0.15), slow(*given))[1]
build.build = fakes.build
networks.NetworkOpener = lambda config: None
main(sys.argv[1:])
"""


def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", "a.png", "b.png", "c.png")
    ours, theirs = pty.openpty()
    words = [sys.executable, "-c", SLOW, str(source), "-o", str(tmp_path / "out"), *BAND]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=theirs, text=True) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                seen += os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
        assert process.stdout is not None
        written = process.stdout.read().splitlines()
    os.close(ours)
    assert process.returncode == 0
    assert b"matte" in seen
    assert b"%" in seen
    assert len(written) == 3


def test_an_interrupted_run_leaves_whole_pictures_only(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{i:02}.png" for i in range(60)))
    out = tmp_path / "out"
    words = [sys.executable, "-c", SLOW, str(source), "-o", str(out), *BAND]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.strip() == "Error: interrupted"
    made = sorted(out / name for name in below(out))
    assert 0 < len(made) < 60
    assert all(path.name.endswith("-matte.png") for path in made)
    assert all(path.read_bytes().endswith(b"IEND\xaeB`\x82") for path in made)


@pytest.mark.usefixtures("fake")
def test_results_that_exist_are_told_once(tmp_path: Path) -> None:
    source = photos(tmp_path / "in", *(f"{name}.png" for name in "abcd"))
    assert run(source, "-o", tmp_path / "out", *BAND).exit_code == 0
    again = run(source, "-o", tmp_path / "out", *BAND)
    assert again.exit_code == 1
    told, summary, end = again.stderr.splitlines()
    assert told.startswith("Error: ")
    assert " exists: choose another name or add --overwrite" in told
    assert summary.endswith(
        "4 failed: exists (--skip-existing leaves what is there, --overwrite replaces it)"
    )
    assert end.startswith("Error: 4 of 4 pictures failed")
    shown = run(source, "-o", tmp_path / "out", "--verbose", *BAND).stderr
    assert shown.count(" exists: choose another name") == 4
