"""How fast `matte video` is, beside passes that only decode and encode, and photo after photo.

    python benchmarks/video.py CLIP… [--runs N] [--photos N] [--long CLIP] [--json FILE]

Of each clip, in turns, each in a process of its own, with its sound copied:

- "yuv": PyAV decodes and encodes, frames stay as they were decoded (H.264, veryfast, crf 18);
- "reader": matte's reader and writer, so frames become RGB and back;
- "fast", "balanced": `matte video --bg green --preset …`, from its report: `seconds` are from the
  first frame asked for to the finished file, without the start of Python and the networks;
- "photos": `matte image` on the first frames, PNG to PNG, networks loaded once, balanced.

What `matte video` wrote is checked first: as many frames, the same times, the same sound. Times are
medians, and ratios are of one turn's times. `--long`: one run of the fast preset, its memory read
twice a second. Writes benchmarks/results/video.json unless told otherwise.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from matte.media.encoding import encode
from matte.media.video.clip import open_clip
from matte.media.video.writer import ClipWriter
from matte.runtime.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "video.json"
PRESETS = ("fast", "balanced")
Row = dict[str, Any]


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--long", type=Path)
    parser.add_argument("--json", type=Path, default=RESULTS)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        way, clip, folder = given.child
        print(json.dumps(CHILDREN[way](Path(clip), Path(folder))))
        return
    rows = {}
    for clip in given.clips:
        rows[clip.name] = measured(clip, given.runs, given.photos)
        print(clip.name, json.dumps(rows[clip.name]), flush=True)
    report: Row = {
        "date": date.today().isoformat(),
        "machine": describe_machine(),
        "clips": rows,
    }
    if given.long:
        report["long"] = memory(given.long)
        print(json.dumps(report["long"]))
    given.json.write_text(json.dumps(report, indent=1) + "\n")


def measured(clip: Path, runs: int, photos: int) -> Row:
    """Milliseconds a frame of each way, and how many times those of others they are."""
    facts = open_clip(clip).facts
    turns: dict[str, list[float]] = {}
    steps: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for turn in range(runs):
            for way in ("yuv", "reader"):
                turns.setdefault(way, []).append(child(way, clip, folder)["ms"])
            for preset in PRESETS:
                told = video(clip, folder, preset)
                turns.setdefault(preset, []).append(1000 * told["seconds"] / told["frames"])
                steps[preset] = {
                    step: round(ms / told["frames"], 1) for step, ms in told["ms"].items()
                }
            if photos and turn == 0:
                turns["photos"] = [photo_by_photo(clip, folder, photos)]
    ratios = {
        f"{way} / {other}": round(statistics.median(a / b for a, b in pairs), 2)
        for way in PRESETS
        for other in ("yuv", "reader")
        if (pairs := list(zip(turns[way], turns[other], strict=True)))
    }
    if photos:
        ratios["photos / balanced"] = round(
            turns["photos"][0] / statistics.median(turns["balanced"]), 2
        )
    ms = {way: round(statistics.median(found), 2) for way, found in turns.items()}
    return {
        "size": [facts.width, facts.height],
        "ms": ms,
        "all ms": {way: [round(x, 2) for x in found] for way, found in turns.items()},
        "fps": {way: round(1000 / found, 1) for way, found in ms.items()},
        "ratios": ratios,
        "steps": steps,
    }


def child(way: str, clip: Path, folder: Path) -> Row:
    """What this script tells of one pass."""
    words = [sys.executable, __file__, "--child", way, str(clip), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return found


def video(clip: Path, folder: Path, preset: str) -> Row:
    """The report of `matte video`, once what it wrote is as it should be."""
    out, report = folder / f"{preset}.mp4", folder / f"{preset}.json"
    words = ["video", str(clip), "--bg", "green", "-o", str(out), "--preset", preset]
    again = ["--report", str(report), "--overwrite", "--quiet"]
    subprocess.run([sys.executable, "-m", "matte", *words, *again], check=True)
    if times(out) != times(clip) or sound(out) != sound(clip):
        raise SystemExit(f"{out.name} has other times or another sound than {clip}")
    found: Row = json.loads(report.read_text())
    return found


def times(path: Path) -> list[Fraction]:
    """When its frames are shown, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = [
            Fraction(packet.pts or 0) * packet.time_base
            for packet in container.demux(stream)
            if packet.size
        ]
    return sorted(found)


