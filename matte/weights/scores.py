"""Scores of networks and of whole lines on held-back pictures, with the weights they are of."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from matte.configs.loader import merge_settings, written_values
from matte.configs.tables import from_file
from matte.errors import WeightsError
from matte.files import write_file
from matte.weights.store import Weights, all_weights

SCORES_FILE = "scores.json"


@dataclass(frozen=True, slots=True)
class ErrorRatio:
    """The ratio of an error to another contestant's on the same pictures.

    With its 95 % interval, and the median of the single pictures' ratios.
    """

    name: str
    ratio: float
    low: float
    high: float
    median: float


@dataclass(frozen=True, slots=True)
class NetworkScore:
    """A metric's mean over pictures and its 95 % interval.

    `set`: the pictures' folder, as recipes name it. `trimaps`: where they came from, if any were
    needed. `metric`: its plain name in `matte eval`.
    """

    set: str
    pictures: int
    metric: str
    value: float
    low: float
    high: float
    trimaps: str = ""
    against: tuple[ErrorRatio, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """The scores of one measurement, and the sha256 of all networks that took part, by name."""

    networks: dict[str, str]
    date: str
    machine: str
    packages: dict[str, str]
    scores: tuple[NetworkScore, ...]


@dataclass(frozen=True, slots=True)
class Scoreboard:
    """The measurements of networks by name, and of whole lines by preset."""

    networks: dict[str, Measurement] = field(default_factory=dict)
    lines: dict[str, Measurement] = field(default_factory=dict)


def read_scores(folder: Path) -> Scoreboard:
    """Return the scores of the networks whose manifest lies in a folder."""
    path = folder / SCORES_FILE
    try:
        return from_file(Scoreboard, json.loads(path.read_text(encoding="utf-8")), str(path))
    except FileNotFoundError:
        return Scoreboard()
    except (OSError, ValueError) as error:
        raise WeightsError(f"can't read {path} ({error})", "measure again") from error


def save_scores(folder: Path, board: Scoreboard) -> None:
    """Replace a folder's scores."""
    text = json.dumps(asdict(board), indent=1, ensure_ascii=False, sort_keys=True)
    write_file(folder / SCORES_FILE, text.encode() + b"\n", overwrite=True)


def current_scores(name: str, weights: Weights) -> Measurement | None:
    """Return a network's scores; None if the weights of one that took part have changed since."""
    measured = read_scores(weights.folder).networks.get(name)
    return measured if measured and _has_same_weights(measured, all_weights()) else None


def current_line_scores(preset: str, folder: Path) -> Measurement | None:
    """Return a preset's scores; None if its networks or their weights have changed since."""
    measured = read_scores(folder).lines.get(preset)
    known = all_weights()
    if measured is None or not set(networks_of_preset(preset)) <= set(measured.networks):
        return None
    return measured if _has_same_weights(measured, known) else None


def networks_of_preset(preset: str) -> tuple[str, ...]:
    """Return the names of the networks that a preset's line runs."""
    chosen = written_values(merge_settings(preset).config)
    named = (chosen[setting] for setting in ("segmenter", "refiner", "modnet"))
    return tuple(name for name in named if name in all_weights())


def _has_same_weights(measured: Measurement, known: Mapping[str, Weights]) -> bool:
    """Return whether all networks of a measurement still have the weights that it measured."""
    return all(
        name in known and known[name].sha256 == sha256 for name, sha256 in measured.networks.items()
    )
