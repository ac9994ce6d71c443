"""How much the steadying of a clip's alphas takes of its flicker, and whether anything trails.

    python benchmarks/steady.py CLIP[:FIRST]… [--moved PICTURE ALPHA BACKGROUND]…
        [--strips FOLDER] [--json FILE]

Each frame is matted as a photo by the preset ("frames"), and the clip as `matte video` does it:
with --temporal "off", "ofd" and "flow". Of each clip, 640 pixels wide:

- as it is: how much alpha differs "along" a flow of its own, found at full size, where its ways
  there and back meet: the root of the mean square, in hundredths;
- its first frame again and again, with noise of σ 3, through H.264: the variance of alpha over the
  pixels where it varies, and what changes from frame to frame (dtSSD against nothing);
- portraits with true alpha, moved, turned and zoomed over a photo, one with an arm that swings:
  dtSSD and the mean absolute error in thousandths, against the truth. "trail" is the error that
  steadying makes of the true alphas themselves.

Times are medians of what one core worked, whoever else was at it. Writes
benchmarks/results/steady.json unless told otherwise.
"""

import argparse
import io
import json
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha, Confidence, Image
from matte.clips.confidence_average import ConfidenceAverage
from matte.clips.matting import FrameMatter
from matte.clips.motion import MotionTracker
from matte.clips.stabilising import (
    AverageStabiliser,
    NeighbourStabiliser,
    TemporalMode,
    make_stabiliser,
)
from matte.compositing.foreground import estimate_foreground
from matte.errors import MatteWarning
from matte.imaging.flow import backward_flow, flow_copy
from matte.imaging.resizing import resize
from matte.media.pictures import read_alpha, read_photo
from matte.metrics.clips import dt_ssd, temporal_variance
from matte.pipeline.line import NO_PRIOR, Prior
from matte.pipeline.run import Pipeline
from matte.runtime.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "steady.json"
WIDTH, HEIGHT = 640, 360
FRAMES, STILLS, MOVED = 100, 40, 60
NOISE = 3.0  # σ, of 255 levels
SWING = 16  # frames for one swing of the arm and back
SKIN = np.array([205, 150, 125], np.float32) / 255
SIZES = ((640, 360), (1280, 720))
TIMED = 21
STRIP = 6  # frames

MODES: tuple[TemporalMode, ...] = ("off", "ofd", "flow")
Alphas = list[Alpha]


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames, and their true alphas where they are known."""

    name: str
    frames: list[Image]
    truths: Alphas | None = None
    still: bool = False


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", metavar="CLIP[:FIRST]")
    parser.add_argument("--moved", nargs=3, type=Path, action="append", default=[])
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--strips", type=Path, metavar="FOLDER")
    parser.add_argument("--json", type=Path, default=RESULTS)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore", MatteWarning)
    pipeline = matte.load(given.preset)
    clips: list[Clip] = []
    for words in given.clips:
        file, _, first = words.partition(":")
        frames = decoded(Path(file).read_bytes(), int(first or 0), FRAMES)
        clips.append(Clip(Path(file).name, frames))
        clips.append(Clip(f"{Path(file).name}, still", stills(frames[0]), still=True))
    for number, (picture, alpha, background) in enumerate(given.moved):
        arm = number == len(given.moved) - 1
        name = f"{picture.name}, moved{' with an arm' if arm else ''}"
        clips.append(moved(name, picture, alpha, background, arm))
    rows = {}
    for clip in clips:
        ways = steadied(pipeline, clip.frames)
        rows[clip.name] = measured(clip, ways)
        print(clip.name, json.dumps(rows[clip.name]), flush=True)
        if given.strips:
            draw_strips(given.strips, clip, ways)
    report = {
        "date": date.today().isoformat(),
        "machine": describe_machine(),
        "preset": given.preset,
        "size": [WIDTH, HEIGHT],
        "clips": rows,
        "ms": {f"{w}x{h}": timed(clips[0].frames, w, h) for w, h in SIZES} if clips else {},
    }
    print(json.dumps(report["ms"]))
    given.json.write_text(json.dumps(report, indent=1) + "\n")


def steadied(pipeline: Pipeline, frames: Sequence[Image]) -> dict[str, Alphas]:
    """The alphas of a clip in each way."""
    config = pipeline.config
    ways = {"frames": [pipeline.line.run(frame, NO_PRIOR).alpha for frame in frames]}
    for mode in MODES:
        video = replace(config.video, temporal=mode)
        matter = FrameMatter(pipeline.line, replace(config, video=video), frames[0].shape[:2])
        found = []
        for frame in frames:
            segmented = matter.segment(frame)
            found.append(matter.stabilise(segmented, matter.refine(segmented)))
        ways[mode] = [alpha for alpha in (*found, matter.pending_alpha()) if alpha is not None]
    return ways


def streamed(frames: Sequence[Image], alphas: Sequence[Alpha], mode: TemporalMode) -> Alphas:
    """A clip's alphas, steadied."""
    tracker, stabiliser = MotionTracker(), make_stabiliser(mode)
    found = [
        stabiliser.stabilise(alpha, tracker.track(frame))
        for frame, alpha in zip(frames, alphas, strict=True)
    ]
    return [alpha for alpha in (*found, stabiliser.pending_alpha()) if alpha is not None]


