"""`matte fleet` on this machine: against one process, with workers killed, and what it costs.

    python benchmarks/fleet.py DATA                 # compare and dispatch, without other load
    python benchmarks/fleet.py DATA --only kills --count 20

`compare` mattes photos of 640 pixels by one process with two threads and by two workers with one
thread each, in turns, and compares the results byte by byte. `stages` measures what the simulation
goes by, the processor's time for each picture; `dispatch` what Ray Data's driver takes for a block.
`kills` ends an actor, a machine or the driver at random moments. Needs the extra [fleet].
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import harness
import numpy as np
from harness import Row

from matte.configs.loader import merge_settings
from matte.fleet.cluster import ENVIRONMENT, import_ray
from matte.imaging.resizing import resize
from matte.media.encoding import encode
from matte.media.pictures import read_image
from matte.photos.batch import Batch
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import plan_jobs
from matte.pipeline.build import build

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.fleet.ray_clusters import (
    LocalCluster,
    descendants,
    local_cluster,
    results,
    wait_for,
)

PINNED = {"backend": "openvino", "precision": "fp32"}
SETTINGS = ["--preset", "fast", *(word for key in PINNED for word in (f"--{key}", PINNED[key]))]
PARTS = ("compare", "stages", "dispatch", "kills")
STARTED = re.compile(r"Ray began after ([\d.]+) s")
RATE = re.compile(r"written \(([\d.]+) a second\)")


def main() -> None:
    """Measure the parts that are asked for."""
    parser = harness.parser(__doc__, "fleet.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--photos", type=int, default=500)
    parser.add_argument("--side", type=int, default=640, help="pixels of a photo's longer side")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=1000, help="of `dispatch`")
    parser.add_argument("--refiner", help="instead of the preset's")
    parser.add_argument("--count", type=int, default=20, help="of each kind of `kills`")
    parser.add_argument("--seed", type=int, default=22)
    options = parser.parse_args()
    os.environ |= ENVIRONMENT
    if options.refiner:
        SETTINGS.extend(("--refiner", options.refiner))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: dict[str, Callable[[], Row]] = {
            "compare": lambda: compare(folder, options.rounds),
            "stages": lambda: stages(folder),
            "dispatch": lambda: dispatch(options.blocks),
            "kills": lambda: kills(folder, options.count, options.seed),
        }
        many = not {"compare", "stages"}.isdisjoint(options.only)
        save_photos(options.data, folder / "in", options.photos if many else 24, options.side)
        for part in options.only:
            found = {"side": options.side, **parts[part]()}
            harness.write_part(options.json, part, found)
            print(part, json.dumps({k: v for k, v in found.items() if k != "rows"}, indent=1))


def save_photos(data: Path, folder: Path, count: int, side: int) -> None:
    """Save photos of a folder of data sets, evenly spread over it, in a size of the web."""
    folder.mkdir()
    found = sorted(data.rglob("*.jpg"))
    for number, path in enumerate(found[:: max(1, len(found) // count)][:count]):
        picture = read_image(path)
        scale = side / max(picture.shape[:2])
        height, width = (max(1, round(n * scale)) for n in picture.shape[:2])
        data_of_file = encode(resize(picture, height, width), ".jpg")
        (folder / f"{number:04d}.jpg").write_bytes(data_of_file)


def compare(folder: Path, rounds: int) -> Row:
    """Return the seconds of one process and of two workers, whose results are equal."""
    rows: list[Row] = []
    for _ in range(rounds):
        one, many = folder / "one", folder / "many"
        for out in (one, many):
            shutil.rmtree(out, ignore_errors=True)
        alone = timed("image", folder / "in", "-o", one, "-q", "--threads", "2", *SETTINGS)
        fleet = timed("fleet", folder / "in", many, "--workers", "2", *SETTINGS)
        started = float(found_in(STARTED, fleet["stderr"]))
        same = results(one) == results(many)
        if not same:
            raise SystemExit("the results differ")
        rows.append(
            {
                "pictures": len(results(one)),
                "one": alone["seconds"],
                "one_cpu": alone["cpu"],
                "fleet": fleet["seconds"],
                "fleet_cpu": fleet["cpu"],
                "ray_start": started,
                "fleet_rate": float(found_in(RATE, fleet["stderr"])),
                "ratio": (fleet["seconds"] - started) / alone["seconds"],
                "ratio_with_start": fleet["seconds"] / alone["seconds"],
                "cpu_ratio": fleet["cpu"] / alone["cpu"],
                "equal": same,
            }
        )
    return {"settings": SETTINGS, "rows": rows}


def timed(*words: str | Path) -> Row:
    """Return seconds and processor seconds of a `matte` command, and what it wrote.

    The processor seconds are those of all processes below it, Ray's too, looked at every second.
    """
    begin, seen = time.perf_counter(), dict[int, float]()
    with tempfile.TemporaryFile("w+") as lines:
        command = [sys.executable, "-m", "matte", *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=lines)
        while process.poll() is None:
            for pid in (process.pid, *descendants(process.pid)):
                seen[pid] = processor_seconds(pid) or seen.get(pid, 0.0)
            time.sleep(1)
        seconds = time.perf_counter() - begin
        lines.seek(0)
        text = lines.read()
    if process.returncode:
        raise SystemExit(text[-2000:])
    return {"seconds": round(seconds, 1), "cpu": round(sum(seen.values()), 1), "stderr": text}


def processor_seconds(pid: int) -> float:
    """Return what a process has taken of the processors; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def found_in(pattern: re.Pattern[str], text: str) -> str:
    """Return what a pattern finds."""
    found = pattern.search(text)
    assert found is not None, text
    return found[1]


