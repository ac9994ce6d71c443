"""Whether a process grows with the pictures it mattes: no more than 20 MiB over 1,000 of them.

    python benchmarks/growth.py [--pictures 1000] [--preset NAME] [--backend NAME] [--json FILE]
    python benchmarks/growth.py --side 256 --pictures 40 --warm-up 20

Parts of the sample portrait, each of another size, through one pipeline. With `--side` all are of
that size: what sizes cost the runtimes is left out then, and a few pictures tell a leak. What the
process holds is counted after a warm-up of 200 others: then all is loaded, the fallback too, and
the largest have been seen. Linux only.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import matte
from matte.arrays import Image
from matte.errors import MatteWarning
from matte.media.pictures import read_photo
from matte.runtime.machine import describe_machine

SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"
MOST = 20.0  # MiB
SIDES = (64, 256)  # pixels
LOOKS = 10


def main() -> None:
    """Measures, prints; exits with 1 if it is too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--warm-up", type=int, default=200)
    parser.add_argument("--side", type=int, help="of all pictures, in pixels")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pipeline = matte.load(options.preset, backend=options.backend)
    warnings.simplefilter("ignore", MatteWarning)  # a part may hold nobody
    told = measure(pipeline, options.pictures, options.warm_up, options.side)
    report = {
        "date": date.today().isoformat(),
        "machine": describe_machine(),
        "preset": options.preset,
        "networks": pipeline.facts["networks"],
        **told,
    }
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    verdict = "fine" if told["growth_mib"] <= MOST else f"over {MOST:.0f} MiB"
    print(f"{told['growth_mib']:+.1f} MiB over {options.pictures} pictures: {verdict}")
    if told["growth_mib"] > MOST:
        raise SystemExit(1)


def measure(pipeline: Any, pictures: int, warm_up: int, side: int | None) -> dict[str, Any]:
    """MiB that the process holds, again and again, and how much more at the end."""
    pipeline(np.zeros((SIDES[1], SIDES[1], 3), np.uint8))  # nobody: the fallback is loaded
    every = max(1, pictures // LOOKS)
    held: list[float] = []
    start = time.perf_counter()
    for number, part in enumerate(parts(warm_up + pictures, side), 1 - warm_up):
        pipeline(part)
        if number >= 0 and number % every == 0:
            held.append(round(resident(), 1))
            seconds = time.perf_counter() - start
            print(f"{number:6} pictures, {held[-1]:7.1f} MiB, {seconds:.0f} s", flush=True)
    return {
        "pictures": pictures,
        "warm_up": warm_up,
        "mib": held,
        "growth_mib": round(held[-1] - held[0], 1),
    }


def parts(count: int, fixed: int | None) -> Iterator[Image]:
    """Parts of the portrait, shrunk to one size, or to sizes of which hardly two are the same."""
    whole = read_photo(SAMPLE).pixels
    largest = fixed or SIDES[1]
    yield Image(np.asarray(cv2.resize(whole, (largest, largest))))
    random = np.random.default_rng(0)
    for _ in range(count - 1):
        height, width = (fixed, fixed) if fixed else random.integers(*SIDES, 2)
        side = int(random.integers(384, 513))
        top, left = (int(random.integers(0, 513 - side)) for _ in range(2))
        part = whole[top : top + side, left : left + side]
        yield Image(np.asarray(cv2.resize(part, (int(width), int(height)))))


def resident() -> float:
    """MiB of memory that the process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
