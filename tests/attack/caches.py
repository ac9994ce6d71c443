"""Caches that are damaged, or of another network: the result must stay the same, bit for bit."""

import hashlib
import json
import os
import random
import shutil
import threading
from pathlib import Path

import numpy as np
import onnx
from onnx import external_data_helper

from tests.attack.changes import change
from tests.attack.drawing import draw, save
from tests.attack.room import Room
from tests.attack.tiny import WEIGHT, segmenter

WARMING = threading.Lock()
RUNS = {
    "openvino": ("--preset", "fast", "--backend", "openvino"),
    "auto": ("--preset", "fast"),
    "modnet": ("--trimap-free", "--backend", "openvino"),
}
ODD_JSON = (
    b"[]",
    b"{}",
    b"null",
    b"{",
    b"",
    b"\xff\xfe",
    b"[" * 100_000,
    b'{"way": 1}',
    b'{"way": {"backend": 1}}',
    b'{"way": {"backend": "x"}}',
    b'{"way": {"backend": ["openvino"]}}',
    b'{"way": {"backend": "onnx", "device": 7, "precision": null}}',
    b'{"way": {"backend": "openvino", "device": "gpu:99", "precision": "fp32"}}',
    b'{"way": {"backend": "onnx", "device": "cpu", "precision": "fp99"}}',
    b'{"way": {"backend": "onnx", "device": "cpu\\n", "why": {"a": 1}}}',
    b'{"way": {"backend": "tensorrt", "device": "cpu", "precision": "int8"}}',
)


def prepare(room: Room) -> None:
    save(room.shared / "photo.png", draw(random.Random(3), 150, 120))


def attack(room: Room) -> None:
    numbers = room.random
    if numbers.random() < 0.2:
        change_external(room)
        return
    name = numbers.choice(sorted(RUNS))
    expected = warm(room, name)
    home = room.folder / "home"
    shutil.copytree(room.server.home / name, home)
    kinds = (
        [".json"] if name == "auto" and numbers.random() < 0.4 else [".blob", ".bin", ".xml", ""]
    )
    files = sorted(path for path in (home / "cache").rglob("*") if path.is_file())
    chosen = [path for path in files if path.suffix in kinds] or files
    for path in numbers.sample(chosen, numbers.choice((1, len(chosen)))):
        damage(path, files, numbers)
    measured = any(path.suffix == ".json" for path in chosen)  # again: another way may win
    for turn in ("first", "second"):
        found = result_of(room, name, home)
        if not found or not (measured or found == expected):
            changed = f"{[p.name for p in chosen]} of {name}"
            room.report(f"{turn} run after {changed} was damaged: {found or 'no'} result")


def warm(room: Room, name: str) -> str:
    """Makes a store with warm caches, once, and returns the result with it."""
    known = room.shared / f"{name}.txt"
    with WARMING:
        if not known.exists():
            result_of(room, name, room.server.home / name)
            known.write_text(result_of(room, name, room.server.home / name))
        return known.read_text()


def damage(path: Path, files: list[Path], numbers: random.Random) -> None:
    """Damages a cache's file, or puts another one in its place."""
    data, status = path.read_bytes(), path.stat()
    others = [each for each in files if each.suffix == path.suffix and each != path]
    way = numbers.random()
    if path.suffix == ".json":
        path.write_bytes(numbers.choice((*ODD_JSON, change(data, numbers))))
    elif way < 0.2 and others:
        path.write_bytes(numbers.choice(others).read_bytes())
    elif way < 0.7:  # weights: values changed, structure kept
        out = bytearray(data)
        for _ in range(numbers.choice((1, 20, 2000))):
            out[numbers.randrange(len(out) // 10, len(out))] = numbers.randrange(256)
        path.write_bytes(out)
    else:
        path.write_bytes(change(data, numbers))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def result_of(room: Room, name: str, home: Path) -> str:
    """The hash of a run's alpha; empty if it failed."""
    alpha, out = room.folder / "a.npy", room.folder / "o.png"
    files = ("--alpha", alpha, "-o", out, "--quiet", "--overwrite")
    ending = room.matte("image", room.shared / "photo.png", *RUNS[name], *files, home=home)
    if ending.code != 0 or not alpha.is_file():
        return ""
    digest = hashlib.sha256(alpha.read_bytes()).hexdigest()
    alpha.unlink()
    return digest


def save_external(folder: Path, factor: float) -> Path:
    """Writes a network with its weights in another file."""
    made = segmenter()
    made.graph.initializer[0].raw_data = (WEIGHT * np.float32(factor)).tobytes()
    for tensor in made.graph.initializer:
        external_data_helper.set_external_data(tensor, "weights.bin")
    external_data_helper.write_external_data_tensors(made, str(folder))
    onnx.save_model(made, folder / "external.onnx")
    return folder / "external.onnx"


def change_external(room: Room) -> None:
    """Changes a network's external weights between two runs: the second must see it."""
    numbers = room.random
    save(room.folder / "p.png", draw(numbers, 60, 50))
    backend = numbers.choice((("--backend", "openvino"), ("--backend", "onnx"), ()))
    words = ("image", "p.png", "--segmenter", "external.onnx", "--refiner", "guided", *backend)
    words += ("--fallback", "none", "--mask", "m.png", "-o", "o.png", "--overwrite", "--quiet")
    words += ("--report", "r.json")
    masks: list[str] = []
    for factor, home in (
        (1.0, None),
        (numbers.choice((0.3, -1.0)), None),
        (0, room.folder / "new"),
    ):
        if factor:
            stamp = (room.folder / "weights.bin").stat() if masks else None
            save_external(room.folder, factor)
            if stamp is not None and numbers.random() < 0.5:
                place = room.folder / "weights.bin"
                os.utime(place, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
        ending = room.matte(*words, home=home)
        mask = room.folder / "m.png"
        rows = json.loads((room.folder / "r.json").read_text()) if ending.code == 0 else {}
        masks.append(hashlib.sha256(mask.read_bytes()).hexdigest() if rows else "")
    if masks[1] != masks[2]:
        room.report("external weights changed, and the old network ran", words)