def stages(folder: Path) -> Row:
    """Return the processor's milliseconds for each picture: what other load hardly changes."""
    flags = {**PINNED, "threads": 1}
    if "--refiner" in SETTINGS:
        flags["refiner"] = SETTINGS[SETTINGS.index("--refiner") + 1]
    pipeline, out = build(merge_settings("fast", flags=flags)), folder / "stages"
    batch = Batch(plan_jobs([folder / "in"], out, ".png"), FinishOptions())
    times = [time.process_time()]
    for _ in batch.run(pipeline):
        times.append(time.process_time())
    seconds = np.diff(times)[2:]  # the first ones see the networks' buffers made
    sizes = [path.stat().st_size for path in (folder / "in").iterdir()]
    written = [path.stat().st_size for path in out.glob("*.png")]
    return {
        "settings": SETTINGS,
        "pictures": len(seconds),
        "median_ms": round(1000 * float(np.median(seconds)), 1),
        "mean_ms": round(1000 * float(np.mean(seconds)), 1),
        "read_bytes": round(float(np.mean(sizes))),
        "written_bytes": round(float(np.mean(written))),
        "rows": [round(1000 * float(each), 1) for each in seconds],
    }


class NoWork:
    """An actor that does nothing."""

    def __call__(self, batch: Row) -> Row:
        """Return its numbers."""
        return {"id": batch["id"]}


def dispatch(blocks: int) -> Row:
    """Return the milliseconds that Ray Data's driver takes for a block, of workers without work."""
    ray = import_ray()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    items = ray.data.from_items([{"id": n} for n in range(blocks)], override_num_blocks=blocks)
    pool = ray.data.ActorPoolStrategy(size=2, max_tasks_in_flight_per_actor=3)
    times, before = [], time.process_time()
    for _ in items.map_batches(NoWork, batch_size=1, num_cpus=1, compute=pool).iter_batches(
        batch_size=None, prefetch_batches=0, batch_format="pyarrow"
    ):
        times.append(time.perf_counter())
        if len(times) == 1:
            before = time.process_time()
    cpu = time.process_time() - before
    ray.shutdown()
    count = len(times) - 1
    return {
        "blocks": count,
        "driver_ms": round(1000 * (times[-1] - times[0]) / count, 2),
        "driver_cpu_ms": round(1000 * cpu / count, 2),
    }


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
        for kind in ("actor", "machine", "driver"):
            for number in range(count):
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
    wait_for(lambda: len(list(out.glob("*.png"))) >= max(1, wanted), process)
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


if __name__ == "__main__":
    main()
