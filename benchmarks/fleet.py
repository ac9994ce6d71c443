"""`matte fleet` on this machine: against one process, with workers killed, and what it costs.

    python benchmarks/fleet.py DATA                 # compare and dispatch, without other load
    python benchmarks/fleet.py DATA --only kills --count 20

`compare` mattes photos of 640 pixels by one process with two threads and by two workers with one
thread each, in turns, and compares the results byte by byte. `stages` measures what the simulation
goes by, the processor's time for each picture; `dispatch` what Ray Data's driver takes for a block.
`kills` ends an actor, a machine or the driver at random moments. `store` reads from and writes to
an S3 server in this process, which fails 5 % of the calls. Needs the extras [fleet] and [stores].
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import harness
import numpy as np
from fleet_faults import kills, store
from fleet_runs import PINNED, RATE, SETTINGS, STARTED, found_in, timed
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
from tests.fleet.ray_clusters import results

PARTS = ("compare", "stages", "dispatch", "kills", "store")


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
            "store": lambda: store(folder, options.seed),
        }
        many = not {"compare", "stages", "store"}.isdisjoint(options.only)
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


if __name__ == "__main__":
    main()
