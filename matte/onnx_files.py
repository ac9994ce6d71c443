"""What an ONNX file is made of, read without any library: its fields, and the files it names.

Runtimes guess at files that are none, print what they think of them, and read whatever other files
they name. So a file is looked at here before a runtime opens it.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from matte.errors import WeightsError
from matte.limits import (
    MAX_EXTERNAL_BYTES,
    MAX_GRAPH_NESTING,
    check_network_file,
    check_onnx_bytes,
)

# The fields of ONNX's messages that lead to tensors, by their numbers; and those messages' kinds.
ONNX_SUFFIX = ".onnx"
GRAPH_FIELD = 7  # of a model: its graph
MESSAGES = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
OUTPUT_FIELD = 12  # of a graph: an output
# Of them, those that lead to the tensors that a runtime calculates with.
RUN_MESSAGES = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {},
}
TENSOR_LENGTHS, TENSOR_TYPE = 1, 2  # the fields of a tensor
# Kinds of numbers that weights are stored as: float32, uint8, int8, float16, float64, bfloat16.
WEIGHT_TYPES = (1, 2, 3, 10, 11, 16)
ENTRY_KEY, ENTRY_VALUE = 1, 2  # the fields of an entry of a tensor's external data
WIRE_BYTES = {1: 8, 5: 4}  # of the kinds of fields that have a fixed length


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """An ONNX file, whole, and the SHA-256 of all that is read of it: it and its external data."""

    path: Path
    digest: str
    external: tuple[Path, ...] = ()


def read_onnx_file(path: Path) -> OnnxFile:
    """Return what an ONNX file is; raises WeightsError for one that is none, or not whole."""
    check_onnx_bytes(path)
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WeightsError(f"can't read {path} ({reason})", "name an ONNX file") from error
    try:
        locations = _external_locations(memoryview(data))
    except (IndexError, ValueError) as error:
        raise _broken_file(path) from error
    external = tuple(_external_file(path, location) for location in sorted(locations))
    digest = hashlib.sha256(data)
    for file in external:
        digest.update(repr(file.name).encode(errors="surrogateescape") + _file_hash(file))
    return OnnxFile(path, digest.hexdigest(), external)


def network_digest(path: Path) -> str:
    """Return the SHA-256 of an ONNX file, with its external data where it has any."""
    return read_onnx_file(path).digest


def count_outputs(path: Path) -> int:
    """Return how many outputs a whole ONNX file's network has."""
    graphs = (g for number, g in _fields(memoryview(path.read_bytes())) if number == GRAPH_FIELD)
    return sum(number == OUTPUT_FIELD for graph in graphs for number, _ in _fields(graph))


def count_parameters(path: Path) -> int:
    """Return how many numbers an ONNX file's weights are, whatever they are stored as.

    What only training reads, and whole numbers that say how long something is, don't count.
    """
    total = 0
    pending = [("model", memoryview(path.read_bytes()))]
    try:
        while pending:
            kind, message = pending.pop()
            if kind == "tensor":
                total += _weight_count(message)
            for number, content in _fields(message):
                if number in RUN_MESSAGES[kind]:
                    pending.append((RUN_MESSAGES[kind][number], content))
    except (IndexError, ValueError) as error:
        raise _broken_file(path) from error
    return total


def is_inner_path(name: str) -> bool:
    """Return whether a relative name stays in its folder, or in one below, on every system."""
    parts = PurePosixPath(name).parts + PureWindowsPath(name).parts
    rooted = name.startswith("/") or PureWindowsPath(name).anchor
    return bool(parts) and "\0" not in name and ".." not in parts and not rooted


def _broken_file(path: Path) -> WeightsError:
    """Return the error for a file that is no ONNX file, or not whole."""
    return WeightsError(f"{path} is not a whole ONNX file", "give a network's name or its .onnx")


def _external_file(path: Path, location: bytes) -> Path:
    """Return the file that an ONNX file names for its tensors; it must lie beside it or below."""
    name = location.decode(errors="surrogateescape")
    if not is_inner_path(name):
        raise WeightsError(
            f"{path} names a file outside its folder ({name!r})", "get it from somebody you trust"
        )
    return path.parent / name


def _file_hash(file: Path) -> bytes:
    """Return the SHA-256 of a file of tensors."""
    check_network_file(file, MAX_EXTERNAL_BYTES, "put the network's weights in its place")
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").digest()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise WeightsError(
            f"can't read {file} ({reason}), which holds the network's weights",
            "put it beside its .onnx",
        ) from error


def _external_locations(model: memoryview) -> set[bytes]:
    """Return where a model says that its tensors are; raises ValueError unless it is whole."""
    locations: set[bytes] = set()
    has_graph = False
    pending = [("model", model, 0)]
    while pending:
        kind, message, depth = pending.pop()
        if depth > MAX_GRAPH_NESTING:
            raise ValueError("graphs in graphs without end")
        if kind == "entry":
            entry = dict(_fields(message))
            if bytes(entry.get(ENTRY_KEY, b"")) == b"location":
                locations.add(bytes(entry.get(ENTRY_VALUE, b"")))
            continue
        inner = MESSAGES[kind]
        for number, content in _fields(message):
            has_graph = has_graph or (kind == "model" and number == GRAPH_FIELD)
            if number in inner:
                pending.append((inner[number], content, depth + 1))
    if not has_graph:
        raise ValueError("no graph")
    return locations


def _weight_count(tensor: memoryview) -> int:
    """Return how many numbers a tensor holds; 0 if it holds none that a weight can be."""
    lengths: list[int] = []
    type_number = 0
    for number, content in _all_fields(tensor):
        if number == TENSOR_LENGTHS and isinstance(content, int):
            lengths.append(content)
        elif number == TENSOR_LENGTHS and isinstance(content, memoryview):
            at = 0
            while at < len(content):
                length, at = _read_varint(content, at)
                lengths.append(length)
        elif number == TENSOR_TYPE and isinstance(content, int):
            type_number = content
    return math.prod(lengths) if type_number in WEIGHT_TYPES else 0


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield the number and the bytes of each field of a protobuf message that holds bytes."""
    for number, content in _all_fields(message):
        if isinstance(content, memoryview):
            yield number, content


def _all_fields(message: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Yield the number of each field of a protobuf message, and its bytes or its whole number."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        wire = tag & 7
        if wire == 0:
            value, at = _read_varint(message, at)
            yield tag >> 3, value
        elif wire == 2:
            length, at = _read_varint(message, at)
            if at + length > len(message):
                raise ValueError("cut off")
            yield tag >> 3, message[at : at + length]
            at += length
        else:
            at += WIRE_BYTES.get(wire, len(message))
            if at > len(message):
                raise ValueError("cut off")


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return a protobuf number, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("no number")
