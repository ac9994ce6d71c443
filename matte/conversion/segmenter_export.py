"""Export segmenter checkpoints to ONNX.

The file takes `image`, float32 RGB 0 … 1 (batch, 3, height, width) with any batch and any
multiples of 32, and gives `mask`, float32 (batch, 1, height, width), the probability of the
subject; or `mask_and_band` (batch, 2, height, width), with that of a soft edge. Weights lie in it
as float16, half the bytes, and are cast where they are used: every computation is float32.
"""

from pathlib import Path

from matte.conversion.onnx_writer import write_network
from matte.conversion.parity import MAX_DIFFERENCE, Example, ParityReport, smooth_noise
from matte.segmentation.likeunet import fuse_branches
from matte.segmentation.network import (
    BRANCHES_SUFFIX,
    INPUTS,
    KIND,
    Probability,
    load_checkpoint,
    output_name,
)

# Networks of pictures in 0 … 255 amplify rounding: with random weights 1.1e-4 was measured, with
# published ones 4e-6.
BYTES_DIFFERENCE = 5e-4
BYTES_ARCHITECTURES = [name for name, inputs in INPUTS.items() if inputs.endswith("-bytes")]
EXAMPLE_SIZES = ((64, 96), (320, 192), (192, 320), (64, 320))


def export_segmenter(checkpoint: Path, path: Path, half: bool = True) -> ParityReport:
    """Write the checkpoint's network as ONNX and return how well it agrees with torch.

    Parallel kernels of its training are fused. `half`: whether weights are stored as float16.
    Nothing is left at `path` when it doesn't agree.
    """
    network, info = load_checkpoint(checkpoint)
    fuse_branches(network)
    architecture = info.architecture.removesuffix(BRANCHES_SUFFIX)
    notes = {"kind": KIND, "size": str(info.size), "architecture": architecture}
    largest = BYTES_DIFFERENCE if info.architecture in BYTES_ARCHITECTURES else MAX_DIFFERENCE
    examples, output = segmenter_examples(), output_name(info.architecture)
    return write_network(
        Probability(network), path, notes, examples, output, half=half, max_difference=largest
    )


def segmenter_examples() -> list[Example]:
    """Return example inputs of several sizes, two pictures each."""
    return [{"image": smooth_noise(2, 3, height, width)} for height, width in EXAMPLE_SIZES]