def measured(clip: Clip, ways: dict[str, Alphas]) -> dict[str, dict[str, float]]:
    """What each way scores."""
    rows: dict[str, dict[str, float]] = {}
    varies = temporal_variance(ways["frames"]) > 1e-6
    along = Along(clip.frames)
    for name, alphas in ways.items():
        if clip.truths is not None:
            row = {"dtssd": dt_ssd(alphas, clip.truths), "mad": mad(alphas, clip.truths)}
            if name in MODES:
                row["trail"] = mad(streamed(clip.frames, clip.truths, name), clip.truths)
        elif clip.still:
            nothing = [Alpha(np.zeros_like(alpha)) for alpha in alphas]
            changes = dt_ssd(alphas, nothing)
            row = {"variance": float(temporal_variance(alphas)[varies].mean()), "changes": changes}
        else:
            row = {}
        if not clip.still:
            row["along"] = along(alphas)
        alone = rows.get("frames", row)
        for key in list(row):
            if name != "frames" and alone.get(key):
                row[f"{key}_of_frames"] = row[key] / alone[key]
        rows[name] = row
    return {n: {k: float(f"{v:.4g}") for k, v in row.items()} for n, row in rows.items()}


def mad(alphas: Sequence[Alpha], truths: Sequence[Alpha]) -> float:
    """The mean absolute error over whole frames, in thousandths."""
    apart = [np.abs(a - t).mean() for a, t in zip(alphas, truths, strict=True)]
    return 1000 * float(np.mean(apart))


class Along:
    """How much alphas differ from those before where a clip's own flow leads."""

    def __init__(self, frames: Sequence[Image]) -> None:
        finder = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
        start: Any = None
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
        grid = np.dstack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))).astype(np.float32)
        self._ways: list[tuple[Any, Any]] = []
        for before, now in pairwise(greys):
            back = finder.calc(now, before, start)
            places = grid + back
            forth = cv2.remap(finder.calc(before, now, start), places, start, cv2.INTER_LINEAR)
            self._ways.append((places, np.linalg.norm(back + forth, axis=2) < 0.7))

    def __call__(self, alphas: Sequence[Alpha]) -> float:
        """The root of the mean square, in hundredths; the mean over the frames."""
        found = []
        nothing: Any = None
        for (places, met), (before, now) in zip(self._ways, pairwise(alphas), strict=True):
            apart = now - cv2.remap(before, places, nothing, cv2.INTER_LINEAR)
            found.append(100 * float(np.sqrt(np.square(apart[met]).mean())))
        return float(np.mean(found))


def decoded(data: bytes, first: int, count: int) -> list[Image]:
    """Frames of a clip at this script's size."""
    frames = []
    with av.open(io.BytesIO(data), "r") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= first + count:
                break
            if number >= first:
                pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                frames.append(Image(resize(pixels, HEIGHT, WIDTH)))
    return frames


def coded(frames: Sequence[NDArray[np.floating[Any]]], noise: float, seed: int) -> list[Image]:
    """Frames of 0 … 255 with fresh noise, through H.264."""
    random = np.random.default_rng(seed)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"}
        for frame in frames:
            noisy = frame + random.normal(0, noise, frame.shape)
            pixels = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return decoded(file.getvalue(), 0, len(frames))


def stills(frame: Image) -> list[Image]:
    """One frame again and again."""
    return coded([frame.astype(np.float32)] * STILLS, NOISE, 0)


def moved(name: str, picture: Path, alpha: Path, background: Path, arm: bool) -> Clip:
    """A portrait that sways over a photo; with an arm that swings, or without."""
    cut = read_photo(picture).pixels
    opacity = read_alpha(alpha)
    colours = estimate_foreground(cut, opacity).astype(np.float32) / 255
    subject = np.dstack([colours * opacity[:, :, None], opacity])
    behind = cover(read_photo(background).pixels).astype(np.float32) / 255
    frames, truths = [], []
    for number in range(MOVED):
        phase = 2 * np.pi * number / MOVED
        layer = swayed(subject, phase)
        if arm:
            over = arm_at(phase, 2 * np.pi * number / SWING)
            layer = over + layer * (1 - over[:, :, 3:])
        truth = np.clip(layer[:, :, 3], 0, 1)
        frames.append(255 * (layer[:, :, :3] + (1 - truth[:, :, None]) * behind))
        truths.append(Alpha(truth.astype(np.float32)))
    return Clip(name, coded(frames, 2.0, 1), truths)


