"""`matte image --watch`: what arrives is done; the user ends it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from matte.photos.run_file import RUN_FOLDER, read_run_file
from tests.commands import run
from tests.conftest import SAMPLE, disc, save
from tests.server.running import wait_for

QUICK = ("--preset", "fast", "--refiner", "guided", "--backend", "onnx", "--precision", "fp32")


def test_a_folder_is_watched_until_the_user_ends_it(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    words = [sys.executable, "-m", "matte", "image", str(source), "-o", str(out), "--watch", *QUICK]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(1)
        save(source / "a.png", disc(40, 50)[0])
        (source / "broken.jpg").write_bytes(b"no picture")
        wait_for(lambda: (out / "a-matte.png").is_file(), 30)
        save(source / "b.png", np.zeros((30, 30, 3), np.uint8))
        wait_for(lambda: (out / "b-matte.png").is_file(), 30)
        process.send_signal(signal.SIGINT)
        try:
            printed, told = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, told
    assert sorted(Path(line).name for line in printed.splitlines()) == [
        "a-matte.png",
        "b-matte.png",
    ]
    assert "broken.jpg is not a readable picture" in told
    assert "2 written" in told.splitlines()[-1]
    states = {name: record.state for name, record in read_run_file(out).records.items()}
    assert states == {"a-matte.png": "done", "b-matte.png": "done", "broken-matte.png": "failed"}
    assert {path.name for path in out.iterdir()} == {"a-matte.png", "b-matte.png", RUN_FOLDER}


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("in",), "--watch needs a folder for the results: give one with -o"),
        (
            ("in", "-o", "out", "--report", "r.json"),
            "--watch has no end, and so no --report: leave it out",
        ),
        ((str(SAMPLE), "-o", "out.png"), "--watch is for a folder: give one"),
    ],
)
def test_watching_needs_two_folders_and_no_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    done = run("image", *words, "--watch")
    assert done.exit_code == 2
    assert done.stderr == f"Error: {told}\n"
