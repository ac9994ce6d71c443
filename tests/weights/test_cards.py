import tomllib
from pathlib import Path

import pytest

from matte.errors import WeightsError
from matte.weights.cards import (
    all_model_cards,
    model_card,
    network_table,
    preset_scores,
)
from matte.weights.scores import ErrorRatio, Measurement, NetworkScore, Scoreboard, save_scores
from matte.weights.store import SHIPPED_FOLDER, all_weights, weights_named
from matte.weights.training_sets import training_sets
from tests.weights.conftest import list_networks

MANIFEST = tomllib.loads((SHIPPED_FOLDER / "manifest.toml").read_text())
NAMES = [name for name, row in MANIFEST.items() if "url" not in row]
PICTURES = Path(__file__).parents[2] / "docs/images/models"


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_shipped_has_a_whole_card(name: str) -> None:
    weights = weights_named(name)
    assert f"--config {weights.recipe} " in weights.command
    assert weights.start
    assert weights.steps > 0
    assert weights.weaknesses
    assert bool(weights.failures) == (PICTURES / f"{name}.jpg").is_file()
    text = model_card(name)
    for part in ("Training.", "Licence.", "Scores", "Weaknesses"):
        assert f"**{part}" in text
    assert weights.command in text
    assert all(weakness in text for weakness in weights.weaknesses)
    assert "train on your own" in text


def test_scores_stand_in_the_card_while_they_are_true(store: Path) -> None:
    assert "Not measured yet." in model_card("one")
    against = (ErrorRatio("closed-form", 0.8, 0.7, 0.9, 0.75),)
    folder = "matting_gt/alphamatting_lowres"
    scores = (
        NetworkScore(folder, 3, "sad", 6.504, 5.0, 8.006, "trimap1", against),
        NetworkScore("elsewhere", 1, "mse", 0.02824, 0.0251, 0.0312),
    )
    measured = Measurement({"one": "11"}, "2026-11-01", "x86_64", {}, scores)
    save_scores(store, Scoreboard({"one": measured}))
    text = model_card("one")
    title = training_sets()[folder].title
    row = "6.50 (5.00 … 8.01) | × 0.80 (0.70 … 0.90), median 0.75 |"
    assert f"| {title} | trimap1 | 3 | SAD (k) | {row}" in text
    assert "| elsewhere |  | 1 | MSE | 0.0282 (0.0251 … 0.0312) |  |" in text
    assert "score_weights.py DATA one" in text
    list_networks(store, one="new weights")
    assert "Not measured yet." in model_card("one")


def test_excluded_pictures_are_not_counted(store: Path) -> None:
    recipe = store / "recipe.toml"
    recipe.write_text('[[data]]\nfolder = "person_seg/ccp"\nexclude = ["a", "b"]\n')
    row = f'[own]\nfile = "own.onnx"\nkind = "segmenter"\nrecipe = "{recipe}"\n'
    (store / "manifest.toml").write_text(row)
    ccp = training_sets()["person_seg/ccp"]
    assert f"| {ccp.title} | {ccp.pictures - 2} | {ccp.source} |" in model_card("own")


def test_sets_that_a_recipe_takes_from_another_are_named(store: Path) -> None:
    recipe = store / "recipe.toml"
    recipe.write_text('data = "likeunet-dark"\n')
    row = f'[own]\nfile = "own.onnx"\nkind = "segmenter"\nrecipe = "{recipe}"\n'
    (store / "manifest.toml").write_text(row)
    assert "| Portraits (AISegment) | 30 |" in model_card("own")


def test_failures_are_shown_where_the_pictures_are(store: Path) -> None:
    row = '[own]\nfile = "own.onnx"\nkind = "segmenter"\nfailures = "A chair; photo CC0."\n'
    (store / "manifest.toml").write_text(row)
    assert "![" not in model_card("own")
    shown = model_card("own", Path("images/models"))
    assert "![Failures of own](images/models/own.jpg)\n\nA chair; photo CC0." in shown


def test_what_is_not_known_is_left_out(store: Path) -> None:
    (store / "manifest.toml").write_text('[own]\nfile = "own.onnx"\nkind = "modnet"\n')
    text = model_card("own")
    assert text.startswith("## own\n\nA trimap-free network")
    assert "`own.onnx`, missing." in text
    assert "matte photo.jpg --trimap-free --modnet own" in text
    assert "**" not in text


def test_a_download_tells_how_to_get_it() -> None:
    name = next(name for name, w in all_weights().items() if w.url and w.kind == "modnet")
    text = model_card(name)
    assert f"```sh\nmatte weights download {name}\nmatte photo.jpg" in text
    assert all_weights()[name].url in text
    assert "**Licence.** Apache-2.0." in text


def test_an_unknown_name_is_answered(store: Path) -> None:
    with pytest.raises(WeightsError, match="no network 'ones': did you mean 'one'"):
        model_card("ones")


def test_the_pages_name_every_shipped_network_and_preset() -> None:
    table, page = network_table(), all_model_cards()
    for name in NAMES:
        assert f"| `{name}` |" in table
        assert f"## {name}\n" in page
    for preset in ("balanced", "best", "fast"):
        assert f"**`{preset}`**" in preset_scores()
