"""OpenEXR: linear light in half floats, for compositing programs."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from matte.arrays import FloatArray
from matte.errors import BackendError, OutputError, install_command

SOFTWARE = "matte"


def encode_exr(layers: Mapping[str, FloatArray]) -> bytes:
    """Return a file of layers of linear light (H, W, 3 or 4), by their names; "" is the main one.

    Colours with alpha are premultiplied, as everybody reads them.
    """
    try:
        import OpenEXR
    except ModuleNotFoundError as error:
        raise BackendError("writing .exr needs OpenEXR", install_command("exr")) from error
    channels = {}
    for name, values in layers.items():
        kind = "RGBA" if values.shape[2] == 4 else "RGB"
        half = np.ascontiguousarray(values, np.float16)
        channels[f"{name}.{kind}" if name else kind] = half
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.exr")
        try:
            OpenEXR.File({**header, "software": SOFTWARE}, channels).write(str(path))
            return path.read_bytes()
        except (RuntimeError, ValueError, OSError) as error:
            raise OutputError("the picture can't be saved as .exr", "save it as .tif") from error
