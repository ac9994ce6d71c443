"""CCP's annotations as its authors ship them: MATLAB files."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.datasets.samples import UnusableError
from matte.errors import BackendError

VARIABLE = "groundtruth"


def require_scipy() -> None:
    """Raise unless scipy, which is not among matte's own requirements, is installed."""
    if find_spec("scipy") is None:
        raise BackendError("reading MATLAB's .mat files needs scipy", "pip install scipy")


def read_annotation(path: Path) -> NDArray[Any]:
    """Read the label map (H, W) in a .mat file's variable `groundtruth`."""
    require_scipy()
    scipy_io = import_module("scipy.io")
    try:
        labels = np.asarray(scipy_io.loadmat(path, variable_names=[VARIABLE])[VARIABLE])
    except KeyError as error:
        raise UnusableError(f"{path.name} has no variable {VARIABLE!r}") from error
    except Exception as error:  # damaged files raise whatever the parser trips on
        raise UnusableError(f"can't decode {path.name}") from error
    if labels.ndim != 2 or labels.size == 0:
        raise UnusableError(f"{path.name} holds no label map")
    return labels
