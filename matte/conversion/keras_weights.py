"""Weight files of Keras (.h5), read without TensorFlow and in a process of its own.

HDF5 is a file system in a file: links may lead to other files, data sets may be views of others, or
unpacked by plug-ins. All of that is refused; only plain arrays that lie in the file are read.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.errors import WeightsError, install_command
from matte.limits import (
    MAX_KERAS_ARRAYS,
    MAX_KERAS_BYTES,
    MAX_TRIAL_BYTES,
    check_bytes,
    run_child,
    trial_seconds,
)

KERAS_SUFFIXES = (".h5", ".hdf5")
CHILD_FUNCTION = "matte.conversion.keras_weights:read_in_child"
MODEL_GROUP = "model_weights"  # of files that hold the whole model
REMEDY = "give a file of weights that Keras wrote"


def read_keras_weights(file: Path) -> list[NDArray[np.float32]]:
    """Return the arrays of a Keras model's weights in the order of its layers.

    Convolutions' kernels lie as (height, width, in, out). Raises WeightsError for files that are
    damaged, foreign, too large, or not plain.
    """
    try:
        check_bytes(str(file), file.stat().st_size, MAX_KERAS_BYTES, WeightsError, REMEDY)
        seconds = trial_seconds(file.stat().st_size)
    except OSError as error:
        raise WeightsError(f"can't read {file} ({error.strerror})", "name a file") from error
    with TemporaryDirectory() as folder:
        target = Path(folder) / "arrays.npz"
        result = run_child(CHILD_FUNCTION, [str(file), str(target)], seconds, MAX_TRIAL_BYTES)
        cause = _cause(result.lines)
        if "h5py" in cause:
            raise WeightsError(cause, install_command("torch"))
        if cause or not result.has_ended or not target.is_file():
            raise WeightsError(f"can't read {file} ({cause or 'it is damaged'})", REMEDY)
        with np.load(target, allow_pickle=False) as arrays:
            return [np.asarray(arrays[str(number)]) for number in range(len(arrays.files))]


def read_in_child(arguments: Sequence[str]) -> None:
    """Write the arrays of one file to another, an .npz; print a line of JSON if that fails."""
    file, target = arguments
    # No filter of a plug-in is ever loaded, whatever the environment says.
    os.environ["HDF5_PLUGIN_PRELOAD"] = "::"
    os.environ["HDF5_PLUGIN_PATH"] = os.devnull
    try:
        import h5py

        with h5py.File(file, "r") as opened:
            arrays = list(_plain_arrays(opened))
        named: dict[str, Any] = {str(number): array for number, array in enumerate(arrays)}
        np.savez(target, **named)
    except ImportError:
        _print_cause("reading .h5 files needs h5py")
    # h5py's errors have no common class below Exception.
    except Exception as error:  # noqa: BLE001  # see above
        _print_cause(str(error) if isinstance(error, _UnsafeFileError) else "it is damaged")


class _UnsafeFileError(Exception):
    """A file holds what is not read."""


def _plain_arrays(opened: Any) -> Iterator[NDArray[np.float32]]:
    """Yield the weights of each layer in turn, in float32."""
    root = _child_of(opened, MODEL_GROUP) if MODEL_GROUP in opened else opened
    count = total = 0
    for layer in _names(root, "layer_names"):
        group = _child_of(root, layer)
        for name in _names(group, "weight_names"):
            dataset = group
            for part in name.split("/"):
                dataset = _child_of(dataset, part)
            shape = _checked_shape(dataset)
            count, total = count + 1, total + 4 * int(np.prod(shape, dtype=np.float64))
            if count > MAX_KERAS_ARRAYS or total > MAX_KERAS_BYTES:
                raise _UnsafeFileError("it holds too much")
            array = np.asarray(dataset[...], np.float32)
            if not np.isfinite(array).all():
                raise _UnsafeFileError(f"{name!r} holds what is no number")
            yield array


def _names(group: Any, key: str) -> list[str]:
    """Return the names that an attribute lists, in the order of the layers; [] if there is none."""
    if key not in group.attrs:
        raise _UnsafeFileError("it lists no layers")
    listed = np.asarray(group.attrs[key]).ravel()[: MAX_KERAS_ARRAYS + 1]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in listed]


def _child_of(group: Any, name: str) -> Any:
    """Return a group or data set of a group, unless it is a link to elsewhere."""
    import h5py

    if not isinstance(group, h5py.Group) or not name or name in (".", ".."):
        raise _UnsafeFileError(f"it has no {name!r}")
    if "/" in name:
        head, _, rest = name.partition("/")
        return _child_of(_child_of(group, head), rest)
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise _UnsafeFileError(f"{name!r} is a link")
    return group[name]


def _checked_shape(dataset: Any) -> tuple[int, ...]:
    """Return a data set's shape; raises unless it is a plain array of floats in the file."""
    import h5py

    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise _UnsafeFileError("it names a weight that is no array")
    if dataset.is_virtual or dataset.external:
        raise _UnsafeFileError(f"{dataset.name!r} lies in another file")
    creation = dataset.id.get_create_plist()
    known = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
    if any(creation.get_filter(i)[0] not in known for i in range(creation.get_nfilters())):
        raise _UnsafeFileError(f"{dataset.name!r} is packed in an unknown way")
    if dataset.dtype.kind != "f" or dataset.ndim > 4:
        raise _UnsafeFileError(f"{dataset.name!r} is no array of floats")
    return tuple(dataset.shape)


def _print_cause(cause: str) -> None:
    """Print why a file is not read, for the parent."""
    print(json.dumps({"cause": cause}), flush=True)  # noqa: T201  # to the parent


def _cause(lines: Sequence[str]) -> str:
    """Return the cause that the child printed; "" if it printed none."""
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("cause"), str):
            return str(row["cause"])
    return ""
