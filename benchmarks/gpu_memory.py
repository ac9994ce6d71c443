"""How much memory a clip's frames take on a device: counted on the CPU, by the same torch code.

    python benchmarks/gpu_memory.py [--size WIDTHxHEIGHT] [--batches N…] [--presets NAME…]

The most bytes of tensors that are alive at once while batches of frames go through the steps of
`matte.clips.device_matting` and `device_composing`. What runtimes hold for networks is not among
them. A line through the batches gives the bytes for each pixel of a frame in a batch,
`FRAME_BYTES_PER_PIXEL` of matte/gpu/choice.py. Writes benchmarks/results/gpu_memory.json unless
--json names another file.
"""

import weakref
from fractions import Fraction
from typing import Any

import harness
import numpy as np
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from matte.arrays import Image
from matte.clips.device_composing import DeviceComposing
from matte.clips.device_matting import DeviceFrameMatter
from matte.clips.frames import MattedFrame
from matte.compositing.composer import Composer, PictureGround
from matte.configs.loader import merge_settings
from matte.gpu.choice import DevicePlan
from matte.gpu.transfer import CPU
from matte.imaging.resizing import resize
from matte.media.pictures import read_photo
from matte.pipeline.build import build_for_video
from matte.pipeline.timing import Stopwatch

TURNS = 2  # batches: the second one has a frame before it


class PeakBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """Counts the bytes of the tensors that are alive within its block, and the most of them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self._alive: dict[int, int] = {}
        self.now = self.peak = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an operation, and count what it made."""
        result = function(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, Tensor):
                self._count(each)
        return result

    def _count(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._alive:
            self._alive[key] = storage.nbytes()
            self.now += storage.nbytes()
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, key)

    def _forget(self, key: int) -> None:
        self.now -= self._alive.pop(key, 0)


def main() -> None:
    """Count, print, write."""
    parser = harness.parser(__doc__, "gpu_memory.json", data=False)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "best"])
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    rows = []
    for preset in options.presets:
        peaks = [peak_bytes(preset, height, width, batch) for batch in options.batches]
        pixels = width * height
        slope, start = np.polyfit(options.batches, [peak / pixels for peak in peaks], 1)
        rows.append(
            {
                "preset": preset,
                "peaks_mib": [round(peak / (1 << 20), 1) for peak in peaks],
                "bytes_per_pixel_of_a_frame_more": round(float(slope), 1),
                "bytes_per_pixel_besides": round(float(start), 1),
            }
        )
        harness.show(rows[-1:])
    harness.write(options.json, {"size": options.size, "batches": options.batches, "rows": rows})


def peak_bytes(preset: str, height: int, width: int, batch: int) -> int:
    """Return the most bytes that tensors take at once while batches go through all steps."""
    pipeline = build_for_video(merge_settings(preset))
    sample = resize(read_photo(harness.SAMPLE).pixels, height, width)
    frames = [Image(np.roll(sample, 2 * n, axis=1)) for n in range(TURNS * batch)]
    plan = DevicePlan(CPU, batch)
    composer = Composer(PictureGround(Image(sample[::-1].copy())))
    with PeakBytes() as counted:
        matter = DeviceFrameMatter(pipeline.line, pipeline.config, (height, width), plan=plan)
        composing = DeviceComposing(composer, Stopwatch(), device=CPU)
        for start in range(0, len(frames), batch):
            images = frames[start : start + batch]
            matted = []
            for image, frame in zip(images, matter.segment_all(images, [0.0] * batch), strict=True):
                alpha = matter.stabilise(frame, matter.refine(frame))
                matted.append(MattedFrame(image, alpha, frame.planes))
            composing.compose_all(matted, [Fraction(start)] * len(matted))
    return int(counted.peak)


if __name__ == "__main__":
    main()
