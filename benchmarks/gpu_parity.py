"""How far the GPU's line is from the processor's, by the same torch code on the CPU.

    python benchmarks/gpu_parity.py [CLIP] [--size 640x360] [--presets NAME…] [--frames 40]

CLIP is any video; without one the sample portrait pans over a plain ground. Each frame's alphas are
compared: `mean` is the mean difference of all frames, `worst band mean` that of the worst frame's
soft pixels. No more than 1e-3 and 1e-2 are promised; exits with 1 if a preset has more. Writes
benchmarks/results/gpu_parity.json unless --json names another file.
"""

from itertools import islice
from pathlib import Path

import harness
from gpu_clips import networks_of, panning_frames, parity

from matte.arrays import Image
from matte.configs.loader import merge_settings
from matte.gpu.choice import DevicePlan
from matte.gpu.transfer import CPU
from matte.imaging.resizing import resize
from matte.media.video.clip import Frame, open_clip
from matte.pipeline.build import build_for_video

MAX_MEAN, MAX_BAND_MEAN = 1e-3, 1e-2


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, data=False)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "best"])
    parser.add_argument("--frames", type=int, default=40)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    frames = frames_of(options.clip, height, width, options.frames)
    rows = []
    for preset in options.presets:
        pipeline = build_for_video(merge_settings(preset, flags={"device": "cpu"}))
        found = parity(pipeline, DevicePlan(CPU, 2), frames)
        about = {"networks": networks_of(pipeline), "frames": len(frames), "size": options.size}
        rows.append({"preset": preset, **found, **about})
        print(rows[-1], flush=True)
    file = options.json or Path(__file__).parent / "results" / "gpu_parity.json"
    harness.write(file, {"clip": options.clip.name if options.clip else "panning", "rows": rows})
    if any(row["mean"] > MAX_MEAN or row["worst band mean"] > MAX_BAND_MEAN for row in rows):
        raise SystemExit(1)


def frames_of(clip: Path | None, height: int, width: int, count: int) -> list[Image]:
    """Return the first frames of the clip, or of the panning portrait, at one size."""
    if clip is None:
        return panning_frames(height, width, count)
    whole = (frame for frame in open_clip(clip).frames() if isinstance(frame, Frame))
    return [Image(resize(frame.pixels, height, width)) for frame in islice(whole, count)]


if __name__ == "__main__":
    main()
