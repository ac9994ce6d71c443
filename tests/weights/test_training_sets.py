import tomllib
from pathlib import Path

import pytest

from matte.configs.recipe_files import RECIPES_FOLDER, fill_in_sets
from matte.weights.store import SHIPPED_FOLDER
from matte.weights.training_sets import training_sets

MANIFEST = tomllib.loads((SHIPPED_FOLDER / "manifest.toml").read_text())
NAMES = [name for name, row in MANIFEST.items() if "url" not in row]
PICTURES = Path(__file__).parents[2] / "docs/images/models"


@pytest.mark.parametrize(
    "recipe", sorted(RECIPES_FOLDER.glob("*.toml")), ids=lambda path: path.stem
)
def test_every_set_of_the_recipes_is_described(recipe: Path) -> None:
    tables = fill_in_sets(tomllib.loads(recipe.read_text()), recipe)
    assert {d["folder"] for d in tables.get("data", [])} <= set(training_sets())
