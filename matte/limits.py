"""What a stranger's input may cost: bytes, pixels, seconds and memory.

Every bound on a file, a download or a picture that somebody else made stands here, with its unit
in its name, so that the command line, the library and whatever serves strangers ask one module.
Bounds that a user sets (`--max-pixels`, `--max-memory`) are settings, and how much memory a picture
takes is reckoned in `matte.runtime.memory`; this module knows neither.

What can't be bounded by looking at it, such as a network that may crash a runtime or never end,
belongs into a child process with limits of seconds and of bytes: `run_child`, at the end.
"""

import math
import signal
import stat
from collections.abc import Sequence
from dataclasses import dataclass
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
MAX_EXTERNAL_BYTES = 1 << 35  # of one file that keeps an ONNX file's weights
# The size in pixels that a network says it was trained at: long side, a MODNet's short side.
MIN_TRAINED_PIXELS, MAX_TRAINED_PIXELS = 32, 4096
MAX_NETWORK_INPUT_VALUES = 3 << 26  # of a shape that a network's file fixes: 3×8192×8192
MAX_GRAPH_NESTING = 64  # of messages in an ONNX file: a graph in a graph is three of them
# What a network takes to be opened and run once. Seconds of computing, which a busy machine does
# not lengthen, for the file itself and for each MiB of it; and of waiting, times as many.
MIN_TRIAL_SECONDS, TRIAL_SECONDS_PER_MIB, MAX_TRIAL_SECONDS = 12, 0.25, 300
MAX_WAITING_RATIO = 4
MAX_TRIAL_BYTES = 8 << 30  # unless a user sets --max-memory
TRIAL_SLACK_BYTES = 256 << 20  # that a process asks for and never touches: stacks of threads
MAX_KERAS_BYTES = 1 << 29  # of an .h5 file of weights, packed and unpacked
MAX_KERAS_ARRAYS = 10_000
MAX_CHECKPOINT_NESTING = 3  # of dictionaries around the tensors; a pickle may hold itself

# Downloads.
MAX_SILENCE_SECONDS = 30.0  # without a byte from the other side
MAX_DOWNLOAD_BYTES = 1 << 30  # where the manifest lists no size
MAX_DOWNLOAD_TRIES = 4  # of a connection that breaks

# Object stores. One object is read into memory as a download is; it may be as silent as one.
MAX_STORE_TRIES = 5  # of a call that fails for a reason that passes
MAX_CONNECT_SECONDS = 5.0
MAX_UPLOAD_CALL_SECONDS = 300.0  # of an object written in one call, or of one part
MAX_ONE_CALL_BYTES = 64 << 20  # of an object that is written in one call; larger ones in parts
UPLOAD_PART_BYTES = 8 << 20
MAX_LISTING_BYTES = 16 << 20  # of one page of a bucket's names

# Requests to a server. A body may also be as silent as a download, and its files as large as the
# server's owner allows.
MAX_FORM_FIELDS, MAX_FORM_FILES = 64, 4
MAX_FIELD_BYTES = 64 << 10  # of a form's text
MAX_FORM_OVERHEAD_BYTES = 1 << 20  # of fields and boundaries beside the files
MAX_JSON_BYTES = 4 << 20
MAX_BODY_SECONDS = 1800.0
MAX_NAME_CHARACTERS = 200  # of a file at the client's
MAX_STROKES, MAX_STROKE_POINTS = 2000, 20_000  # of a picture; the points are those of all strokes
MAX_STROKE_RADIUS = 2000.0  # pixels
MAX_CANVAS_SIDE = 6000  # pixels, that a client may ask for
MAX_SWEEP_SETTINGS = 24
MAX_SWEEP_PIXELS = 256 << 20  # of all its alphas: 1 GiB
MAX_ZIP_ITEMS = 2000

GIB = 1 << 30


def check_pixels(name: str, width: int, height: int, max_pixels: int) -> None:
    """Raise PictureError if a picture of this width and height has more than `max_pixels`."""
    if width * height > max_pixels:
        raise PictureError(
            f"{name} is {width}×{height}, {round(width * height / 1e6, 1):g} megapixels",
            "raise --max-pixels or --max-memory, or give a smaller picture",
        )


def check_onnx_bytes(path: Path) -> None:
    """Raise WeightsError for what can be no ONNX file: too large, a device, a pipe.

    A missing one passes.
    """
    check_network_file(path, MAX_ONNX_BYTES, "give an ONNX file")


def check_network_file(path: Path, max_bytes: int, remedy: str) -> None:
    """Raise WeightsError if a file of a network has no end, or too many bytes.

    A device such as /dev/zero says that it has 0 bytes, and never ends. A missing file passes.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise WeightsError(f"{path} is no file but a device or a pipe", remedy)
    check_bytes(str(path), status.st_size, max_bytes, WeightsError, remedy)


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


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What a child process printed, and whether it ended by itself and in time."""

    lines: list[str]
    has_ended: bool
    is_late: bool = False


def run_child(function: str, arguments: Sequence[str], seconds: int, max_bytes: int) -> ChildResult:
    """Run `module:function` of matte in a process of its own, with limits of time and memory.

    The process is new, and no copy of this one, so that it can be started from any thread. Where
    the system has no limits of its own, that of waiting holds alone. Raises OSError if it can't be
    started.
    """
    import subprocess
    import sys

    package = str(Path(__file__).parent.parent)
    command = [sys.executable, "-P", "-c", CHILD_CODE, package, str(seconds), str(max_bytes)]
    try:
        done = subprocess.run(
            [*command, *function.split(":"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MAX_WAITING_RATIO * seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        lines = (error.stdout or b"").decode(errors="replace").splitlines()
        return ChildResult(lines, has_ended=False, is_late=True)
    out_of_time = -getattr(signal, "SIGXCPU", 0)
    return ChildResult(
        done.stdout.decode(errors="replace").splitlines(),
        has_ended=done.returncode == 0,
        is_late=done.returncode == out_of_time != 0,
    )


# The child limits itself before it imports anything that is large. Of memory it is what it may
# write into that counts, where the system counts that (Linux): runtimes reserve more than they use.
CHILD_CODE = """
import sys
package, seconds, size, module, function, *arguments = sys.argv[1:]
sys.path.insert(0, package)
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    resource.setrlimit(kind, (int(size), int(size)))
except (ImportError, OSError, ValueError):
    pass
from importlib import import_module
getattr(import_module(module), function)(arguments)
"""


def trial_seconds(file_bytes: int) -> int:
    """Return the seconds of computing that a network's files may take to be tried."""
    more = TRIAL_SECONDS_PER_MIB * file_bytes / (1 << 20)
    return int(min(MAX_TRIAL_SECONDS, MIN_TRIAL_SECONDS + more))
