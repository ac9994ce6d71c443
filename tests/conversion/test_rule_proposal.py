from pathlib import Path

import numpy as np
import pytest

from matte.conversion.rule_proposal import propose_rule
from matte.runtime.opener import open_onnx_file
from tests.fakes import FakeSession
from tests.tiny_networks import patches, pointwise, two_inputs

FILE = Path("a net.onnx")


def proposal(network: Path) -> str:
    return str(propose_rule(FILE, "mine", open_onnx_file(network, threads=1)))


@pytest.mark.parametrize(
    ("size", "maps", "probability", "rule"),
    [(320, 7, True, "u2net"), (640, 6, True, "isnet"), (640, 1, False, "birefnet")],
)
def test_families_are_told_by_size_maps_and_values(
    tmp_path: Path, size: int, maps: int, probability: bool, rule: str
) -> None:
    network = pointwise(
        tmp_path / "net.onnx", (1, 3, size, size), maps=maps, probability=probability, bias=-3
    )
    text = proposal(network)
    assert text.endswith(f"run 'matte weights import 'a net.onnx' --rule {rule} --as mine'")
    shape = f"{size}×{size}"
    more = f" and {maps - 1} more" if maps > 1 else ""
    assert text.startswith(f"a net.onnx takes input_image 1×3×{shape}, gives 1×1×{shape}{more}, ")


def test_four_channels_are_a_picture_and_its_trimap(tmp_path: Path) -> None:
    """ViTMatte's file leaves even the number of channels free."""
    assert "--rule vitmatte" in proposal(patches(tmp_path / "net.onnx"))
    assert "pixel_values ?×?×?×?" in proposal(tmp_path / "net.onnx")


def test_one_map_of_free_size_is_a_modnets(tmp_path: Path) -> None:
    assert "--rule modnet" in proposal(pointwise(tmp_path / "net.onnx", probability=True))


def test_for_whatever_else_a_toml_is_asked_for(tmp_path: Path) -> None:
    odd = {
        "two": two_inputs(tmp_path / "two.onnx"),
        "grey": pointwise(tmp_path / "grey.onnx", (1, 1, 64, 64)),
        "wide": pointwise(tmp_path / "wide.onnx", (1, 3, 64, 96)),
        "small": pointwise(tmp_path / "small.onnx", (1, 3, 128, 128)),
        "many": pointwise(tmp_path / "many.onnx", maps=3),
    }
    for name, network in odd.items():
        text = proposal(network)
        expected = "describe that in a TOML (docs/weights.md), and run 'matte weights import"
        assert expected in text, name
        assert text.endswith("--rule RULE.toml --as mine'")


def test_a_network_that_gives_classes_is_no_segmenter() -> None:
    session = FakeSession(lambda x: np.repeat(x[:, :1], 21, axis=1), (1, 3, 512, 512))
    assert "RULE.toml" in str(propose_rule(FILE, "mine", session))
