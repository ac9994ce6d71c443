"""How long `matte image` takes from the shell, and where the time goes.

    python benchmarks/cold_start.py [--runs 7] [--json benchmarks/results/cold_start.json]

A 1080p photo, the default preset, files on disk: a whole process each time. The first run compiles
the network into a fresh cache, later ones find it there.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import cv2

SAMPLE = Path(__file__).parents[1] / "matte/media/samples/astronaut.jpg"
PACKAGES = ("numpy", "opencv-python-headless", "openvino", "onnxruntime", "Pillow", "click")


def photo(folder: Path) -> Path:
    """The sample portrait on a 1920 × 1080 frame, its borders stretched."""
    sample = cv2.imread(str(SAMPLE))
    assert sample is not None
    portrait = cv2.resize(sample, (1080, 1080), interpolation=cv2.INTER_CUBIC)
    frame = cv2.copyMakeBorder(portrait, 0, 0, 420, 420, cv2.BORDER_REPLICATE)
    path = folder / "photo.jpg"
    cv2.imwrite(str(path), frame, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path


def run(words: list[str], home: Path) -> tuple[float, str]:
    """Wall seconds of `matte WORDS` as a process, and what it wrote to stderr."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "matte", *words],
        env={**os.environ, "MATTE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - start, done.stderr


def import_times() -> dict[str, float]:
    """Milliseconds that the packages take to import, each alone in a process."""
    found = {}
    for name in ("numpy", "cv2", "openvino", "click", "PIL.Image"):
        code = f"from time import perf_counter as t; s = t(); import {name}; print(t() - s)"
        command = [sys.executable, "-c", code]
        runs = [subprocess.run(command, capture_output=True, check=True) for _ in range(3)]
        found[name] = round(1000 * min(float(done.stdout) for done in runs), 1)
    return found


def main() -> None:
    """Measures, prints, writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, source = Path(folder) / "home", photo(Path(folder))
        words = ["image", str(source), "-o", f"{folder}/out.png", "--overwrite", "--verbose"]
        first, _ = run(words, home)
        timed = [run(words, home) for _ in range(options.runs)]
        helps = [run(["--help"], home)[0] for _ in range(options.runs)]
    seconds = sorted(t for t, _ in timed)
    told = "".join(text for _, text in timed)
    stages = {
        name: statistics.median(float(ms) for ms in re.findall(rf"{name} (\d+) ms", told))
        for name in ("segment", "trimap", "refine", "foreground")
    }
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "picture": "1920x1080 JPEG to RGBA PNG, preset balanced",
        "first_run_s": round(first, 3),
        "later_runs_s": {
            "median": round(statistics.median(seconds), 3),
            "min": round(seconds[0], 3),
            "max": round(seconds[-1], 3),
            "runs": len(seconds),
        },
        "help_s": round(statistics.median(helps), 3),
        "stages_ms": stages,
        "imports_ms": import_times(),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
