"""How much of a clip's flicker stabilising removes from its alphas, and whether anything trails.

    python benchmarks/steady.py CLIP[:FIRST]… [--moved PICTURE ALPHA BACKGROUND]…
        [--preset NAME] [--json FILE]

Each frame is matted as a photo by the preset ("frames"), and the clip as `matte video` does it:
with --temporal "off", "ofd" and "flow". Of each clip, 640 pixels wide:

- as it is: how much alpha differs "along" an optical flow of its own, found at full size, where the
  flow there and back agree: the root of the mean square, in hundredths;
- its first frame again and again, with noise of σ 3, through H.264: the variance of alpha over the
  pixels where it varies, and what changes from frame to frame (dtSSD against nothing);
- portraits with true alpha, moved, turned and zoomed over a photo, one with an arm that swings:
  dtSSD and the mean absolute error in thousandths, against the truth. "trail" is the error that
  stabilising makes of the true alphas themselves.

Writes benchmarks/results/steady.json unless --json names another file.
"""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import harness
import numpy as np
from numpy.typing import NDArray

import matte
from matte.arrays import Alpha, FloatArray, Image
from matte.clips.matting import FrameMatter
from matte.clips.motion import MotionTracker
from matte.clips.stabilising import TemporalMode, make_stabiliser
from matte.compositing.fitting import cover
from matte.compositing.foreground import estimate_foreground
from matte.errors import MatteWarning
from matte.imaging.resizing import resize
from matte.media.pictures import read_alpha, read_photo
from matte.metrics.clips import dt_ssd, temporal_variance
from matte.pipeline.line import NO_PRIOR
from matte.pipeline.run import BuiltPipeline

WIDTH, HEIGHT = 640, 360
CLIP_FRAMES, STILL_FRAMES, MOVED_FRAMES = 100, 40, 60
NOISE = 3.0  # σ, of 255 levels
SWING_FRAMES = 16  # for one swing of the arm and back
SKIN = np.array([205, 150, 125], np.float32) / 255
MAX_FLOW_GAP = 0.7  # pixels between a flow and the one back
MODES: tuple[TemporalMode, ...] = ("off", "ofd", "flow")
Alphas = list[Alpha]
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class KnownClip:
    """Frames, and their true alphas where they are known."""

    name: str
    frames: list[Image]
    truths: Alphas | None = None
    is_still: bool = False


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "steady.json", data=False)
    parser.add_argument("clips", nargs="*", metavar="CLIP[:FIRST]")
    parser.add_argument("--moved", nargs=3, type=Path, action="append", default=[])
    parser.add_argument("--preset", default="fast")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore", MatteWarning)
    pipeline = matte.load(options.preset)
    clips: list[KnownClip] = []
    for words in options.clips:
        file, _, first = words.partition(":")
        frames = decode(Path(file).read_bytes(), int(first or 0), CLIP_FRAMES)
        still = encode_noisy([frames[0].astype(np.float32)] * STILL_FRAMES, NOISE, 0)
        clips.append(KnownClip(Path(file).name, frames))
        clips.append(KnownClip(f"{Path(file).name}, still", still, is_still=True))
    for number, (picture, alpha, background) in enumerate(options.moved):
        has_arm = number == len(options.moved) - 1
        clips.append(moved_portrait(picture, alpha, background, has_arm))
    report: dict[str, Scores] = {}
    for clip in clips:
        report[clip.name] = score(clip, alphas_by_mode(pipeline, clip.frames))
        rows = ({"mode": mode, **row} for mode, row in report[clip.name].items())
        harness.show(rows, clip.name)
    about = {"preset": options.preset, "size": [WIDTH, HEIGHT]}
    harness.write(options.json, {**about, "clips": report})


