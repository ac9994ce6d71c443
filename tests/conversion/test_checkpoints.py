import io
import os
import pickle
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from matte.conversion.checkpoints import _NumpyTypeStandIn, _scalar_stand_in, read_state_dict
from matte.errors import WeightsError

STATE = {"module.a.weight": torch.arange(6.0).reshape(2, 3), "module.a.steps": torch.tensor(3)}


def saved(value: Any, path: Path, *, legacy: bool) -> Path:
    """As torch.save of 2020 wrote it: numpy's scalars under the name that they had then."""
    stream = io.BytesIO()
    torch.save(value, stream, _use_new_zipfile_serialization=not legacy)
    then = (b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    if legacy:
        path.write_bytes(stream.getvalue().replace(*then))
        return path
    with zipfile.ZipFile(stream) as given, zipfile.ZipFile(path, "w") as written:
        for name in given.namelist():
            written.writestr(name, given.read(name).replace(*then))
    return path


def training_checkpoint() -> dict[str, Any]:
    """What a training of 2020 left: tensors, an optimiser that has stepped, numpy's numbers."""
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.rand(1, 3)).sum().backward()
    optimizer.step()
    return {
        "epoch": 7,
        "best": np.float64(0.25),
        "losses": [np.float32(1.5), np.int64(-3), np.bool_(True)],
        "history": defaultdict(dict, {"val": {"sad": np.float64(35.28)}}),
        "opt": optimizer.state_dict(),
        "state_dict": OrderedDict(STATE),
    }


def same(found: dict[str, torch.Tensor]) -> bool:
    return list(found) == list(STATE) and all(torch.equal(found[k], t) for k, t in STATE.items())


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize(
    "value",
    [
        STATE,
        OrderedDict(STATE),
        {"state_dict": STATE, "epoch": 3},
        {"model": {"state_dict": STATE}},
        {"model_state_dict": {k: nn.Parameter(t, requires_grad=False) for k, t in STATE.items()}},
        training_checkpoint(),
    ],
    ids=["flat", "ordered", "nested", "twice nested", "parameters", "training"],
)
def test_what_users_own_is_read(value: Any, legacy: bool, tmp_path: Path) -> None:
    path = saved(value, tmp_path / "net.pth", legacy=legacy)
    assert same(read_state_dict(path))


def test_the_numbers_are_those_of_2020(tmp_path: Path) -> None:
    path = saved(training_checkpoint(), tmp_path / "net.pth", legacy=True)
    stream = path.read_bytes()
    assert b"cnumpy.core.multiarray\nscalar\n" in stream
    assert b"numpy._core" not in stream
    assert b"ccollections\ndefaultdict\n" in stream


def test_numpys_numbers_keep_their_values() -> None:
    for value in (np.float64(0.25), np.int16(-3), np.bool_(True), np.uint8(200), np.float16(2)):
        kind = _NumpyTypeStandIn(value.dtype.str[1:], False, True)
        kind.__setstate__((3, "<", None, None, None, -1, -1, 0))
        assert _scalar_stand_in(kind, value.tobytes()) == value
    kind = _NumpyTypeStandIn("f4", False, True)
    kind.__setstate__((3, ">", None, None, None, -1, -1, 0))
    assert _scalar_stand_in(kind, np.array(2.5, ">f4").tobytes()) == 2.5


def test_safetensors_are_read_by_content(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "net.safetensors")
    (tmp_path / "renamed.ckpt").write_bytes((tmp_path / "net.safetensors").read_bytes())
    for path in tmp_path.iterdir():
        assert same(
            dict(sorted(read_state_dict(path).items(), key=lambda i: i[0][-1], reverse=True))
        )


class _Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._mark}",)


