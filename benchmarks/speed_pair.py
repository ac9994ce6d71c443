"""How fast a checkout of matte is beside an older one, in alternating runs.

    python benchmarks/speed_pair.py OLD NEW DATA [--rounds 5] [--only photo-cold …] [--json FILE]

OLD and NEW are checkouts; the same Python runs both. Every round measures, one checkout after the
other and the next round the other way round:

- photo-cold: a whole `matte image` process;
- photo-warm: a picture in a process whose networks are loaded, after two others;
- clip-fast, clip-balanced: a frame of a 720p clip in `matte video`, by its own report;
- sweep: a whole `matte sweep-trimap` process.

Runtime and precision are the same for both (--backend, --precision), and each has a cache of its
own, filled by runs that don't count. Written are medians, quartiles, and the ratio NEW / OLD:
the median and quartiles of the rounds' own ratios. It takes about six minutes on two quiet cores.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import harness
from harness import Row

from matte.metrics.timings import summarise_timings

PORTRAIT = "media/photos/volcomix_woman-5883428_1280.jpg"
CLIP, WIDTH, HEIGHT = "media/videos/volcomix_Doctor_-_26732.mp4", 1280, 720
FRAMES = 72
WARM_RUNS = 5
WARM = """
import json, sys, time, matte
picture, backend, precision, runs = sys.argv[1:]
pipeline = matte.load("balanced", backend=backend, precision=precision)
found = []
for number in range(2 + int(runs)):
    start = time.perf_counter()
    pipeline(picture)
    found.append(1000 * (time.perf_counter() - start))
print(json.dumps(sorted(found[2:])[int(runs) // 2]))
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout that is measured, and the folder of its own cache and outputs."""

    path: Path
    folder: Path
    picture: Path
    clip: Path
    backend: str
    precision: str

    def run(self, *words: str) -> str:
        """Run Python with the words on this checkout's matte; return what it printed."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.path),
            "MATTE_HOME": str(self.folder / "home"),
        }
        command = [sys.executable, "-P", *words]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{self.path}: {' '.join(words)} failed")
        return done.stdout

    def command(self, *words: str) -> float:
        """Return the milliseconds of a whole matte process."""
        asked = ("--backend", self.backend, "--precision", self.precision, "--overwrite", "-q")
        start = time.perf_counter()
        self.run("-m", "matte", *words, *asked)
        return 1000 * (time.perf_counter() - start)

    def photo_cold(self) -> float:
        """Return the milliseconds of a picture from the start of the process to its end."""
        return self.command("image", str(self.picture), "-o", str(self.folder / "photo.png"))

    def photo_warm(self) -> float:
        """Return the median milliseconds of a picture whose networks are loaded."""
        words = (str(self.picture), self.backend, self.precision, str(WARM_RUNS))
        return float(json.loads(self.run("-c", WARM, *words).splitlines()[-1]))

    def clip_fast(self) -> float:
        """Return the milliseconds of a frame by the fast preset."""
        return self.frame_ms("fast")

    def clip_balanced(self) -> float:
        """Return the milliseconds of a frame by the balanced preset."""
        return self.frame_ms("balanced")

    def frame_ms(self, preset: str) -> float:
        """Return the milliseconds of a frame from the first to the finished file."""
        report = self.folder / "report.json"
        words = ("--preset", preset, "--bg", "green", "--report", str(report))
        self.command("video", str(self.clip), "-o", str(self.folder / "clip.mp4"), *words)
        rendered = json.loads(report.read_text())
        return 1000 * float(rendered["seconds"]) / int(rendered["frames"])

    def sweep(self) -> float:
        """Return the milliseconds of a sweep over the default bands."""
        return self.command("sweep-trimap", str(self.picture), "-o", str(self.folder / "sheet.png"))


MEASURES: dict[str, Callable[[Checkout], float]] = {
    "photo-cold": Checkout.photo_cold,
    "photo-warm": Checkout.photo_warm,
    "clip-fast": Checkout.clip_fast,
    "clip-balanced": Checkout.clip_balanced,
    "sweep": Checkout.sweep,
}


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, data=False)
    for name in ("old", "new", "data"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--backend", default="openvino")
    parser.add_argument("--precision", default="fp32")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        clip = Path(place) / "clip.mp4"
        enlarge_clip(options.data / CLIP, clip)
        picture = (options.data / PORTRAIT).resolve()
        old, new = (
            Checkout(path.resolve(), folder, picture, clip, options.backend, options.precision)
            for path, folder in (
                (options.old, clip.parent / "old"),
                (options.new, clip.parent / "new"),
            )
        )
        for checkout in (old, new):
            checkout.folder.mkdir()
        rows = [measure(name, old, new, options.rounds) for name in options.only]
    harness.show(rows, "milliseconds")
    asked = {"backend": options.backend, "precision": options.precision, "rounds": options.rounds}
    commits = {"old": commit(old.path), "new": commit(new.path)}
    harness.write(options.json, {**asked, **commits, "rows": rows})


def measure(name: str, old: Checkout, new: Checkout, rounds: int) -> Row:
    """Return the row of one measure: both sides' medians and quartiles, and their ratio."""
    call = MEASURES[name]
    found: dict[Checkout, list[float]] = {old: [], new: []}
    for checkout in (old, new):
        call(checkout)
    for number in range(rounds):
        for checkout in (old, new) if number % 2 == 0 else (new, old):
            found[checkout].append(call(checkout))
        print(name, *(f"{found[one][-1]:.1f}" for one in (old, new)), flush=True)
    ratio = summarise_timings([b / a for a, b in zip(found[old], found[new], strict=True)], 4)
    row: Row = {"what": name}
    for side, checkout in (("old", old), ("new", new)):
        timed = summarise_timings(found[checkout])
        row |= {side: timed.median, f"{side} q1": timed.low, f"{side} q3": timed.high}
    row |= {"new / old": ratio.median, "ratio q1": ratio.low, "ratio q3": ratio.high}
    fastest = min(found[new]) / min(found[old])
    return row | {"of the fastest": round(fastest, 4)}


def enlarge_clip(source: Path, target: Path) -> None:
    """Write the clip's first frames at 720p, without sound."""
    with av.open(str(source), "r") as container, av.open(str(target), "w") as written:
        rate = container.streams.video[0].average_rate
        stream = written.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        for number, frame in enumerate(container.decode(video=0)):
            if number == FRAMES:
                break
            resized = frame.reformat(WIDTH, HEIGHT, "yuv420p")
            resized.pts, resized.time_base = number, 1 / rate if rate else None
            written.mux(stream.encode(resized))
        written.mux(stream.encode())


def commit(checkout: Path) -> str:
    """Return the short name of a checkout's commit; empty where git has none."""
    words = ["git", "-C", str(checkout), "rev-parse", "--short", "HEAD"]
    return subprocess.run(words, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