def sound(path: Path) -> list[bytes]:
    """The packets of its sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def photo_by_photo(clip: Path, folder: Path, count: int) -> float:
    """Milliseconds a frame of one `matte image` for the first frames, but the first of them."""
    stills = folder / "stills"
    stills.mkdir()
    for number, frame in zip(range(count), open_clip(clip).frames(), strict=False):
        assert frame.pixels is not None
        (stills / f"{number:04d}.png").write_bytes(encode(frame.pixels, ".png"))
    out = folder / "photos"
    words = ["image", str(stills), "--bg", "green", "-o", str(out), "--quiet"]
    subprocess.run([sys.executable, "-m", "matte", *words], check=True)
    written = sorted(file.stat().st_mtime for file in out.glob("*.png"))
    return 1000 * (written[-1] - written[0]) / (count - 1)


def yuv(clip: Path, folder: Path) -> Row:
    """PyAV alone: frames as they were decoded."""
    start = time.perf_counter()
    count = 0
    source: Any = av.open(str(clip))  # any stream may be any kind to PyAV's types
    output: Any = av.open(str(folder / "yuv.mp4"), "w")
    with source, output:
        pictures = source.streams.video[0]
        pictures.thread_type = "AUTO"
        options = {"preset": "veryfast", "crf": "18"}
        written = output.add_stream("libx264", rate=pictures.average_rate, options=options)
        written.width, written.height, written.pix_fmt = pictures.width, pictures.height, "yuv420p"
        written.time_base = pictures.time_base
        copied = {s.index: output.add_stream_from_template(s) for s in source.streams.audio[:1]}
        for packet in source.demux([pictures, *source.streams.audio[:1]]):
            if packet.stream_index in copied:
                if packet.dts is not None:
                    packet.stream = copied[packet.stream_index]
                    output.mux(packet)
                continue
            for frame in packet.decode():
                frame.pict_type = 0
                output.mux(written.encode(frame))
                count += 1
        output.mux(written.encode(None))
    return {"ms": 1000 * (time.perf_counter() - start) / count}


def reader(clip: Path, folder: Path) -> Row:
    """Matte's reader and writer, nothing between them."""
    start = time.perf_counter()
    source, count = open_clip(clip), 0
    with ClipWriter(folder / "reader.mp4", source.facts, overwrite=True) as writer:
        writer.copy_from(source)
        for frame in source.frames():
            assert frame.pixels is not None
            writer.write(frame.pixels, frame.pts, frame.duration)
            count += 1
    return {"ms": 1000 * (time.perf_counter() - start) / count}


def memory(clip: Path) -> Row:
    """The resident memory of one run, in MiB: its peak, and how much more it was in the last third
    than in the first, medians, the first tenth left out.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = ["video", str(clip), "--bg", "green", "--preset", "fast", "--quiet"]
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "matte", *words, "-o", str(Path(folder) / "out.mp4")]
        )
        found = []
        while process.poll() is None:
            pages = Path(f"/proc/{process.pid}/statm").read_text().split()
            found.append(int(pages[1]) * resource.getpagesize() / (1 << 20))
            time.sleep(0.5)
        seconds = time.perf_counter() - start
    facts = open_clip(clip).facts
    steady = found[len(found) // 10 : -2] or found
    third = max(1, len(steady) // 3)
    thirds = [statistics.median(steady[-third:]), statistics.median(steady[:third])]
    return {
        "size": [facts.width, facts.height],
        "length": float(facts.duration or 0),
        "frames": facts.frames,
        "seconds": round(seconds, 1),
        "peak": round(max(found)),
        "growth": round(thirds[0] - thirds[1], 1),
    }


CHILDREN: dict[str, Callable[[Path, Path], Row]] = {"yuv": yuv, "reader": reader}

if __name__ == "__main__":
    main()