class _Own:
    """A class that only the code that saved it knows."""


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_code_in_a_checkpoint_does_not_run(legacy: bool, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    path = saved({"state_dict": STATE, "x": _Evil(mark)}, tmp_path / "net.pth", legacy=legacy)
    with pytest.raises(WeightsError, match=r"holds (posix|nt)\.system, which matte doesn't load"):
        read_state_dict(path)
    assert not mark.exists()
    path.write_bytes(pickle.dumps(_Evil(mark), protocol=2))
    with pytest.raises(WeightsError):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(_Evil(mark), protocol=4))
    with pytest.raises(WeightsError):
        read_state_dict(path)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"state_dict": STATE, "args": _Own()}, r"tests\.conversion\.test_checkpoints\._Own"),
        ({"state_dict": STATE, "x": np.zeros(3)}, r"numpy\.(_?core\.multiarray\._reconstruct)"),
        ({"state_dict": STATE, "x": Path("x")}, r"pathlib\.\w+Path"),
        (nn.Linear(1, 1), r"torch\.nn\.modules\.linear\.Linear"),
        ({"state_dict": STATE, "x": eval}, "eval"),
        ({"state_dict": STATE, "x": defaultdict(list)}, "list"),
    ],
    ids=["class", "array", "path", "module", "eval", "factory"],
)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_anything_else_is_refused_by_its_name(
    value: Any, name: str, legacy: bool, tmp_path: Path
) -> None:
    path = saved(value, tmp_path / "net.pth", legacy=legacy)
    with pytest.raises(WeightsError, match=rf"net\.pth holds {name}, which matte doesn't load"):
        read_state_dict(path)


def test_numpy_types_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path = saved({"x": np.void(b"abc"), **STATE}, tmp_path / "net.pth", legacy=True)
    with pytest.raises(WeightsError, match="numpy's type 'V3' is no number's"):
        read_state_dict(path)


def test_nothing_stays_allowed(tmp_path: Path) -> None:
    before = set(torch.serialization.get_safe_globals())
    read_state_dict(saved(training_checkpoint(), tmp_path / "net.pth", legacy=False))
    assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "holds no tensors by name"),
        ({}, "holds no tensors by name"),
        ({"epoch": 3, "a": torch.zeros(1)}, "its 'epoch' is not a plain tensor"),
        ({1: torch.zeros(1)}, "its 1 is not a plain tensor"),
        ({"a": torch.zeros(1, device="meta")}, "its 'a' is not a plain tensor"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "its 'a' is not a plain tensor"),
    ],
)
def test_other_contents_are_refused(value: Any, message: str, tmp_path: Path) -> None:
    torch.save(value, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match=message):
        read_state_dict(tmp_path / "net.pth")


def test_a_dictionary_within_itself_is_refused(tmp_path: Path) -> None:
    endless: dict[str, Any] = {}
    endless["model"] = endless
    torch.save(endless, tmp_path / "net.pth")
    with pytest.raises(WeightsError, match="its 'model' is not a plain tensor"):
        read_state_dict(tmp_path / "net.pth")


def zipped(name: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, b"hello")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"not a checkpoint at all", "is not a checkpoint"),
        (b"\x08\x07\x12\x07pytorch: an ONNX file", "is not a checkpoint"),
        (b"\x80\x02garbage", "can be read safely"),
        (b"PK\x03\x04 and then nothing", "is cut off or damaged"),
        (zipped("readme.txt"), "is a zip file of something else"),
        (zipped("net/tät").replace("ä".encode(), b"\xff\xfe"), "is cut off or damaged"),
        (zipped("net/constants.pkl"), "is TorchScript, a program"),
        (zipped("net/data.pkl"), "can be read safely|is cut off or damaged"),
        (b"\xff" * 8 + b"{", "is not a whole safetensors file"),
    ],
)
def test_what_is_no_checkpoint_gets_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.ckpt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_cut_off_files_are_refused(legacy: bool, part: float, tmp_path: Path) -> None:
    path = saved({"state_dict": STATE}, tmp_path / "net.pth", legacy=legacy)
    stream = path.read_bytes()
    path.write_bytes(stream[: int(part * len(stream))])
    with pytest.raises(WeightsError, match=r"cut off or damaged|can be read safely"):
        read_state_dict(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"can't read .*none\.pth: No such file"):
        read_state_dict(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match="can't read"):
        read_state_dict(tmp_path)