def cover(picture: Image) -> Image:
    """The picture's middle, as large as the frame."""
    share = max(WIDTH / picture.shape[1], HEIGHT / picture.shape[0])
    large = resize(
        picture, max(HEIGHT, round(picture.shape[0] * share)), round(picture.shape[1] * share) + 1
    )
    top, left = (large.shape[0] - HEIGHT) // 2, (large.shape[1] - WIDTH) // 2
    return Image(large[top : top + HEIGHT, left : left + WIDTH])


def swayed(subject: NDArray[np.float32], phase: float) -> NDArray[np.float32]:
    """The premultiplied layer, moved by up to 6 pixels a frame, turned and zoomed."""
    height, width = subject.shape[:2]
    zoom = 340 / height * (1 + 0.08 * np.sin(phase))
    matrix = cv2.getRotationMatrix2D((width / 2, height * 0.6), 4 * np.sin(1.3 * phase), zoom)
    matrix[0, 2] += WIDTH / 2 - width / 2 + 60 * np.sin(phase)
    matrix[1, 2] += HEIGHT * 0.62 - height * 0.6 + 8 * np.sin(2 * phase)
    return np.asarray(cv2.warpAffine(subject, matrix, (WIDTH, HEIGHT)), np.float32)


def arm_at(phase: float, swing: float) -> NDArray[np.float32]:
    """A premultiplied arm with three fingers, up to 80 pixels a frame at its end."""
    large = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)
    angle = 1.1 * np.sin(swing) - 1.2
    shoulder = np.array([WIDTH * 0.62 + 60 * np.sin(phase), HEIGHT * 0.85])
    hand = shoulder + 190 * np.array([np.cos(angle), np.sin(angle)])
    _stroke(large, shoulder, hand, 26)
    for apart in (-0.25, 0.0, 0.25):
        tip = hand + 34 * np.array([np.cos(angle + apart), np.sin(angle + apart)])
        _stroke(large, hand, tip, 8)
    shape = resize(large, HEIGHT, WIDTH).astype(np.float32) / 255
    return np.dstack([SKIN * shape[:, :, None], shape])


def _stroke(
    canvas: NDArray[np.uint8], start: NDArray[np.float64], end: NDArray[np.float64], width: int
) -> None:
    ends = [(int(2 * p[0]), int(2 * p[1])) for p in (start, end)]
    cv2.line(canvas, ends[0], ends[1], 255, 2 * width, cv2.LINE_AA)


def draw_strips(folder: Path, clip: Clip, ways: dict[str, Alphas]) -> None:
    """Some frames beside each other, and below them the alphas of each way."""
    folder.mkdir(parents=True, exist_ok=True)
    changes = [np.abs(b.astype(np.int16) - a).mean() for a, b in pairwise(clip.frames)]
    first = min(max(0, int(np.argmax(changes)) - 1), len(clip.frames) - STRIP)
    chosen = range(first, first + STRIP)
    rows = [np.hstack([clip.frames[n][:, :, ::-1] for n in chosen])]
    for alphas in (*([clip.truths] if clip.truths else []), *ways.values()):
        grey = np.hstack([np.rint(255 * alphas[n]).astype(np.uint8) for n in chosen])
        rows.append(np.dstack([grey] * 3))
    name = "".join(c if c.isalnum() else "_" for c in clip.name)
    cv2.imwrite(str(folder / f"{name}.png"), np.vstack(rows))


def timed(frames: Sequence[Image], width: int, height: int) -> dict[str, float]:
    """The median milliseconds of each piece on one core, frame after frame of a clip."""
    seen = [Image(resize(frame, height, width)) for frame in frames[:TIMED]]
    pipeline = matte.load("fast")
    alphas = [resize(pipeline.line.run(f, Prior()).alpha, height, width) for f in frames[:TIMED]]
    tracker = MotionTracker()
    small = [flow_copy(frame) for frame in seen]
    times: dict[str, list[float]] = {}

    def clocked(name: str, call: Callable[[], Any]) -> Any:
        start = time.thread_time()
        result = call()
        times.setdefault(name, []).append(1000 * (time.thread_time() - start))
        return result

    average, moving, neighbour = ConfidenceAverage(), AverageStabiliser(), NeighbourStabiliser()
    for n, (frame, alpha) in enumerate(zip(seen, map(Alpha, alphas), strict=True)):
        confidence = Confidence(alpha)
        clocked("flow one way", partial(backward_flow, small[n], small[max(0, n - 1)]))
        motion = clocked("watch: flow both ways, cut", partial(tracker.track, frame))
        clocked("confidence", partial(average.average, confidence, motion))
        clocked("mean colours", motion.colours.means)
        clocked("blend", partial(moving.stabilise, alpha, motion))
        clocked("ofd", partial(neighbour.stabilise, alpha, motion))
        clocked("carry a mask", partial(motion.warp, confidence))
    return {name: round(statistics.median(ms[1:]), 2) for name, ms in times.items()}


if __name__ == "__main__":
    main()
