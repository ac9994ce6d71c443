"""The sets of pictures that shipped networks were trained on, as data.toml describes them."""

from dataclasses import dataclass

from matte.configs.tables import from_file, read_toml
from matte.weights.store import SHIPPED_FOLDER


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Pictures that shipped networks were trained on; `licence`: as their publisher states it."""

    title: str
    pictures: int
    source: str
    licence: str


def training_sets() -> dict[str, TrainingSet]:
    """Return the described training sets by the folders that recipes name."""
    path = SHIPPED_FOLDER / "data.toml"
    rows = read_toml(path).items()
    return {folder: from_file(TrainingSet, row, str(path), folder) for folder, row in rows}
