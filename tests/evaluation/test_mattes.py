from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Trimap
from matte.configs.loader import MergedSettings, merge_settings
from matte.errors import MatteError, PictureError
from matte.evaluation.mattes import evaluate_modnet, evaluate_pipeline, evaluate_refiner
from matte.evaluation.trimaps import trimaps_from_alpha, trimaps_from_folder
from matte.media.encoding import encode_alpha
from matte.media.pictures import read_alpha, read_image
from matte.metrics.mattes import sad
from matte.refiner.guided import Guided
from tests.conftest import save
from tests.evaluation.conftest import SIZES, Write


def merged(**flags: object) -> MergedSettings:
    return merge_settings(flags={"backend": "onnx", "threads": 1, **flags})


def test_refiners_are_measured_where_the_trimap_is_unknown(mattes: Path) -> None:
    scores = evaluate_refiner(
        mattes, ["guided"], merged().config, trimaps_from_folder(mattes / "trimap1")
    )
    plain = scores.as_json()
    assert (plain["contestant"], plain["reference"]) == ("guided", "blind")
    assert (plain["region"], plain["pictures"]) == ("unknown", 3)
    assert list(plain["compared"]) == ["blind"]
    assert set(scores.metrics) == {"sad", "mse", "mad", "grad", "conn"}
    assert plain["against"]["sad"]["high"] < 0.5
    # The stray 102 of the files is unknown.
    trimap = np.zeros((60, 80), np.uint8)
    stored = read_alpha(mattes / "trimap1/a.png")
    trimap[(stored > 0.3) & (stored < 0.6)] = 128
    trimap[stored == 1] = 255
    known = Trimap(trimap)
    found = Guided().refine(read_image(mattes / "input/a.png"), known).alpha
    by_hand = sad(found, read_alpha(mattes / "gt/a.png"), known == 128)
    assert plain["per_picture"]["a"]["sad"] == pytest.approx(by_hand)
    assert list(scores.worst[0].pictures) == ["picture", "truth", "trimap", "found", "difference"]


def test_the_order_is_the_users_and_blind_is_always_there(mattes: Path) -> None:
    source = trimaps_from_alpha(6)
    for names in (["blind", "guided"], ["guided", "blind"]):
        found = evaluate_refiner(mattes, names, merged().config, source)
        assert list(found.values) == names
        assert found.evaluated == names[0]
    alone = evaluate_refiner(mattes, ["blind"], merged().config, source)
    assert alone.as_json()["compared"] == {}


def test_the_lines_own_trimaps_are_not_trusted(mattes: Path, bright: Path) -> None:
    """A subject that the segmenter misses is not unknown, but counts."""
    config = merged(segmenter=str(bright), size=64, k=3, iterations=3).config
    before = evaluate_refiner(mattes, ["guided"], config).as_json()
    image = read_image(mattes / "input/a.png").copy()
    alpha = read_alpha(mattes / "gt/a.png").copy()
    image[2:8, 2:8], alpha[2:8, 2:8] = 20, 1
    (mattes / "input/a.png").unlink()
    save(mattes / "input/a.png", image)
    (mattes / "gt/a.png").write_bytes(encode_alpha(alpha, ".png"))
    after = evaluate_refiner(mattes, ["guided"], config).as_json()
    was, now = before["per_picture"]["a"], after["per_picture"]["a"]
    assert now["mad"] == was["mad"]
    assert now["mad_whole"] - was["mad_whole"] == pytest.approx(36 / 4800, abs=1e-4)


def test_gca_is_the_named_network(mattes: Path, linear_network: Write) -> None:
    with pytest.raises(MatteError, match=r"can't read none\.onnx"):
        evaluate_refiner(
            mattes, ["gca"], merged().config, trimaps_from_alpha(6), weights="none.onnx"
        )
    with pytest.raises(MatteError, match="no refiner 'gided': did you mean 'guided'"):
        evaluate_refiner(mattes, ["gided"], merged().config, trimaps_from_alpha(6))


def test_closed_form_skips_what_it_can_not_solve(mattes: Path) -> None:
    pytest.importorskip("pymatting")
    (mattes / "trimap1/b.png").unlink()
    save(mattes / "trimap1/b.png", np.full(SIZES["b"], 128, np.uint8))
    scores = evaluate_refiner(
        mattes, ["closed-form"], merged().config, trimaps_from_folder(mattes / "trimap1")
    )
    assert scores.pictures == ("a", "c")
    assert "no sure subject" in scores.skipped["b"]


def test_the_pipeline_is_compared_with_its_mask(mattes: Path, bright: Path) -> None:
    line = merged(segmenter=str(bright), size=64, k=3, iterations=3)
    plain = evaluate_pipeline(mattes, line).as_json()
    assert (plain["task"], plain["contestant"], plain["region"]) == ("pipeline",) * 2 + ("whole",)
    assert list(plain["compared"]) == ["mask alone"]
    assert plain["mad"] < plain["compared"]["mask alone"]["mad"]
    assert plain["sad"] == pytest.approx(
        np.mean(
            [
                plain["per_picture"][name]["mad"] * height * width / 1000
                for name, (height, width) in SIZES.items()
            ]
        )
    )


@pytest.mark.filterwarnings("ignore:no subject found")
def test_a_modnet_and_a_peer(mattes: Path, tmp_path: Path, linear_network: Write) -> None:
    """Both get a quarter of green, the one from −1 … 1, the other from 0 … 1."""
    net = linear_network("net", [[0.0, 0.125, 0.0]], [0.125])
    linear_network("same", [[0.0, 0.25, 0.0]], [0.0])
    (tmp_path / "same.toml").write_text('file = "same.onnx"\nsize = 512')
    scores = evaluate_modnet(mattes, merged(modnet=str(net)), [tmp_path / "same.toml"])
    plain = scores.as_json()
    assert (plain["task"], plain["contestant"]) == ("modnet", str(net))
    assert list(plain["compared"]) == ["same"]
    assert plain["mad"] == pytest.approx(plain["compared"]["same"]["mad"], abs=0.02)
    assert evaluate_modnet(mattes, merged()).as_json()["contestant"] == "modnet"


def test_nothing_usable_is_an_error(mattes: Path) -> None:
    for path in (mattes / "gt").iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(PictureError, match="no pair can be used: a: "):
        evaluate_refiner(mattes, ["guided"], merged().config, trimaps_from_alpha(6))
    with pytest.raises(PictureError, match="no folder"):
        evaluate_refiner(mattes / "none", ["guided"], merged().config, trimaps_from_alpha(6))
