from pathlib import Path

import cv2
import pytest

from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.errors import SettingError
from matte.evaluation.masks import evaluate_segmenter
from matte.media.pictures import read_mask
from tests.conftest import save


def config(network: Path) -> Config:
    flags = {"segmenter": str(network), "size": 64, "backend": "onnx", "threads": 1}
    return merge_settings(flags=flags).config


@pytest.fixture
def blank_peer(tmp_path: Path, linear_network: object) -> Path:
    assert callable(linear_network)
    linear_network("blank", [[0.0, 0.0, 0.0]], [0.0])
    toml = tmp_path / "blank.toml"
    toml.write_text('file = "blank.onnx"')
    return toml


def test_segmenters_are_scored(masks: Path, bright: Path, blank_peer: Path) -> None:
    seen: list[int] = []
    scores = evaluate_segmenter(masks, config(bright), [blank_peer], lambda n, _: seen.append(n))
    plain = scores.as_json()
    assert plain["contestant"] == str(bright)
    assert plain["region"] == "whole"
    assert plain["miou"] > 0.9
    assert plain["compared"]["blank"]["miou"] == 0
    assert plain["against"]["miou"]["difference"] == plain["miou"]
    # In b the subject's lower half is not counted: 12 of 28 rows.
    counted = 28 * 64
    accuracy = plain["compared"]["blank"]["per_picture"]["b"]["accuracy"]
    assert accuracy == pytest.approx(1 - 12 * 32 / counted)
    assert seen == [1, 2, 3]
    assert list(scores.worst[0].pictures) == ["picture", "truth", "found", "difference"]


def test_it_is_measured_at_the_truths_size(masks: Path, bright: Path) -> None:
    path = masks / "masks/a.png"
    larger = cv2.resize(read_mask(path), None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    path.unlink()
    save(path, larger)
    other = masks / "masks/b.png"
    other.unlink()
    save(other, larger)
    scores = evaluate_segmenter(masks, config(bright))
    assert scores.pictures == ("a", "c")
    assert scores.values[str(bright)]["miou"][0] > 0.9
    assert "the truth is 240×180, the picture 64×72" in scores.skipped["b"]


def test_alpha_will_do_for_truth(mattes: Path, bright: Path) -> None:
    assert evaluate_segmenter(mattes, config(bright)).as_json()["miou"] > 0.7


def test_a_peer_of_the_same_name_is_refused(masks: Path, bright: Path, blank_peer: Path) -> None:
    with pytest.raises(SettingError, match="two contestants"):
        evaluate_segmenter(masks, config(bright), [blank_peer, blank_peer])
