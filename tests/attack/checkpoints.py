"""Checkpoints that carry code, lie about their tensors, or are damaged."""

import io
import json
import os
import pickle
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.changes import change


class Payload:
    """A pickle of it makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self._path}'",)


def marker(folder: Path) -> Path:
    """The file that a payload makes."""
    return folder / "payload-ran"


def hostile_checkpoint(folder: Path, numbers: random.Random) -> Path:
    """Writes a checkpoint that must be refused."""
    payload = Payload(marker(folder))
    name, data = numbers.choice(
        (
            ("bad.pth", pickle.dumps(payload, protocol=numbers.randrange(6))),
            ("bad.ckpt", pickle.dumps({"state_dict": payload}, protocol=2)),
            ("bad.pt", torch_zip(pickle.dumps(payload, protocol=2), numbers)),
            ("bad.pth", torch_zip(pickle.dumps({"a": [1.0] * 9}, protocol=2), numbers)),
            ("bad.pth", nested(numbers)),
            ("bad.safetensors", safetensors(numbers)),
            ("bad.safetensors", safetensors(numbers)),
            ("bad.h5", b"\x89HDF\r\n\x1a\n" + numbers.randbytes(500)),
            ("bad.hdf5", b"\x89HDF\r\n\x1a\n" + bytes(500)),
            ("bad.tflite", b"\x1c\0\0\0TFL3" + numbers.randbytes(500)),
            ("bad.npz", npz(numbers)),
            ("bad.onnx", numbers.randbytes(300)),
        )
    )
    path = folder / name
    path.write_bytes(change(data, numbers) if numbers.random() < 0.4 else data)
    return path


def nested(numbers: random.Random) -> bytes:
    """A pickle of a dictionary in dictionaries, or one that holds itself."""
    inner: dict[str, Any] = {}
    for _ in range(numbers.choice((2, 5, 400))):
        inner = {"state_dict": inner}
    if numbers.random() < 0.5:
        inner["model"] = inner
    return pickle.dumps(inner, protocol=2)


def torch_zip(pickled: bytes, numbers: random.Random) -> bytes:
    """A checkpoint as torch.save writes it, with odd names inside."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", numbers.choice((0, 8))) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", numbers.choice((b"3\n", b"", b"999999\n")))
        archive.writestr("archive/data/0", bytes(numbers.choice((0, 4, 10_000_000))))
        archive.writestr(numbers.choice(("../../up", "/etc/x", "QQQQ", "archive/data.pkl2")), b"x")
    data = file.getvalue()
    return data.replace(b"QQQQ", b"\xff\xfe\xfdQ") if numbers.random() < 0.7 else data


def safetensors(numbers: random.Random) -> bytes:
    """A file of safetensors whose header lies."""
    row: dict[str, Any] = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    row |= numbers.choice(
        (
            {},
            {"shape": [1 << 40, 1 << 40]},
            {"shape": [-1]},
            {"data_offsets": [0, 1 << 60]},
            {"data_offsets": [16, 0]},
            {"dtype": "X"},
            {"shape": "x"},
        )
    )
    kinds = ("segmenter", "refiner", "modnet", "\n", "x" * 3000)
    facts = numbers.choice(
        (
            json.dumps({"kind": numbers.choice(kinds), "size": numbers.choice((-1, "x", 10**400))}),
            json.dumps({"kind": numbers.choice(kinds), "architecture": {"a": 1}, "width": 1e300}),
            "[]",
            "{",
            '{"kind": ["x"]}',
            "[" * 5000,
        )
    )
    metadata = numbers.choice(({"matte": facts}, {"matte": facts}, {}, {"other": "x"}))
    head = json.dumps({"__metadata__": metadata, "a": row, "b\n": row}).encode()
    length = numbers.choice((len(head), len(head), len(head), 0, 1 << 62, len(head) + 1000))
    return struct.pack("<Q", length) + head + bytes(numbers.choice((0, 16, 32)))


def npz(numbers: random.Random) -> bytes:
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return change(file.getvalue(), numbers)
