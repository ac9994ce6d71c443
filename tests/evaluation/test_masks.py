from pathlib import Path

import cv2
import numpy as np
import pytest

from matte.configs.loader import merge_settings
from matte.configs.settings import Config
from matte.errors import SettingError
from matte.evaluation.masks import TWO_CLASS_MIOU, evaluate_segmenter, evaluate_segmenters
from matte.media.pictures import read_mask
from tests.conftest import save
from tests.evaluation.conftest import Write


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


def test_several_segmenters_and_what_they_cost(
    masks: Path, bright: Path, linear_network: Write, blank_peer: Path
) -> None:
    weak = str(linear_network("weak", [[2.0, 2.0, 2.0]], [-5.9], sigmoid=True))
    names, seen = [str(bright), weak], list[tuple[int, int]]()

    def watch(done: int, total: int) -> None:
        seen.append((done, total))

    scores = evaluate_segmenters(masks, names, config(bright), [blank_peer], 1, watch)
    assert list(scores.values) == [*names, "blank"]
    assert scores.metrics == ("miou", "accuracy")
    assert seen == [(done, 7) for done in range(1, 8)], "three networks, one turn, three pictures"
    plain = scores.as_json()
    assert plain["costs"]["parameters"] == 4
    assert plain["compared"][weak]["costs"]["input"] == {"width": 64, "height": 64}
    assert plain["compared"]["blank"]["costs"]["input"] == {"width": 512, "height": 512}
    assert plain["machine"]["threads"] == 1, "as the settings ask for"
    assert plain[TWO_CLASS_MIOU] > 0.9
    low, high = plain["intervals"][TWO_CLASS_MIOU]
    assert low <= plain[TWO_CLASS_MIOU] <= high
    assert "subject_both" not in plain["per_picture"]["a"]


def test_two_classes_are_counted_over_all_pixels_at_once(masks: Path, blank_peer: Path) -> None:
    """What finds nothing has the background's share of the pixels, of pictures of one weight."""
    scores = evaluate_segmenters(masks, [str(blank_peer)], config(blank_peer), runs=0)
    shares = [1 - 24 * 32 / (60 * 80), 1 - 12 * 32 / (28 * 64), 1 - 24 * 32 / (96 * 100)]
    (pooled,) = scores.pooled.values()
    assert pooled[TWO_CLASS_MIOU].value == pytest.approx((0 + np.mean(shares)) / 2)
    assert not scores.costs
    assert "costs" not in scores.as_json()
    assert "machine" not in scores.as_json()


def test_a_segmenter_is_named_once(masks: Path, bright: Path) -> None:
    with pytest.raises(SettingError, match="two contestants"):
        evaluate_segmenters(masks, [str(bright), str(bright)], config(bright))
