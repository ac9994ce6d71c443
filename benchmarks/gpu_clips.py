"""How fast clips are matted on a GPU: tensors only, and file to file, beside the processor's line.

    python benchmarks/gpu_clips.py [--sizes WxH…] [--presets NAME…] [--frames N] [--minutes M]
    python benchmarks/gpu_clips.py --dry-run

The clip is the sample portrait, which pans over a plain ground. For each preset and size:

- "parity": alphas on the GPU against the processor's, by the same networks;
- "tensors": frames that lie in memory, by the steps of `matte.clips.device_matting` and
  `device_composing`, downloaded;
- "file to file": as `matte video` does it, decoded and encoded by the CPU (H.264, veryfast, crf
  18), and the milliseconds of its steps, which overlap.

`--dry-run` walks all of it on the CPU, with small frames. What no time is left for is skipped, with
the reason. Writes benchmarks/results/gpu_clips.json unless --json names another file.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import harness
import numpy as np
import torch
from harness import Row

from matte.arrays import Alpha, Image
from matte.clips.backgrounds import open_composer
from matte.clips.device_composing import DeviceComposing
from matte.clips.device_matting import DeviceFrameMatter
from matte.clips.frames import MattedFrame
from matte.clips.matting import FrameMatter
from matte.clips.output_files import VideoFiles
from matte.clips.outputs import VideoWriters
from matte.clips.run import VideoRun
from matte.compositing.backgrounds import parse_background
from matte.compositing.composer import Composer, PictureGround
from matte.configs.loader import merge_settings
from matte.errors import MatteError
from matte.gpu.choice import DevicePlan, plan_device
from matte.gpu.transfer import CPU, download_plane
from matte.imaging.resizing import resize
from matte.media.pictures import read_photo
from matte.media.video.clip import open_clip
from matte.pipeline.build import build_for_video
from matte.pipeline.run import BuiltPipeline
from matte.pipeline.timing import Stopwatch
from matte.runtime.gpus import nvidia_gpus

SIZES, DRY_SIZE = ("1280x720", "1920x1080", "3840x2160"), "192x108"
PARITY_FRAMES = 6


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, data=False)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "best"])
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--minutes", type=float, default=0, help="begin nothing after; 0: all")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, with small frames")
    options = parser.parse_args()
    if options.dry_run:
        options.sizes, options.frames = [DRY_SIZE], PARITY_FRAMES
    elif not (nvidia_gpus() and torch.cuda.is_available()):
        raise SystemExit("There is no GPU that torch can use here: try --dry-run.")
    results = Path(__file__).parent / "results" / "gpu_clips.json"
    file = options.json or (None if options.dry_run else results)
    end, rows = time.monotonic() + 60 * (options.minutes or 1e6), []
    for size in options.sizes:
        for preset in options.presets:
            rows.append({"size": size, "preset": preset, **measure(size, preset, options, end)})
            print({k: v for k, v in rows[-1].items() if k != "steps"}, flush=True)
            if file is not None:
                about = {"gpus": list(nvidia_gpus()), "torch": torch.__version__}
                harness.write(file, {**about, "frames": options.frames, "rows": rows})


def measure(size: str, preset: str, options: argparse.Namespace, end: float) -> Row:
    """Return what was measured, or why it was not."""
    if time.monotonic() > end:
        return {"skipped": "no time left of --minutes"}
    width, height = map(int, size.split("x"))
    try:
        # In int8 networks the last bit of a small frame's input moves alpha by thousandths.
        flags = {"device": "cpu", "precision": "fp32"} if options.dry_run else {"device": "gpu"}
        pipeline = build_for_video(merge_settings(preset, flags=flags))
        plan = plan_of(pipeline, (height, width), options.dry_run)
        frames = panning_frames(height, width, min(options.frames, 24))
        row: Row = {"frames on": plan.as_json(), "networks": networks_of(pipeline)}
        row |= {"parity": parity(pipeline, plan, frames[:PARITY_FRAMES])}
        row["tensors fps"] = round(tensor_rate(pipeline, plan, frames, options.frames), 1)
        return row | file_to_file(pipeline, plan, frames, options.frames)
    except MatteError as error:
        return {"skipped": str(error)}
    except (RuntimeError, ValueError) as error:  # one preset's failure loses no other's row
        return {"skipped": f"failed: {type(error).__name__}: {str(error).splitlines()[:1]}"}


def plan_of(pipeline: BuiltPipeline, size: tuple[int, int], dry: bool) -> DevicePlan:
    """Return where frames are worked on; raise RuntimeError where that is the processor."""
    if dry:
        return DevicePlan(CPU, 2)
    plan = plan_device(pipeline.line, pipeline.config, size, pipeline.memory)
    if plan is None:
        raise RuntimeError("the frames do not follow the networks to the GPU")
    return plan


def networks_of(pipeline: BuiltPipeline) -> dict[str, str]:
    """Return how each network runs: by an engine of TensorRT, torch or ONNX Runtime."""
    return {
        kind: " ".join(facts.execution[name] for name in ("backend", "device", "precision"))
        for kind, facts in pipeline.line.network_facts.items()
    }


def panning_frames(height: int, width: int, count: int) -> list[Image]:
    """Return frames of the sample, each moved a little."""
    side = min(height, width)
    square = resize(read_photo(harness.SAMPLE).pixels, side, side)
    left = (width - side) // 2
    sides = 0, height - side, left, width - side - left
    frame = np.asarray(cv2.copyMakeBorder(square, *sides, cv2.BORDER_REPLICATE))
    return [Image(np.roll(frame, 2 * number, axis=1)) for number in range(count)]


def parity(pipeline: BuiltPipeline, plan: DevicePlan, frames: list[Image]) -> Row:
    """Return how far alphas on the device are from the processor's line's."""
    size = (frames[0].shape[0], frames[0].shape[1])
    here = FrameMatter(pipeline.line, pipeline.config, size)
    there = DeviceFrameMatter(
        pipeline.line, pipeline.config, size, plan=replace(plan, batch=len(frames))
    )
    apart, band, times = [], [], [0.0] * len(frames)
    expected = [here.stabilise(frame, here.refine(frame)) for frame in map(here.segment, frames)]
    for frame, alpha in zip(there.segment_all(frames, times), expected, strict=True):
        found = there.stabilise(frame, there.refine(frame))
        assert alpha is not None
        assert found is not None
        difference = np.abs(Alpha(download_plane(found)) - alpha)
        soft = (alpha > 0) & (alpha < 1)
        apart.append(float(difference.mean()))
        band.append(float(difference[soft].mean()) if soft.any() else 0.0)
    return {"mean": float(np.mean(apart)), "worst band mean": max(band)}


def tensor_rate(
    pipeline: BuiltPipeline, plan: DevicePlan, frames: list[Image], count: int
) -> float:
    """Return the frames a second without files, after the first pass over the frames."""
    size = (frames[0].shape[0], frames[0].shape[1])
    matter = DeviceFrameMatter(pipeline.line, pipeline.config, size, plan=plan)
    composer = Composer(PictureGround(Image(frames[0][::-1].copy())))
    composing = DeviceComposing(composer, Stopwatch(), False, device=plan.device)

    def run(images: list[Image]) -> None:
        for start in range(0, len(images), plan.batch):
            batch = images[start : start + plan.batch]
            matted = []
            for image, frame in zip(
                batch, matter.segment_all(batch, [0.0] * len(batch)), strict=True
            ):
                alpha = matter.stabilise(frame, matter.refine(frame))
                matted.append(MattedFrame(image, alpha, frame.planes))
            composing.compose_all(matted, [Fraction(0)] * len(matted))

    run(frames)
    repeated = [frames[number % len(frames)] for number in range(count)]
    start = time.perf_counter()
    run(repeated)
    return count / (time.perf_counter() - start)


def file_to_file(pipeline: BuiltPipeline, plan: DevicePlan, frames: list[Image], count: int) -> Row:
    """Return the frames a second of a clip rendered, and the milliseconds of its steps."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.mp4", Path(folder) / "out.mp4"
        write_clip(source, frames, count)
        clip, config = open_clip(source), pipeline.config
        began = time.perf_counter()
        with (
            VideoWriters(VideoFiles(target), clip) as writers,
            open_composer(parse_background("green"), config.compositing) as composer,
        ):
            run = VideoRun(clip, pipeline.line, config, composer, colours=False, device=plan)
            for frame in run.frames():
                with run.watch("encode"):
                    writers.write(frame)
        fps = round(count / (time.perf_counter() - began), 1)
    steps = {name: round(ms / count, 2) for name, ms in run.watch.ms.items()}
    return {"file to file fps": fps, "steps": steps}


def write_clip(path: Path, frames: list[Image], count: int) -> None:
    """Write a clip of `count` frames, of which these are repeated."""
    import av

    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "12"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(
                np.asarray(frames[number % len(frames)], np.uint8), format="rgb24"
            )
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


if __name__ == "__main__":
    main()
