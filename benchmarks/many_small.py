"""Whether a run over many pictures grows: no more than 20 MiB after the first 500 of 20,000.

    python benchmarks/many_small.py [--pictures 20000] [--warm-up 500] [--side 96]

A folder of small pictures, 40 different ones under 20,000 names, goes through one `matte image
--preset fast`, as a user starts it, with its run file. So that 20,000 take minutes, the network
sees 160 pixels and the refiner is the guided filter: what could grow is what the run keeps of each
picture. The memory of the process is read while it prints what it has written. Linux only. Exits
with 1 if it is too much, or if a picture is not done.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row

from matte.media.pictures import read_photo
from matte.photos.run_file import read_run_file

MAX_GROWTH_MIB = 20.0
DIFFERENT = 40  # pictures; the others are links to them
QUICK = ("--size", "160", "--refiner", "guided", "--fallback", "none", "--width", "2")
SAMPLES = 40  # how often memory is read


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "many_small.json", data=False)
    parser.add_argument("--pictures", type=int, default=20_000)
    parser.add_argument("--warm-up", type=int, default=500)
    parser.add_argument("--side", type=int, default=96, help="of the pictures, in pixels")
    parser.add_argument("--preset", default="fast")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        make_pictures(source, options.pictures, options.side)
        found = measure(source, out, options)
        states = [record.state for record in read_run_file(out).records.values()]
        found["done"] = states.count("done")
    harness.write(
        options.json, {"preset": options.preset, "options": QUICK, "side": options.side, **found}
    )
    verdict = "fine" if found["growth_mib"] <= MAX_GROWTH_MIB else f"over {MAX_GROWTH_MIB:.0f} MiB"
    print(f"{found['growth_mib']:+.1f} MiB over {options.pictures} pictures: {verdict}")
    if found["growth_mib"] > MAX_GROWTH_MIB or found["done"] != options.pictures:
        raise SystemExit(1)


def make_pictures(folder: Path, count: int, side: int) -> None:
    """Write parts of the portrait, and link them under as many names as are wanted."""
    folder.mkdir()
    whole = read_photo(harness.SAMPLE).pixels
    random = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number:06d}.png"
        if number >= DIFFERENT:
            os.link(folder / f"{number % DIFFERENT:06d}.png", path)
            continue
        cut = int(random.integers(480, 513))
        top, left = (int(random.integers(0, 513 - cut)) for _ in range(2))
        part = cv2.resize(whole[top : top + cut, left : left + cut], (side, side))
        cv2.imwrite(str(path), part[:, :, ::-1])


def measure(source: Path, out: Path, options: argparse.Namespace) -> Row:
    """Return the MiB that the process held, again and again, and how much more at the end."""
    command = [sys.executable, "-m", "matte", "image", str(source), "-o", str(out)]
    command += ["--preset", options.preset, *QUICK]
    step = max(1, (options.pictures - options.warm_up) // SAMPLES)
    held: list[float] = []
    start = time.perf_counter()
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=quiet, text=True) as process:
        assert process.stdout is not None
        for number, _ in enumerate(process.stdout, 1):
            if number >= options.warm_up and (number - options.warm_up) % step == 0:
                held.append(round(resident_mib(process.pid), 1))
                print(f"{number:6} pictures, {held[-1]:7.1f} MiB", flush=True)
    seconds = time.perf_counter() - start
    return {
        "pictures": options.pictures,
        "warm_up": options.warm_up,
        "seconds": round(seconds, 1),
        "mib": held,
        "growth_mib": round(max(held[-3:]) - held[0], 1),
    }


def resident_mib(process: int) -> float:
    """Return the MiB of memory that a process holds."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    main()
