from pathlib import Path

import pytest

from matte.configs.recipe_files import recipe_names
from matte.errors import SettingError
from matte.segmentation.network import ARCHITECTURES
from matte.training.modnet_settings import ModnetRecipe
from matte.training.recipes import read_recipe
from matte.training.settings import RefinerRecipe, SegmenterRecipe

SEGMENTERS = {
    "clothing": 384,
    "likeunet-dark": 512,
    "likeunet-dark-light": 512,
    "likeunet-night": 512,
    "mobile-unet": 128,
    "person": 448,
    "person-light": 320,
    "subject-light": 320,
    "u2netp": 288,
}


@pytest.mark.parametrize("name", SEGMENTERS)
def test_the_shipped_segmenters_recipes_can_be_read(name: str) -> None:
    assert name in recipe_names()
    settings = read_recipe(SegmenterRecipe, name)
    assert settings.size == SEGMENTERS[name]
    assert settings.architecture in ARCHITECTURES


def test_the_shipped_refiners_recipes_differ_in_their_attention() -> None:
    assert read_recipe(RefinerRecipe, "gca-slim").attention
    assert not read_recipe(RefinerRecipe, "gca-slim-plain").attention


def test_the_garments_modnet_is_the_portraits_but_for_its_first_layers() -> None:
    portraits, garments = (read_recipe(ModnetRecipe, n) for n in ("modnet", "modnet-clothing"))
    for name in ("encoder", "context", "width", "reference"):
        assert getattr(portraits, name) == getattr(garments, name)
    assert garments.run.freeze > portraits.run.freeze == 0
    assert garments.mix.degrees == 90


def test_a_mistyped_recipe_is_named() -> None:
    with pytest.raises(SettingError, match="did you mean 'person'"):
        read_recipe(SegmenterRecipe, "persn")


def test_a_recipe_may_train_on_the_sets_of_another(recipe: Path) -> None:
    shipped, other = recipe.with_name("shipped.toml"), recipe.with_name("other.toml")
    shipped.write_text('data = "person"\narchitecture = "deeplab-unet"\n')
    other.write_text(f'data = "{recipe.name}"\narchitecture = "deeplab-unet"\n')

    sets_of_shipped = read_recipe(SegmenterRecipe, str(shipped)).data
    sets_of_file = read_recipe(SegmenterRecipe, str(other)).data

    assert sets_of_shipped == read_recipe(SegmenterRecipe, "person").data
    assert sets_of_file == read_recipe(SegmenterRecipe, str(recipe)).data


@pytest.mark.parametrize(
    ("owner", "told"),
    [("persn", "did you mean 'person'"), ("subject-u2netp", "has no .* of its own: name one")],
)
def test_whose_sets_a_recipe_cannot_have_is_told(tmp_path: Path, owner: str, told: str) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(f'data = "{owner}"\narchitecture = "deeplab-unet"\n')

    with pytest.raises(SettingError, match=told):
        read_recipe(SegmenterRecipe, str(recipe))


def test_fields_of_a_recipe_can_be_changed(recipe: Path) -> None:
    before = read_recipe(SegmenterRecipe, str(recipe))
    changes = ("run.steps=7", "boundary = 2.5", 'run.schedule="plateau"', "sizes=[64, 96]")
    after = read_recipe(SegmenterRecipe, str(recipe), changes)
    assert (after.run.steps, after.boundary, after.run.schedule) == (7, 2.5, "plateau")
    assert after.sizes == (64, 96)
    assert after.data == before.data
    assert after.run.batch == before.run.batch


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("run.stebs=7", "did you mean 'steps'"),
        ("run.steps", "can't read 'run.steps'"),
        ("run.schedule=cosine", "can't read"),
        ("data.weight=1", "can't change 'data.weight=1'"),
        ("boundary.x=1", "give a number"),
        ("run={steps=1, batch=2}", "one field at a time"),
        ("", "one field at a time"),
    ],
)
def test_a_mistaken_change_is_named(recipe: Path, change: str, told: str) -> None:
    with pytest.raises(SettingError, match=told):
        read_recipe(SegmenterRecipe, str(recipe), [change])


def test_an_error_is_blamed_on_the_change_that_brought_it_or_the_file(recipe: Path) -> None:
    def error_of(*changes: str) -> str:
        with pytest.raises(SettingError) as caught:
            read_recipe(SegmenterRecipe, str(recipe), changes)
        return str(caught.value)

    assert (
        error_of("boundary=2", "run.steps=-3") == "--set run.steps=-3: steps = -3: give at least 1"
    )
    assert error_of("run.stebs=7").startswith("--set run.stebs=7: no setting 'stebs' in run: ")
    assert error_of("run.steps=-3", "run.steps=-3").startswith("--set run.steps=-3: ")
    recipe.write_text(recipe.read_text().replace("[run]", "[run]\nclip = 0"))
    assert error_of("boundary=2").startswith(f"{recipe}: clip = 0")


def test_a_change_may_mend_what_the_file_has_wrong(recipe: Path) -> None:
    recipe.write_text(recipe.read_text().replace("[run]", "[run]\nclip = 0"))
    assert read_recipe(SegmenterRecipe, str(recipe), ["run.clip=1"]).run.clip == 1
    with pytest.raises(SettingError, match=r"^--set run\.steps=0: steps = 0: give at least 1"):
        read_recipe(SegmenterRecipe, str(recipe), ["run.clip=1", "run.steps=0"])
