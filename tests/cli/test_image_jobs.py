"""`matte image --jobs`: several processes, which end together."""

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
from matte.photos.run_file import RUN_FOLDER, read_run_file
from tests.commands import run
from tests.conftest import save
from tests.server.running import wait_for

QUICK = ("--preset", "fast", "--refiner", "guided", "--backend", "onnx", "--precision", "fp32")
needs_groups = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")


def pictures(folder: Path, count: int) -> Path:
    """Returns a folder with so many pictures."""
    folder.mkdir()
    small = np.asarray(Pillow.open(SAMPLE).convert("RGB").resize((192, 192)))
    for number in range(count):
        save(folder / f"{number:03d}.png", np.ascontiguousarray(small[:, number:]))
    return folder


def started(source: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    """Returns the command in a group of processes of its own, as a shell starts it."""
    command = [sys.executable, "-m", "matte", "image", str(source), "-o", str(out), "--jobs", "2"]
    return subprocess.Popen(
        [*command, *QUICK, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def group_members(group: int) -> list[int]:
    """Returns the processes of a group that are not only waited for."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, of_group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of_group) == group and state != "Z":
            found.append(int(folder.name))
    return found


def leave_some(source: Path, out: Path) -> int:
    """Takes most of the pictures away that have no result yet; returns how many are left."""
    todo = [path for path in source.iterdir() if not (out / f"{path.stem}-matte.png").exists()]
    for path in sorted(todo)[8:]:
        path.unlink()
    return len(list(source.iterdir()))


def test_results_and_report_are_those_of_one_process(tmp_path: Path) -> None:
    source = pictures(tmp_path / "in", 9)
    (source / "004.png").write_bytes(b"no picture")
    reports = []
    for name, words in (("one", ()), ("two", ("--jobs", "2"))):
        out, report = tmp_path / name, tmp_path / f"{name}.json"
        done = run("image", source, "-o", out, *QUICK, "--threads", "1", *words, "--report", report)
        assert done.exit_code == 1
        assert "8 written" in done.stderr
        assert "1 failed:" in done.stderr
        reports.append(json.loads(report.read_text()))
    for name in sorted(path.name for path in (tmp_path / "one").glob("*.png")):
        assert (tmp_path / "two" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()
    one, two = reports
    assert [row["file"] for row in two["pictures"]] == [row["file"] for row in one["pictures"]]
    assert one["settings"] == two["settings"]
    for first, second in zip(one["pictures"], two["pictures"], strict=True):
        same = first.keys() - {"ms", "written"}
        assert first.keys() == second.keys()
        assert {key: first[key] for key in same} == {key: second[key] for key in same}


@needs_groups
def test_ctrl_c_ends_all_and_leaves_whole_files(tmp_path: Path) -> None:
    source, out = pictures(tmp_path / "in", 120), tmp_path / "out"
    process = started(source, out)
    try:
        wait_for(lambda: len(list(out.glob("*.png"))) >= 4, 60)
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to all
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130, told
    assert told.splitlines()[-1] == "Error: interrupted"
    assert "Traceback" not in told
    wait_for(lambda: not group_members(process.pid), 10)
    written = sorted(out.iterdir())
    assert written[0].name == RUN_FOLDER
    assert len(written) < 120
    for path in written[1:]:
        assert path.suffix == ".png"
        with Pillow.open(path) as whole:
            whole.load()
    count = leave_some(source, out)
    again = run("image", source, "-o", out, "--jobs", "2", "--resume", *QUICK)
    assert again.exit_code == 0, again.stderr
    assert {record.state for record in read_run_file(out).records.values()} == {"done"}
    assert len(list(out.glob("*.png"))) == count > len(written) - 1


@needs_groups
def test_nobody_works_on_when_the_first_process_is_killed(tmp_path: Path) -> None:
    source, out = pictures(tmp_path / "in", 120), tmp_path / "out"
    with started(source, out) as process:
        wait_for(lambda: len(list(out.glob("*.png"))) >= 4, 60)
        process.kill()
    wait_for(lambda: not group_members(process.pid), 20)
    written = len(list(out.glob("*.png")))
    assert written < 120
    count = leave_some(source, out)
    again = run("image", source, "-o", out, "--resume", *QUICK)
    assert again.exit_code == 0, again.stderr
    assert len(list(out.glob("*.png"))) == count > written
    assert {path.suffix for path in out.iterdir()} == {".png", ""}


def test_a_watch_shares_what_arrives(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    process = started(source, out, "--watch")
    try:
        time.sleep(1)
        for path in pictures(tmp_path / "more", 6).iterdir():
            path.rename(source / path.name)
        wait_for(lambda: len(list(out.glob("*.png"))) == 6, 60)
        time.sleep(1)  # until the last one is reported, too
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0, told
    assert "6 written" in told.splitlines()[-1]


@pytest.mark.usefixtures("fake")
def test_one_picture_and_wrong_numbers(tmp_path: Path) -> None:
    source = pictures(tmp_path / "in", 1)
    one = run("image", source / "000.png", "-o", tmp_path / "o.png", "--jobs", "4")
    assert one.exit_code == 0, one.stderr
    for number in ("0", "257", "many"):
        assert run("image", source, "--jobs", number).exit_code == 2
    mixed = run("image", source / "000.png", "-", "-o", tmp_path / "out", "--jobs", "2")
    assert mixed.exit_code == 2
    assert "several processes can't share -: leave it or --jobs out" in mixed.stderr
