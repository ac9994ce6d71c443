"""The real script on a handful of pictures."""

import runpy
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from matte.configs.settings import SegmentationSettings
from matte.weights.cards import model_card
from matte.weights.scores import read_scores
from matte.weights.store import all_weights
from tests.conftest import save

SCRIPT = Path(__file__).parents[2] / "benchmarks/score_weights.py"
RECIPE = """
[[data]]
folder = "people"
held_back = 0.5
[[data]]
folder = "nobody"
held_back = 0.5
[[data]]
folder = "backgrounds"
layout = "backgrounds"
"""


Measure = Callable[..., None]


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Runs the script with the words; it ends as if it were called from a shell."""
    monkeypatch.syspath_prepend(SCRIPT.parent)

    def run(*words: str | Path) -> None:
        monkeypatch.setattr("sys.argv", [str(w) for w in (SCRIPT, *words, "--threads", "1")])
        runpy.run_path(str(SCRIPT), run_name="__main__")

    return run


def test_held_back_pictures_are_measured_and_kept(
    store: Path, tmp_path: Path, measure: Measure, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for folder, subject in (("people", 255), ("nobody", 0)):
        for kind in ("images", "masks"):
            (tmp_path / folder / kind).mkdir(parents=True)
        for number in range(8):
            picture = np.kron(random.integers(0, 255, (6, 6, 3)), np.ones((8, 8, 1)))
            save(tmp_path / folder / f"images/{number}.png", picture.astype(np.uint8))
            mask = np.zeros((48, 48), np.uint8)
            mask[8:40, 16:32] = subject
            save(tmp_path / folder / f"masks/{number}.png", mask)
    (tmp_path / "backgrounds").mkdir()
    save(tmp_path / "backgrounds/empty.png", np.full((48, 48, 3), 90, np.uint8))
    recipe = store / "recipe.toml"
    recipe.write_text(RECIPE)
    network = all_weights()[SegmentationSettings().segmenter]
    shutil.copy(network.path, store / "mine.onnx")
    (store / "manifest.toml").write_text(
        f'[mine]\nfile = "mine.onnx"\nkind = "segmenter"\nrecipe = "{recipe}"\n'
        f'sha256 = "{network.sha256}"\nsize = 64\n'
    )

    measure(tmp_path, "mine", "--pictures", "1")
    assert "mine, people, 1 pictures" in capsys.readouterr().out
    assert not (store / "scores.json").exists()

    sheets = tmp_path / "sheets"
    measure(tmp_path, "mine", "--sheets", sheets)
    people, nobody = read_scores(store).networks["mine"].scores
    assert (people.set, people.metric) == ("people", "miou")
    assert (nobody.set, nobody.metric) == ("nobody", "accuracy")
    for score in (people, nobody):
        assert 0 < score.pictures < 8  # the others may have been trained on
        assert score.low <= score.value <= score.high
    assert f"| people | {people.pictures} | mIoU |" in model_card("mine")
    assert {path.name for path in sheets.iterdir()} == {"mine-people.jpg", "mine-nobody.jpg"}


@pytest.mark.parametrize(("name", "told"), [("three", "no network 'three'"), ("one", "no folder")])
def test_mistakes_are_one_line(
    store: Path,
    tmp_path: Path,
    measure: Measure,
    capsys: pytest.CaptureFixture[str],
    name: str,
    told: str,
) -> None:
    with pytest.raises(SystemExit, match="1"):
        measure(tmp_path / "nowhere", name)
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert told in error
    assert error.count("\n") == 1