def alphas_by_mode(pipeline: BuiltPipeline, frames: Sequence[Image]) -> dict[str, Alphas]:
    """Return a clip's alphas frame by frame, and by each --temporal."""
    config = pipeline.config
    found = {"frames": [pipeline.line.run(frame, NO_PRIOR).alpha for frame in frames]}
    for mode in MODES:
        video = replace(config.video, temporal=mode)
        matter = FrameMatter(pipeline.line, replace(config, video=video), frames[0].shape[:2])
        alphas = []
        for frame in frames:
            segmented = matter.segment(frame)
            alphas.append(matter.stabilise(segmented, matter.refine(segmented)))
        found[mode] = [alpha for alpha in (*alphas, matter.pending_alpha()) if alpha is not None]
    return found


def stabilise_alphas(
    frames: Sequence[Image], alphas: Sequence[Alpha], mode: TemporalMode
) -> Alphas:
    """Return a clip's alphas, stabilised."""
    tracker, stabiliser = MotionTracker(), make_stabiliser(mode)
    found = [
        stabiliser.stabilise(alpha, tracker.track(frame))
        for frame, alpha in zip(frames, alphas, strict=True)
    ]
    return [alpha for alpha in (*found, stabiliser.pending_alpha()) if alpha is not None]


def score(clip: KnownClip, alphas_of: dict[str, Alphas]) -> Scores:
    """Return each mode's numbers, and what share of those of single frames they are."""
    rows: Scores = {}
    varies = temporal_variance(alphas_of["frames"]) > 1e-6
    flow = IndependentFlow(clip.frames)
    for name, alphas in alphas_of.items():
        row: dict[str, float] = {}
        if clip.truths is not None:
            row = {"dtssd": dt_ssd(alphas, clip.truths), "mad": mean_error(alphas, clip.truths)}
            if name in MODES:
                stabilised = stabilise_alphas(clip.frames, clip.truths, name)
                row["trail"] = mean_error(stabilised, clip.truths)
        elif clip.is_still:
            nothing = [Alpha(np.zeros_like(alpha)) for alpha in alphas]
            row["variance"] = float(temporal_variance(alphas)[varies].mean())
            row["changes"] = dt_ssd(alphas, nothing)
        if not clip.is_still:
            row["along"] = flow.change_along(alphas)
        alone = rows.get("frames", row)
        for key in list(row):
            if name != "frames" and alone.get(key):
                row[f"{key}_of_frames"] = row[key] / alone[key]
        rows[name] = row
    return {n: {k: float(f"{v:.4g}") for k, v in row.items()} for n, row in rows.items()}


def mean_error(alphas: Sequence[Alpha], truths: Sequence[Alpha]) -> float:
    """Return the mean absolute error over whole frames, in thousandths."""
    apart = [np.abs(a - t).mean() for a, t in zip(alphas, truths, strict=True)]
    return 1000 * float(np.mean(apart))


class IndependentFlow:
    """A clip's optical flow at full size, found without matte's own code."""

    def __init__(self, frames: Sequence[Image]) -> None:
        finder = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_MEDIUM)
        start: Any = None
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
        grid = np.dstack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))).astype(np.float32)
        self._places: list[tuple[Any, Any]] = []  # in the frame before, and where they are sure
        for before, now in pairwise(greys):
            back = finder.calc(now, before, start)
            places = grid + back
            forth = cv2.remap(finder.calc(before, now, start), places, start, cv2.INTER_LINEAR)
            gap = np.linalg.norm(back + forth, axis=2)
            self._places.append((places, gap < MAX_FLOW_GAP))

    def change_along(self, alphas: Sequence[Alpha]) -> float:
        """Return the root of alpha's mean square change, in hundredths; the mean over frames."""
        found = []
        nothing: Any = None
        for (places, sure), (before, now) in zip(self._places, pairwise(alphas), strict=True):
            apart = now - cv2.remap(before, places, nothing, cv2.INTER_LINEAR)
            found.append(100 * float(np.sqrt(np.square(apart[sure]).mean())))
        return float(np.mean(found))


