"""OpenEXR: linear light in half floats, for compositing programs."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from matte.arrays import FloatArray
from matte.errors import BackendError, OutputError, install_command

SOFTWARE = "matte"


KINDS = {1: "Y", 3: "RGB", 4: "RGBA"}  # by the number of channels


def encode_exr(layers: Mapping[str, FloatArray], pixel_aspect: float = 1) -> bytes:
    """Return a file of layers of linear light, by their names; "" is the main one.

    They are grey (H, W), or colours (H, W, 3 or 4), which are premultiplied where they have alpha,
    as everybody reads them.
    """
    library = open_exr_library()
    channels = {}
    for name, values in layers.items():
        kind = KINDS[1 if values.ndim == 2 else values.shape[2]]
        half = np.ascontiguousarray(values, np.float16)
        channels[f"{name}.{kind}" if name else kind] = half
    header = {
        "compression": library.ZIP_COMPRESSION,
        "type": library.scanlineimage,
        "pixelAspectRatio": float(pixel_aspect),
        "software": SOFTWARE,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.exr")
        try:
            library.File(header, channels).write(str(path))
            return path.read_bytes()
        except (RuntimeError, ValueError, OSError) as error:
            raise OutputError("the picture can't be saved as .exr", "save it as .tif") from error


def open_exr_library() -> Any:
    """Return the library that writes OpenEXR; raise BackendError if it is not installed."""
    try:
        import OpenEXR
    except ModuleNotFoundError as error:
        raise BackendError("writing .exr needs OpenEXR", install_command("exr")) from error
    return OpenEXR
