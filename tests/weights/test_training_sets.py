import tomllib
from pathlib import Path

import pytest

from matte.weights.cards import (
    RECIPES_FOLDER,
)
from matte.weights.store import SHIPPED_FOLDER
from matte.weights.training_sets import training_sets

MANIFEST = tomllib.loads((SHIPPED_FOLDER / "manifest.toml").read_text())
NAMES = [name for name, row in MANIFEST.items() if "url" not in row]
PICTURES = Path(__file__).parents[2] / "docs/images/models"


@pytest.mark.parametrize(
    "recipe", sorted(RECIPES_FOLDER.glob("*.toml")), ids=lambda path: path.stem
)
def test_every_set_of_the_recipes_is_described(recipe: Path) -> None:
    sets = tomllib.loads(recipe.read_text()).get("data", [])
    if isinstance(sets, str):
        sets = tomllib.loads((RECIPES_FOLDER / f"{sets}.toml").read_text())["data"]
    assert {d["folder"] for d in sets} <= set(training_sets())