def decode(data: bytes, first: int, count: int) -> list[Image]:
    """Return frames of a clip at this script's size."""
    frames = []
    with av.open(io.BytesIO(data), "r") as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number >= first + count:
                break
            if number >= first:
                pixels = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                frames.append(Image(resize(pixels, HEIGHT, WIDTH)))
    return frames


def encode_noisy(frames: Sequence[FloatArray], noise: float, seed: int) -> list[Image]:
    """Return frames of 0 … 255 with fresh noise, after H.264."""
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
    return decode(file.getvalue(), 0, len(frames))


def moved_portrait(picture: Path, alpha: Path, background: Path, with_arm: bool) -> KnownClip:
    """Return a portrait that sways over a photo; with an arm that swings, or without."""
    pixels, opacity = read_photo(picture).pixels, read_alpha(alpha)
    colours = estimate_foreground(pixels, opacity).astype(np.float32) / 255
    subject = np.dstack([colours * opacity[:, :, None], opacity])
    behind = cover(read_photo(background).pixels, HEIGHT, WIDTH).astype(np.float32) / 255
    frames, truths = [], []
    for number in range(MOVED_FRAMES):
        phase = 2 * np.pi * number / MOVED_FRAMES
        layer = sway(subject, phase)
        if with_arm:
            over = draw_arm(phase, 2 * np.pi * number / SWING_FRAMES)
            layer = over + layer * (1 - over[:, :, 3:])
        truth = np.clip(layer[:, :, 3], 0, 1).astype(np.float32)
        frame = 255 * (layer[:, :, :3] + (1 - truth[:, :, None]) * behind)
        frames.append(frame.astype(np.float32))
        truths.append(Alpha(truth))
    name = f"{picture.name}, moved{' with an arm' if with_arm else ''}"
    return KnownClip(name, encode_noisy(frames, 2.0, 1), truths)


def sway(subject: NDArray[np.float32], phase: float) -> NDArray[np.float32]:
    """Return the premultiplied layer, moved by up to 6 pixels a frame, turned and zoomed."""
    height, width = subject.shape[:2]
    zoom = 340 / height * (1 + 0.08 * np.sin(phase))
    matrix = cv2.getRotationMatrix2D((width / 2, height * 0.6), 4 * np.sin(1.3 * phase), zoom)
    matrix[0, 2] += WIDTH / 2 - width / 2 + 60 * np.sin(phase)
    matrix[1, 2] += HEIGHT * 0.62 - height * 0.6 + 8 * np.sin(2 * phase)
    return np.asarray(cv2.warpAffine(subject, matrix, (WIDTH, HEIGHT)), np.float32)


def draw_arm(phase: float, swing: float) -> NDArray[np.float32]:
    """Return a premultiplied arm with three fingers, up to 80 pixels a frame at its end."""
    large = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)
    angle = 1.1 * np.sin(swing) - 1.2
    shoulder = np.array([WIDTH * 0.62 + 60 * np.sin(phase), HEIGHT * 0.85])
    hand = shoulder + 190 * np.array([np.cos(angle), np.sin(angle)])
    _draw_stroke(large, shoulder, hand, 26)
    for apart in (-0.25, 0.0, 0.25):
        tip = hand + 34 * np.array([np.cos(angle + apart), np.sin(angle + apart)])
        _draw_stroke(large, hand, tip, 8)
    shape = resize(large, HEIGHT, WIDTH).astype(np.float32) / 255
    return np.dstack([SKIN * shape[:, :, None], shape])


def _draw_stroke(
    canvas: NDArray[np.uint8], start: NDArray[np.float64], end: NDArray[np.float64], width: int
) -> None:
    ends = [(int(2 * p[0]), int(2 * p[1])) for p in (start, end)]
    cv2.line(canvas, ends[0], ends[1], 255, 2 * width, cv2.LINE_AA)


if __name__ == "__main__":
    main()
