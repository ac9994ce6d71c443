"""Whether a process grows with the pictures it mattes: no more than 20 MiB over 1,000 of them.

    python benchmarks/growth.py [--pictures 1000] [--preset NAME] [--backend NAME] [--json FILE]
    python benchmarks/growth.py --sides 300 1600 --warm-up 500    # as photos are
    python benchmarks/growth.py --side 256 --pictures 40 --warm-up 20

Parts of the sample portrait, each of another size, go through one pipeline. With `--side` all are
of that size: what sizes cost the runtimes is left out then, and a few pictures show a leak. Memory
is counted after a warm-up of 200 others: then everything is loaded, the fallback too, and the
largest sizes have occurred. Linux only. Exits with 1 if it is too much.
"""

import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row

import matte
from matte.arrays import Image
from matte.errors import MatteWarning
from matte.media.pictures import read_photo

MAX_GROWTH_MIB = 20.0
SAMPLES = 10  # how often memory is read


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, data=False)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=200)
    parser.add_argument("--sides", type=int, nargs=2, default=(64, 256), help="in pixels")
    parser.add_argument("--side", type=int, help="of all pictures, in pixels")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--backend", default="auto")
    options = parser.parse_args()
    pipeline = matte.load(options.preset, backend=options.backend)
    warnings.simplefilter("ignore", MatteWarning)  # a part may hold nobody
    sides = (options.side, options.side) if options.side else tuple(options.sides)
    found = measure(pipeline, options.pictures, options.warm_up, sides)
    harness.write(options.json, {"preset": options.preset, **found})
    verdict = "fine" if found["growth_mib"] <= MAX_GROWTH_MIB else f"over {MAX_GROWTH_MIB:.0f} MiB"
    print(f"{found['growth_mib']:+.1f} MiB over {options.pictures} pictures: {verdict}")
    if found["growth_mib"] > MAX_GROWTH_MIB:
        raise SystemExit(1)


def measure(pipeline: matte.Pipeline, pictures: int, warm_up: int, sides: tuple[int, int]) -> Row:
    """Return the MiB that the process held, again and again, and how much more at the end."""
    nobody = np.zeros((sides[1], sides[1], 3), np.uint8)
    networks = pipeline(nobody).report["networks"]  # the fallback is loaded, too
    step = max(1, pictures // SAMPLES)
    held: list[float] = []
    start = time.perf_counter()
    for number, part in enumerate(portrait_parts(warm_up + pictures, sides), 1 - warm_up):
        pipeline(part)
        if number >= 0 and number % step == 0:
            held.append(round(resident_mib(), 1))
            seconds = time.perf_counter() - start
            print(f"{number:6} pictures, {held[-1]:7.1f} MiB, {seconds:.0f} s", flush=True)
    growth = round(held[-1] - held[0], 1)
    about = {"networks": networks, "pictures": pictures, "warm_up": warm_up, "sides": sides}
    return {**about, "mib": held, "growth_mib": growth}


def portrait_parts(count: int, sides: tuple[int, int]) -> Iterator[Image]:
    """Yield parts of the portrait, resized to lengths between two, the first to the larger one."""
    whole = read_photo(harness.SAMPLE).pixels
    yield Image(np.asarray(cv2.resize(whole, (sides[1], sides[1]))))
    random = np.random.default_rng(0)
    for _ in range(count - 1):
        height, width = random.integers(*sides, 2, endpoint=True)
        cut = int(random.integers(384, 513))
        top, left = (int(random.integers(0, 513 - cut)) for _ in range(2))
        part = whole[top : top + cut, left : left + cut]
        yield Image(np.asarray(cv2.resize(part, (int(width), int(height)))))


def resident_mib() -> float:
    """Return the MiB of memory that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
