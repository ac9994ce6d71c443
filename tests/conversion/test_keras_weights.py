"""Keras's weight files are read as data; what leads out of them is refused."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from matte import limits
from matte.conversion import keras_weights
from matte.conversion.keras_weights import read_in_child, read_keras_weights
from matte.errors import WeightsError

KERNEL = np.arange(18, dtype=np.float32).reshape(3, 3, 1, 2)
Change = Callable[[h5py.File], None]


def weights_file(path: Path, change: Change = lambda _: None) -> Path:
    """A file of one layer, as Keras lays it out."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        layer = file.create_group("conv")
        layer.attrs["weight_names"] = [b"conv/kernel:0", b"conv/bias:0"]
        layer["conv/kernel:0"] = KERNEL
        layer["conv/bias:0"] = np.ones(2, np.float64)
        change(file)
    return path


def test_arrays_come_in_the_order_of_the_layers(tmp_path: Path) -> None:
    kernel, bias = read_keras_weights(weights_file(tmp_path / "a.h5"))
    np.testing.assert_array_equal(kernel, KERNEL)
    assert bias.dtype == np.float32
    assert bias.tolist() == [1, 1]


def test_whole_models_are_read_too(tmp_path: Path) -> None:
    def nest(file: h5py.File) -> None:
        inner = file.create_group("model_weights")
        inner.attrs["layer_names"] = file.attrs["layer_names"]
        file.move("conv", "model_weights/conv")

    assert len(read_keras_weights(weights_file(tmp_path / "a.h5", nest))) == 2


def _replace(file: h5py.File, value: object) -> None:
    del file["conv/conv/kernel:0"]
    file["conv/conv/kernel:0"] = value


def _external_data(file: h5py.File) -> None:
    del file["conv/conv/kernel:0"]
    stored = [("/etc/hostname", 0, 4)]
    file.create_dataset("conv/conv/kernel:0", (1,), np.float32, external=stored)


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 3, 1, 2), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "x", (3, 3, 1, 2))
    del file["conv/conv/kernel:0"]
    file.create_virtual_dataset("conv/conv/kernel:0", layout)


def _unknown_filter(file: h5py.File) -> None:
    del file["conv/conv/kernel:0"]
    file.create_dataset("conv/conv/kernel:0", data=KERNEL, chunks=True, compression="lzf")


def _giant(file: h5py.File) -> None:
    del file["conv/conv/kernel:0"]
    file.create_dataset("conv/conv/kernel:0", (1 << 40,), np.float32, chunks=(1 << 20,))


HOSTILE: dict[str, Change] = {
    "a link": lambda file: _replace(file, h5py.ExternalLink("/etc/x.h5", "/y")),
    "is a link": lambda file: _replace(file, h5py.SoftLink("/conv/conv/bias:0")),
    "in another file": _external_data,
    "lies in another": _virtual,
    "unknown way": _unknown_filter,
    "too much": _giant,
    "no array of floats": lambda file: _replace(file, np.ones(3, np.int64)),
    "is no number": lambda file: _replace(file, np.full(3, np.nan, np.float32)),
    "lists no layers": lambda file: file.attrs.pop("layer_names"),
    "it has no": lambda file: file["conv"].attrs.__setitem__("weight_names", [b"../conv"]),
}


@pytest.mark.parametrize("cause", HOSTILE)
def test_only_plain_arrays_are_read(
    cause: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the function that the child runs: it is quicker here."""
    file, target = weights_file(tmp_path / "a.h5", HOSTILE[cause]), tmp_path / "a.npz"
    read_in_child([str(file), str(target)])
    assert cause in capsys.readouterr().out
    assert not target.exists()


def test_a_hostile_file_is_one_error(tmp_path: Path) -> None:
    file = weights_file(tmp_path / "a.h5", HOSTILE["is a link"])
    with pytest.raises(WeightsError, match="is a link"):
        read_keras_weights(file)
    data = weights_file(tmp_path / "b.h5").read_bytes()
    for damaged in (data[:300], b"\x89HDF\r\n\x1a\n" + b"\xff" * 99, b""):
        file.write_bytes(damaged)
        with pytest.raises(WeightsError, match="damaged"):
            read_keras_weights(file)
    with pytest.raises(WeightsError, match="No such file"):
        read_keras_weights(tmp_path / "none.h5")


def test_large_files_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras_weights, "MAX_KERAS_BYTES", 100)
    assert limits.MAX_KERAS_BYTES > 100
    with pytest.raises(WeightsError, match="over"):
        read_keras_weights(weights_file(tmp_path / "a.h5"))
