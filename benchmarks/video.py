"""How fast `matte video` is, beside passes that only decode and encode, and photo after photo.

    python benchmarks/video.py CLIP… [--runs N] [--photos N] [--long CLIP] [--json FILE]

Of each clip, in turns, each in a process of its own, with its sound copied:

- "yuv": PyAV decodes and encodes, frames stay as they were decoded (H.264, veryfast, crf 18);
- "reader": matte's reader and writer, so frames become RGB and back;
- "fast", "balanced": `matte video --bg green --preset …`, from its report: `seconds` are from the
  first frame to the finished file, without the start of Python and the networks;
- "photos": `matte image` on the first frames, PNG to PNG, networks loaded once, balanced.

What `matte video` wrote is checked first: as many frames, the same times, the same sound. Times are
medians, and ratios are of one turn's times. `--long`: one run of the fast preset, its memory read
twice a second. Writes benchmarks/results/video.json unless --json names another file.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import harness
from harness import Row

from matte.media.encoding import encode
from matte.media.video.clip import open_clip
from matte.media.video.writer import ClipWriter

PRESETS = ("fast", "balanced")
MATTE = (sys.executable, "-m", "matte")


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "video.json", data=False)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--long", type=Path)
    parser.add_argument("--pass", nargs=3, dest="one_pass", metavar=("NAME", "CLIP", "FOLDER"))
    options = parser.parse_args()
    if options.one_pass:
        name, clip, folder = options.one_pass
        start = time.perf_counter()
        frames = PASSES[name](Path(clip), Path(folder))
        print(json.dumps(1000 * (time.perf_counter() - start) / frames))
        return
    rows = {}
    for clip in options.clips:
        rows[clip.name] = measure(clip, options.runs, options.photos)
        harness.show([{"clip": clip.name, **rows[clip.name]["ms"]}], "milliseconds a frame")
    report: Row = {"clips": rows}
    if options.long:
        report["long"] = measure_memory(options.long)
        harness.show([report["long"]])
    harness.write(options.json, report)


def measure(clip: Path, runs: int, photos: int) -> Row:
    """Return the milliseconds a frame of each pass and preset, and their ratios."""
    facts = open_clip(clip).facts
    turns: dict[str, list[float]] = {}
    steps: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for turn in range(runs):
            for one in PASSES:
                ms = harness.run_self("--pass", one, clip, folder)
                turns.setdefault(one, []).append(float(ms))
            for preset in PRESETS:
                report = render(clip, folder, preset)
                frames = report["frames"]
                turns.setdefault(preset, []).append(1000 * report["seconds"] / frames)
                steps[preset] = {step: round(ms / frames, 1) for step, ms in report["ms"].items()}
            if photos and turn == 0:
                turns["photos"] = [photo_ms(clip, folder, photos)]
    ms = {name: statistics.median(found) for name, found in turns.items()}
    ratios = {
        f"{preset} / {one}": statistics.median(
            a / b for a, b in zip(turns[preset], turns[one], strict=True)
        )
        for preset in PRESETS
        for one in PASSES
    }
    if photos:
        ratios["photos / balanced"] = ms["photos"] / ms["balanced"]
    return {
        "size": [facts.width, facts.height],
        "ms": {name: round(found, 2) for name, found in ms.items()},
        "all ms": {name: [round(x, 2) for x in found] for name, found in turns.items()},
        "fps": {name: round(1000 / found, 1) for name, found in ms.items()},
        "ratios": {name: round(found, 2) for name, found in ratios.items()},
        "steps": steps,
    }


def render(clip: Path, folder: Path, preset: str) -> Row:
    """Return the report of `matte video`, once what it wrote has the clip's times and sound."""
    target, report = folder / f"{preset}.mp4", folder / f"{preset}.json"
    words = ("video", str(clip), "--bg", "green", "-o", str(target), "--preset", preset)
    subprocess.run([*MATTE, *words, "--report", str(report), "--overwrite", "--quiet"], check=True)
    if frame_times(target) != frame_times(clip) or sound_packets(target) != sound_packets(clip):
        raise SystemExit(f"{target.name} has other times or another sound than {clip}")
    found: Row = json.loads(report.read_text())
    return found


