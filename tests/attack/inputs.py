"""Damaged, odd and, rarely, whole files of every kind that is read, made by random numbers."""

import io
import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.changes import ODD_TEXTS, change
from tests.attack.checkpoints import hostile_checkpoint, safetensors
from tests.attack.drawing import draw, draw_trimap
from tests.attack.filming import KINDS, film
from tests.attack.graphs import GRAPHS, with_odd_metadata
from tests.attack.pictures import ENDINGS, WEIGHTS, damaged_picture
from tests.attack.tables import MANIFEST, PEER, SETTINGS, odd
from tests.attack.tiny import refiner, segmenter
from tests.conversion.tflite_file import Layer, write_tflite

Numbers = random.Random
RECIPE = """[run]
steps = 10
batch = 2
learning_rate = 0.001
[[data]]
folder = "a"
layout = "pairs"
"""
FINISH = """canvas = "2000x2000"
fill = "85%"
background = "white"
"""
RUN_LINES: list[dict[str, Any]] = [
    {"fingerprint": {"preset": "fast", "networks": {"segmenter": "0" * 64}}},
    {"target": "a-matte.png", "state": "began", "source": "a.png", "size": 9, "mtime_ns": 8},
    {"target": "a-matte.png", "state": "done", "source": "a.png", "size": 9, "at": 1.5, "ms": 7},
    {"target": "b.png", "state": "failed", "source": "b.png", "cause": "no", "remedy": "yes"},
]
CHEAP = sorted({*GRAPHS} - {"nested if", "huge constant", "long chain"})  # to make
TEXTS = tuple(
    b"1:02.5 12 3% 1.5% blur:3% #205080 white at:30%,50% 2GB 8M box:0,0,50%,100% mask:x largest"
    b" centre 2000x2000 85% drop auto".split()
)


def make_picture(numbers: Numbers) -> bytes:
    ending = numbers.choices(ENDINGS, WEIGHTS)[0]
    return damaged_picture(draw(numbers), ending, numbers)


def make_heic(numbers: Numbers) -> bytes:
    import pillow_heif

    pixels, file = draw(numbers, 40, 30), io.BytesIO()
    pillow_heif.from_bytes("RGB", (30, 40), pixels.tobytes()).save(file, quality=50)
    return change(file.getvalue(), numbers, numbers.choice((0, 300)))


def make_trimap(numbers: Numbers) -> bytes:
    grey = draw_trimap(numbers.randrange(1, 60), numbers.randrange(1, 60))
    pixels = np.repeat(grey[:, :, None], 3, axis=2)
    ending = numbers.choices((*ENDINGS, ".npy"), (*WEIGHTS, 4))[0]
    return damaged_picture(pixels, ending, numbers)


def make_clip(numbers: Numbers) -> bytes:
    ending = numbers.choice((*(kind[0] for kind in KINDS), ".gif"))
    path = Path(os.environ["FUZZ_FOLDER"]) / f"seed{numbers.randrange(20)}{ending}"
    if not path.exists():
        film(path, numbers)
    return change(path.read_bytes(), numbers, numbers.choice((0, 0, 400)))


def make_table(numbers: Numbers) -> bytes:
    text = numbers.choice((SETTINGS, MANIFEST, PEER, RECIPE, FINISH))
    return odd(text, numbers)


def make_run(numbers: Numbers) -> bytes:
    """Lines of a run file: values of wrong types, torn or damaged."""
    odd_values: tuple[Any, ...] = (
        None,
        -1,
        1e300,
        [],
        {},
        True,
        "",
        "../../x",
        "a\0b",
        "\ud800",
        10**30,
    )
    rows: list[dict[str, Any]] = [dict(numbers.choice(RUN_LINES)) for _ in range(4)]
    for _ in range(numbers.choice((0, 1, 3))):
        row = numbers.choice(rows)
        row[numbers.choice([*row, "other"])] = numbers.choice(odd_values)
    data = "\n".join(json.dumps(row) for row in rows).encode() + b"\n"
    return change(data, numbers) if numbers.random() < 0.6 else data


def make_onnx(numbers: Numbers) -> bytes:
    if numbers.random() < 0.2:
        return with_odd_metadata(numbers)
    made = numbers.choice((segmenter, refiner, lambda: GRAPHS[numbers.choice(CHEAP)](numbers)))()
    return change(made.SerializeToString(), numbers)


def make_checkpoint(numbers: Numbers) -> bytes:
    if numbers.random() < 0.3:
        return change(safetensors(numbers), numbers)
    folder = Path(os.environ["FUZZ_FOLDER"])
    made = hostile_checkpoint(folder, numbers)
    return change(made.read_bytes(), numbers) if numbers.random() < 0.5 else made.read_bytes()


def make_keras(numbers: Numbers) -> bytes:
    import h5py

    file = io.BytesIO()
    with h5py.File(file, "w") as made:
        made.attrs["layer_names"] = [b"conv"]
        group = made.create_group("conv")
        group.attrs["weight_names"] = [b"conv/kernel:0"]
        group.create_dataset("conv/kernel:0", data=np.ones((3, 3, 3, 4), np.float32))
    return change(file.getvalue(), numbers, numbers.choice((0, 0, 2000)))


def make_tflite(numbers: Numbers) -> bytes:
    """A file of one convolution, as a converter writes it, changed."""
    path = Path(os.environ["FUZZ_FOLDER"]) / "network.tflite"
    if not path.exists():
        write_tflite(path, [Layer(np.ones((2, 3, 3, 3), np.uint8), np.zeros(2, np.int32))])
    return change(path.read_bytes(), numbers)


def make_text(numbers: Numbers) -> bytes:
    text = numbers.choice(TEXTS)
    odd_ones = (*ODD_TEXTS, "١٢".encode(), b"1e400", b"nan", b"-1", b"%", b":", b"1:2:3:4")
    return numbers.choice((change(text, numbers), text + numbers.choice(odd_ones)))


def make_record(numbers: Numbers) -> bytes:
    row = {"way": {"backend": "onnx", "device": "cpu", "precision": "fp32", "why": "it is"}}
    return change(json.dumps(row).encode(), numbers)
