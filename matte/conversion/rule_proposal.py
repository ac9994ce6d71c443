"""The rule that a foreign network may go by, guessed from what it takes and gives."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.errors import BackendError, WeightsError, is_memory_error
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.session import Session
from matte.weights.peer_settings import rule_named

TRIED_PIXELS = 320  # a side, where the file leaves it free
FOUR_CHANNELS = 4  # of a picture and its trimap in one
SIDE_MAPS = 6  # of U²-Net and IS-Net, beside the fused one
MAX_SMALL_PIXELS = 512  # a side of U²-Net's input; those of IS-Net and BiRefNet are larger


@dataclass(frozen=True, slots=True, eq=False)
class ExampleRun:
    """What a network gives for a portrait of so many channels; nothing if it takes none."""

    channels: int
    outputs: Mapping[str, NDArray[Any]]


def propose_rule(file: Path, name: str, session: Session) -> WeightsError:
    """Return the error for a network of no known form: it names the command that imports it."""
    example = run_example(session)
    outputs = list(example.outputs.values())
    rule = likely_rule(list(session.inputs.values()), example)
    words = ["matte", "weights", "import", str(file), "--rule", rule or "RULE.toml", "--as", name]
    command = shlex.join(words)
    takes = ", ".join(f"{key} {_size(shape)}" for key, shape in session.inputs.items())
    gives = _size(outputs[0].shape) if outputs else "nothing that was tried"
    more = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
    cause = f"{file} takes {takes}, gives {gives}{more}, and does not say how it is fed"
    if rule:
        return WeightsError(cause, f"if it is like {rule_named(rule).about}, run '{command}'")
    return WeightsError(cause, f"describe that in a TOML (docs/weights.md), and run '{command}'")


def likely_rule(shapes: Sequence[tuple[int | None, ...]], example: ExampleRun) -> str:
    """Return the name of the rule that a network with inputs of these shapes may go by, or ""."""
    outputs = list(example.outputs.values())
    if len(shapes) != 1 or not outputs or outputs[0].ndim != 4 or outputs[0].shape[1] != 1:
        return ""
    height, width = shapes[0][2:]
    if example.channels == FOUR_CHANNELS:
        return "vitmatte"
    if height is None or width is None:
        return "modnet" if len(outputs) == 1 else ""
    if height != width:
        return ""
    if height <= MAX_SMALL_PIXELS:
        return "u2net" if len(outputs) > SIDE_MAPS else ""
    is_probability = outputs[0].min() >= 0 and outputs[0].max() <= 1
    return "isnet" if is_probability else "birefnet"


def run_example(session: Session) -> ExampleRun:
    """Return what a network of one input gives for a portrait, and a trimap where it takes one."""
    (name, shape), *others = session.inputs.items()
    if others or len(shape) != 4:
        return ExampleRun(0, {})
    _, channels, height, width = shape
    size = (height or TRIED_PIXELS, width or TRIED_PIXELS)
    for number in (channels,) if channels else (3, FOUR_CHANNELS):
        planes = portrait_inputs({"picture": (1, 3, *size), "trimap": (1, 1, *size)}, 1, *size)
        given = {3: planes["picture"], FOUR_CHANNELS: np.concatenate([*planes.values()], axis=1)}
        try:
            if number in given:
                return ExampleRun(number, session.run({name: given[number]}))
        except BackendError as error:
            if is_memory_error(error) or is_memory_error(error.__cause__ or error):
                raise
    return ExampleRun(0, {})


def _size(shape: tuple[int | None, ...]) -> str:
    """Return a shape in words: "1×3×320×320"."""
    return "×".join("?" if length is None else str(length) for length in shape)
