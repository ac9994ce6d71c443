"""What a runtime's failure means: no memory, missing external weights, or a damaged file."""

import re
from pathlib import Path

from matte.errors import BackendError, MatteError, WeightsError, is_memory_error, out_of_memory

# What ONNX Runtime and OpenVINO say of a file that an ONNX file keeps its weights in.
EXTERNAL_WORDS = re.compile("external(ly)? (data|stored|init|tensor)", re.IGNORECASE)


def opening_failure(runtime: str, path: Path, error: Exception, text: str) -> MatteError:
    """Return the error for a network's file that a runtime on a processor can't open.

    `text` is the line of the runtime's own words that names the cause.
    """
    if is_memory_error(error):
        return out_of_memory(f"{path} in {runtime}")
    _, listed, readers = str(error).partition("Available frontends:")
    if listed and "onnx" not in readers:
        cause = f"{runtime} can't load its part that reads ONNX files"
        return BackendError(cause, "free some memory, or install it again")
    if EXTERNAL_WORDS.search(str(error)):
        cause = f"{path} keeps weights in another file, which is missing or not whole ({text})"
        return WeightsError(cause, "put that file beside it, under the name that it had")
    return WeightsError(f"{runtime} can't load {path} ({text})", "give a whole ONNX file")


def undecodable_names(path: Path) -> WeightsError:
    """Return the error for a file whose names or metadata are no UTF-8."""
    return WeightsError(f"{path} holds names or metadata that are no text", "export it again")
