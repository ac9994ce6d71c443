"""LiteRT: the runtime of phones, here to compare what was exported for them."""

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import FloatArray
from matte.errors import BackendError, install_command


def open_phone_file(path: Path, threads: int = 1) -> Any:
    """Return LiteRT's interpreter for a file, ready to run; it is not for strangers' files."""
    with phone_packages_required():
        from ai_edge_litert.interpreter import Interpreter
    with silenced_converters():
        interpreter = Interpreter(str(path), num_threads=threads)
        interpreter.allocate_tensors()
    return interpreter


def run_phone_file(interpreter: Any, image: FloatArray) -> FloatArray:
    """Return the output of a file for a picture (1, H, W, 3) in 0 … 1."""
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.set_tensor(source["index"], _as_stored(image, source))
    interpreter.invoke()
    return _as_real(interpreter.get_tensor(target["index"]), target)


def _as_stored(image: FloatArray, details: dict[str, Any]) -> NDArray[Any]:
    """Return a picture as an input of a file takes it: in float32, or in its int8."""
    scale, zero = details["quantization"]
    if details["dtype"] == np.float32:
        return image
    limits = np.iinfo(details["dtype"])
    stored = np.rint(image / scale + zero).clip(limits.min, limits.max)
    return np.asarray(stored, details["dtype"])


def _as_real(values: NDArray[Any], details: dict[str, Any]) -> FloatArray:
    """Return an output of a file in float32."""
    scale, zero = details["quantization"]
    if details["dtype"] == np.float32:
        return np.asarray(values, np.float32)
    return np.asarray((values.astype(np.float32) - zero) * np.float32(scale), np.float32)


@contextlib.contextmanager
def phone_packages_required() -> Iterator[None]:
    """Turn a missing package, within the block, into an error that says how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        cause = f"files for phones need {error.name}"
        raise BackendError(cause, install_command("phone")) from error


@contextlib.contextmanager
def silenced_converters() -> Iterator[None]:
    """Keep what the converter and LiteRT write by themselves off both streams, unless it fails."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("absl").setLevel(logging.ERROR)
    sys.stdout.flush()
    with TemporaryDirectory() as folder, (Path(folder) / "lines").open("wb") as lines:
        saved = [(number, os.dup(number)) for number in (1, 2)]
        try:
            for number, _ in saved:
                os.dup2(lines.fileno(), number)
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                yield
        finally:
            for number, copy in saved:
                os.dup2(copy, number)
                os.close(copy)
