"""Runs of a fleet in which something is killed, or the store fails: parts of `fleet.py`."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from fleet_runs import RETRIES, SETTINGS, STARTED, found_in, timed
from harness import Row

from matte.imaging.resizing import resize
from matte.media.encoding import encode
from matte.media.pictures import read_image

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fleet.ray_clusters import LocalCluster, local_cluster, results, wait_for
from tests.stores.s3_server import KEY, SECRET, Call, Fault, S3Server, serving

FAULTS: tuple[Fault, ...] = ("slow down", "cut", "truncate", "lost")
BUSY_SECONDS = 3600.0  # that a run may take on a busy machine
FAILING_SHARE = 0.05  # of the calls to the store


def kills(folder: Path, count: int, seed: int) -> Row:
    """Return what became of runs in which something was killed at a random moment."""
    photos, one, chance = folder / "few", folder / "few-one", random.Random(seed)
    photos.mkdir()
    for path in sorted((folder / "in").iterdir())[:24]:
        picture = read_image(path)
        (photos / path.name).write_bytes(encode(resize(picture, 160, 200), ".jpg"))
    timed("image", photos, "-o", one, "-q", *SETTINGS)
    expected = results(one)
    rows: list[Row] = []
    with local_cluster() as cluster:
        for number in range(count):
            for kind in ("actor", "machine", "driver"):
                out = folder / f"{kind}{number}"
                row = killed_run(cluster, photos, out, kind, chance.random())
                row["equal"] = results(out) == expected
                rows.append(row)
                print(row, flush=True)
                shutil.rmtree(out)
    totals = {
        kind: {
            "runs": sum(row["kind"] == kind for row in rows),
            "equal": sum(row["kind"] == kind and row["equal"] for row in rows),
            "begun_again": sum(row["begun_again"] for row in rows if row["kind"] == kind),
            "done_twice": sum(row["done_twice"] for row in rows if row["kind"] == kind),
        }
        for kind in ("actor", "machine", "driver")
    }
    return {"pictures": len(expected), "seed": seed, "kinds": totals, "rows": rows}


def killed_run(cluster: LocalCluster, photos: Path, out: Path, kind: str, moment: float) -> Row:
    """Return how a run went on that lost something between its first and its last picture."""
    cluster.fill_up()
    words = ["fleet", str(photos), str(out), "--address", cluster.address, "-q", *SETTINGS]
    command = [sys.executable, "-m", "matte", *words]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    total = len(list(photos.iterdir()))
    wanted = int(moment * (total - 1))
    wait_for(lambda: len(list(out.glob("*.png"))) >= max(1, wanted), process, BUSY_SECONDS)
    time.sleep(0.2 * (moment * 997 % 1))  # anywhere within a picture
    if kind == "driver":
        process.kill()
    elif kind == "machine":
        cluster.kill_machine()
    elif actors := cluster.actors():
        os.kill(actors[int(moment * 991) % len(actors)], signal.SIGKILL)
    at = len(list(out.glob("*.png")))
    process.communicate()
    ended = process.returncode
    if kind == "driver":
        ended = subprocess.run([*command, "--resume"], capture_output=True, check=False).returncode
    lines = [
        json.loads(line)
        for segment in (out / ".matte-run").glob("*.jsonl")
        for line in segment.read_text().splitlines()
    ]
    began = [row["target"] for row in lines if row.get("state") == "began"]
    done = [row["target"] for row in lines if row.get("state") == "done"]
    return {
        "kind": kind,
        "at": at,
        "status": ended,
        "begun_again": len(began) - len(set(began)),
        "done_twice": len(done) - len(set(done)),
        "half": sum(path.name.startswith(".matte-") for path in out.glob(".*") if path.is_file()),
    }


def store(folder: Path, seed: int) -> Row:
    """Return what a store that fails now and then cost a fleet, whose results are one process's."""
    photos, alone, chance = folder / "in", folder / "store-one", random.Random(seed)
    timed("image", photos, "-o", alone, "-q", *SETTINGS)
    failed = Counter[str]()
    with serving() as s3:
        s3.buckets["bucket"] = {}
        for path in photos.iterdir():
            s3.put("bucket", f"in/{path.name}", path.read_bytes())
        os.environ |= {"AWS_ENDPOINT_URL": s3.endpoint, "AWS_ACCESS_KEY_ID": KEY}
        os.environ["AWS_SECRET_ACCESS_KEY"] = SECRET

        def fault(_: Call) -> Fault | None:
            if chance.random() >= FAILING_SHARE:
                return None
            kind = chance.choice(FAULTS)
            failed[kind] += 1
            return kind

        s3.fault = fault
        words = ("--workers", "2", *SETTINGS)
        fleet = timed("fleet", "s3://bucket/in", "s3://bucket/out", *words)
        s3.fault = lambda _: None
        same = stored_results(s3) == results(alone)
        odd = [name for name in s3.names("bucket", "out/") if "/.matte-" in name]
    return {
        "settings": SETTINGS,
        "pictures": len(results(alone)),
        "calls": s3.calls.total(),
        "failed": dict(failed),
        "retries_reported": int(found_in(RETRIES, fleet["stderr"])),
        "seconds": fleet["seconds"],
        "ray_start": float(found_in(STARTED, fleet["stderr"])),
        "equal": same,
        "left_over": sum(".matte-run/" not in name or "probe-" in name for name in odd),
    }


def stored_results(s3: S3Server) -> dict[str, bytes]:
    """Return the results in the bucket by name."""
    names = [name for name in s3.names("bucket", "out/") if name.endswith(".png")]
    return {name.removeprefix("out/"): s3.data("bucket", name) for name in names}