def frame_times(path: Path) -> list[Fraction]:
    """Return when the clip's frames are shown, in seconds."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return sorted(Fraction(packet.pts or 0) * packet.time_base for packet in packets)


def sound_packets(path: Path) -> list[bytes]:
    """Return the packets of the clip's sound."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def photo_ms(clip: Path, folder: Path, count: int) -> float:
    """Return the milliseconds a frame of one `matte image` for the first frames, but the first."""
    stills, results = folder / "stills", folder / "photos"
    stills.mkdir()
    for number, frame in zip(range(count), open_clip(clip).frames(), strict=False):
        assert frame.pixels is not None
        (stills / f"{number:04d}.png").write_bytes(encode(frame.pixels, ".png"))
    words = ("image", str(stills), "--bg", "green", "-o", str(results), "--quiet")
    subprocess.run([*MATTE, *words], check=True)
    written = sorted(file.stat().st_mtime for file in results.glob("*.png"))
    return 1000 * (written[-1] - written[0]) / (count - 1)


def copy_by_pyav(clip: Path, folder: Path) -> int:
    """Decode and encode by PyAV alone, frames as they were decoded; return their number."""
    count = 0
    source: Any = av.open(str(clip))  # any stream may be any kind to PyAV's types
    target: Any = av.open(str(folder / "yuv.mp4"), "w")
    with source, target:
        pictures = source.streams.video[0]
        pictures.thread_type = "AUTO"
        settings = {"preset": "veryfast", "crf": "18"}
        written = target.add_stream("libx264", rate=pictures.average_rate, options=settings)
        written.width, written.height, written.pix_fmt = pictures.width, pictures.height, "yuv420p"
        written.time_base = pictures.time_base
        copied = {s.index: target.add_stream_from_template(s) for s in source.streams.audio[:1]}
        for packet in source.demux([pictures, *source.streams.audio[:1]]):
            if packet.stream_index in copied:
                if packet.dts is not None:
                    packet.stream = copied[packet.stream_index]
                    target.mux(packet)
                continue
            for frame in packet.decode():
                frame.pict_type = 0
                target.mux(written.encode(frame))
                count += 1
        target.mux(written.encode(None))
    return count


def copy_by_matte(clip: Path, folder: Path) -> int:
    """Decode and encode by matte's reader and writer alone; return the number of frames."""
    source, count = open_clip(clip), 0
    with ClipWriter(folder / "reader.mp4", source.facts, overwrite=True) as writer:
        writer.copy_from(source)
        for frame in source.frames():
            assert frame.pixels is not None
            writer.write(frame.pixels, frame.pts, frame.duration)
            count += 1
    return count


PASSES: dict[str, Callable[[Path, Path], int]] = {"yuv": copy_by_pyav, "reader": copy_by_matte}


def measure_memory(clip: Path) -> Row:
    """Return the peak of one run's resident memory in MiB, and how much more it was in the last
    third than in the first, medians, the first tenth left out.
    """
    facts = open_clip(clip).facts
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "out.mp4")
        words = ("video", str(clip), "--bg", "green", "--preset", "fast", "--quiet", "-o", target)
        start = time.perf_counter()
        process = subprocess.Popen([*MATTE, *words])
        found = []
        while process.poll() is None:
            pages = Path(f"/proc/{process.pid}/statm").read_text().split()
            found.append(int(pages[1]) * resource.getpagesize() / (1 << 20))
            time.sleep(0.5)
        seconds = time.perf_counter() - start
    settled = found[len(found) // 10 : -2] or found
    third = max(1, len(settled) // 3)
    growth = statistics.median(settled[-third:]) - statistics.median(settled[:third])
    return {
        "size": [facts.width, facts.height],
        "length": float(facts.duration or 0),
        "frames": facts.frames,
        "seconds": round(seconds, 1),
        "peak": round(max(found)),
        "growth": round(growth, 1),
    }


if __name__ == "__main__":
    main()
