"""What a stranger's input may cost: bytes, pixels, seconds and memory.

Every bound on a file, a download or a picture that somebody else made stands here, with its unit
in its name, so that the command line, the library and whatever serves strangers ask one module.
Bounds that a user sets (`--max-pixels`, `--max-memory`) are settings, and how much memory a picture
takes is reckoned in `matte.runtime.memory`; this module knows neither.

What can't be bounded by looking at it, such as a decoder that may crash or never end, belongs into
a child process with a limit of seconds and of bytes. Nothing in matte needs that yet: the function
that starts such a child has its place at the end of this module.
"""

import math
from collections.abc import Sequence
from pathlib import Path

from matte.errors import MatteError, PictureError, WeightsError

# Pictures and clips.
DEFAULT_MAX_PIXELS = 200_000_000  # of a picture or a frame, unless a user sets --max-pixels
MAX_PROFILE_BYTES = 1 << 23  # of an ICC profile that is used
MAX_UNPACKED_PROFILE_BYTES = 1 << 24  # of an ICC profile in a PNG; more is a bomb
MAX_PIPE_WAIT_SECONDS = 2.0  # for somebody who writes into a pipe
MAX_UNREADABLE_PACKETS = 64  # in a row, before the rest of a clip or a camera is given up
MAX_ANIMATION_BYTES = 1 << 30  # of a GIF's or a WebP's frames, which Pillow wants all at once

# Files of networks. An ONNX file is one protobuf message, and no parser reads larger ones.
MAX_ONNX_BYTES = (1 << 31) - 1
# The size in pixels that a network says it was trained at: long side, a MODNet's short side.
MIN_TRAINED_PIXELS, MAX_TRAINED_PIXELS = 32, 4096
MAX_NETWORK_INPUT_VALUES = 3 << 26  # of a shape that a network's file fixes: 3×8192×8192
MAX_GRAPH_NESTING = 64  # of messages in an ONNX file: a graph in a graph is three of them
MAX_CHECKPOINT_NESTING = 3  # of dictionaries around the tensors; a pickle may hold itself

# Downloads.
MAX_SILENCE_SECONDS = 30.0  # without a byte from the other side
MAX_DOWNLOAD_TRIES = 4  # of a connection that breaks

GIB = 1 << 30


def check_pixels(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise PictureError if a picture of this width and height has more than `max_pixels`."""
    if width * height > max_pixels:
        raise PictureError(
            f"{name} is {width}×{height}, {round(width * height / 1e6, 1):g} megapixels",
            "raise --max-pixels or --max-memory, or give a smaller picture",
        )


def check_onnx_bytes(path: Path) -> None:
    """Raise WeightsError if a file is too large to be an ONNX file; a missing one passes."""
    check_bytes(str(path), _file_bytes(path), MAX_ONNX_BYTES, WeightsError, "give an ONNX file")


def check_network_input(name: str, shape: Sequence[int | None]) -> None:
    """Raise WeightsError for an input's shape, None for free lengths, that no picture can have."""
    values = math.prod(length for length in shape if length is not None)
    if not 0 < values <= MAX_NETWORK_INPUT_VALUES:
        size = "×".join("?" if length is None else str(length) for length in shape)
        raise WeightsError(
            f"the network's input {name!r} is {size}",
            f"give one of 1 to {MAX_NETWORK_INPUT_VALUES} values",
        )


def is_trained_size(size: int) -> bool:
    """Return whether `size`, in pixels, lies in the range that a network can be trained at."""
    return MIN_TRAINED_PIXELS <= size <= MAX_TRAINED_PIXELS


def check_bytes(
    name: str, count: int, max_count: int, error: type[MatteError], remedy: str
) -> None:
    """Raise `error` if `name`, as a user knows it, has more than `max_count` bytes."""
    if count > max_count:
        raise error(f"{name} has {format_bytes(count)}, over {format_bytes(max_count)}", remedy)


def format_bytes(count: int) -> str:
    """Return a number of bytes in words: "1.5 GiB"."""
    amount = count / GIB
    return f"{amount:.2g} GiB" if amount < 99 else f"{amount:.0f} GiB"


def format_pixels(count: int) -> str:
    """Return a number of pixels in words: "12.2 megapixels"."""
    amount = count / 1e6
    return f"{amount:.3g} megapixels" if amount < 999 else f"{amount:.0f} megapixels"


def _file_bytes(path: Path) -> int:
    """Return a file's size in bytes; 0 where there is none to be asked."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
