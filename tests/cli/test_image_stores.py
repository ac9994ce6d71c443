"""`matte image` from bucket to bucket: what it prints, what it leaves, and what stops it."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image as Pillow

from tests.commands import loaded_by, run
from tests.conftest import small_portrait
from tests.stores.s3_server import SECRET, Call, Fault, S3Server

QUICK = ("--preset", "fast", "--refiner", "guided", "--backend", "onnx", "--precision", "fp32")
IN, OUT = "s3://bucket/in", "s3://results/cut"
COUNT = 5


@pytest.fixture
def pictures(s3: S3Server) -> S3Server:
    """The server, with small pictures in one bucket and nothing in another one."""
    s3.buckets["results"] = {}
    for number in range(COUNT):
        data = io.BytesIO()
        Pillow.fromarray(small_portrait(number)).save(data, "png")
        s3.put("bucket", f"in/{'deep/' if number % 2 else ''}{number:02d}.png", data.getvalue())
    return s3


def results(s3: S3Server) -> dict[str, bytes]:
    """Returns the results in the bucket by name, without the run file."""
    return {name: s3.data("results", name) for name in s3.names("results") if "/." not in name}


def test_from_bucket_to_bucket_with_a_report(pictures: S3Server, tmp_path: Path) -> None:
    chance = random.Random(3)
    pictures.fault = lambda _: "slow down" if chance.random() < 0.1 else None
    pictures.put("bucket", "in/bad.png", b"no picture")
    pictures.put("bucket", "in/.hidden/no.png", b"no picture")
    report = tmp_path / "r.json"
    done = run("image", IN, "-o", OUT, "--report", report, *QUICK)
    assert done.exit_code == 1
    assert f"{COUNT} written" in done.stderr
    assert "1 failed: is not a readable picture" in done.stderr
    assert "made again" in done.stderr
    assert done.stdout.splitlines() == [
        f"{OUT}/{name.removeprefix('cut/')}" for name in results(pictures)
    ]
    assert len(results(pictures)) == COUNT
    rows = json.loads(report.read_text())
    assert rows["store_retries"] > 0
    assert rows["pictures"][0]["file"] == f"{IN}/00.png"
    assert rows["pictures"][0]["written"] == [f"{OUT}/00-matte.png"]
    assert len(rows["pictures"][0]["sha256"]) == 64
    pictures.fault = lambda _: None
    before = dict(results(pictures))
    del pictures.buckets["results"]["cut/00-matte.png"]
    again = run(IN, "-o", OUT, "--resume", *QUICK)
    assert "1 written" in again.stderr
    assert f"{COUNT - 1} were there; 1 failed before" in again.stderr
    assert results(pictures) == before
    local = run(IN, "-o", tmp_path / "out", *QUICK)
    assert f"{COUNT} written" in local.stderr
    assert (tmp_path / "out/deep/01-matte.png").read_bytes() == before["cut/deep/01-matte.png"]


def test_processes_share_what_is_in_a_store(pictures: S3Server, tmp_path: Path) -> None:
    """The first process announces pictures for all; each writes down what it did."""
    pictures.put("results", "cut/00-matte.png", b"mine")
    report = tmp_path / "r.json"
    done = run(IN, "-o", OUT, "--jobs", "2", "--report", report, *QUICK)
    assert done.exit_code == 1
    assert f"{COUNT - 1} written" in done.stderr
    assert "1 failed: exists" in done.stderr
    assert len(results(pictures)) == COUNT
    assert pictures.data("results", "cut/00-matte.png") == b"mine"
    assert json.loads(report.read_text())["store_retries"] == 0
    texts = [pictures.data("results", name).decode() for name in pictures.names("results")[:-COUNT]]
    assert [text.count('"began"') for text in texts if '"began"' in text] == [COUNT - 1]
    assert sum(text.count('"done"') for text in texts) == COUNT - 1
    again = run(IN, "-o", OUT, "--resume", *QUICK)
    assert f"{COUNT - 1} were there; 1 failed: exists" in again.stderr


def test_nothing_is_replaced_unless_asked(pictures: S3Server, tmp_path: Path) -> None:
    pictures.put("results", "cut/00-matte.png", b"mine")
    skipped = run(IN, "-o", OUT, "--skip-existing", *QUICK)
    assert skipped.exit_code == 0
    assert f"{COUNT - 1} written" in skipped.stderr
    assert "1 were there" in skipped.stderr
    refused = run(f"{IN}/00.png", f"{IN}/02.png", "-o", OUT, *QUICK)
    assert f"{OUT}/00-matte.png exists: choose another name or add --overwrite" in refused.stderr
    assert pictures.data("results", "cut/00-matte.png") == b"mine"
    one = run(f"{IN}/00.png", "-o", f"{OUT}/00-matte.png", "--overwrite", *QUICK)
    assert one.exit_code == 0
    assert one.stdout.strip() == f"{OUT}/00-matte.png"
    assert pictures.data("results", "cut/00-matte.png").startswith(b"\x89PNG")
    assert pictures.types["cut/00-matte.png"] == "image/png"


def test_a_dry_run_writes_nothing(pictures: S3Server) -> None:
    done = run(IN, "-o", OUT, "--dry-run", *QUICK)
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == COUNT
    assert f"{IN}/deep/01.png -> {OUT}/deep/01-matte.png" in done.stdout
    assert pictures.names("results") == []


def test_an_object_that_vanishes_costs_itself_only(pictures: S3Server) -> None:
    def vanish(call: Call) -> Fault | None:
        if call.action == "get" and call.key == "in/00.png":
            del pictures.buckets["bucket"]["in/04.png"]
        return None

    pictures.fault = vanish
    done = run(IN, "-o", OUT, *QUICK)
    assert done.exit_code == 1
    assert f"Error: {IN}/04.png is not there, or not any more: list the folder again" in done.stderr
    assert f"{COUNT - 1} written" in done.stderr


REFUSALS = [
    (("s3://none/in", "-o", OUT), "there is no bucket none at http://127.0.0.1:"),
    (("s3://bucket/empty", "-o", OUT), "no pictures in s3://bucket/empty: it may hold"),
    ((IN, "-o", OUT, "--watch"), "--watch is for folders on a disk, not in a store: run it again"),
    ((IN, "-o", OUT + ".png"), f"{OUT}.png is not a folder: with several pictures, -o names"),
    ((IN, "-o", "s3://"), "s3:// names no bucket: write it as s3://bucket/folder"),
    (("gs://bucket/in", "-o", OUT), "gs:// names no store that is known: give an s3:// address"),
    (("s3://KEY:hidden@bucket", "-o", OUT), "an s3:// address holds no keys and no host: set AWS"),
    ((IN, "-o", OUT, "--report", f"{OUT}/r.json"), "r.json can't stand here: a store holds"),
    (
        (f"{IN}/00.png", "-o", f"{OUT}/a.png", "--alpha", "a.png"),
        "files on a disk and in a store can't appear together: name local files alone",
    ),
    (("video", "s3://bucket/a.mp4"), "s3://bucket/a.mp4 can't stand here"),
]


@pytest.mark.parametrize(("words", "line"), REFUSALS, ids=[line[:30] for _, line in REFUSALS])
def test_what_can_not_be_is_one_line(pictures: S3Server, words: tuple[str, ...], line: str) -> None:
    done = run(*words, *(() if words[0] == "video" else QUICK))
    assert done.exit_code in (1, 2)
    (shown,) = done.stderr.splitlines()
    assert line in shown
    assert "hidden" not in shown
    assert pictures.names("results") == []


def test_credentials_and_servers_that_are_refused(
    pictures: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    done = run(IN, "-o", OUT, *QUICK)
    assert "refuses the credentials (InvalidAccessKeyId): check AWS_ACCESS_KEY_ID" in done.stderr
    assert SECRET not in done.output
    monkeypatch.setitem(sys.modules, "obstore", None)
    done = run(IN, "-o", OUT, *QUICK)
    assert "s3:// needs obstore: run pip install '.[stores]'" in done.stderr


def test_stores_cost_nothing_where_there_are_none() -> None:
    assert not any(name.partition(".")[0] == "obstore" for name in loaded_by("image", "--help"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_a_killed_run_loses_nothing(pictures: S3Server) -> None:
    words = [sys.executable, "-m", "matte", "image", IN, "-o", OUT, "-q", "--resume", *QUICK]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while len(results(pictures)) < 2 and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = run(IN, "-o", OUT, "--resume", *QUICK)
    assert done.exit_code == 0, "what the killed run wrote is known as its own"
    killed = dict(results(pictures))
    assert len(killed) == COUNT
    pictures.buckets["results"].clear()
    run(IN, "-o", OUT, *QUICK)
    assert results(pictures) == killed
