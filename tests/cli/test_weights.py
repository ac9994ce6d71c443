from matte.configs.settings import SegmentationSettings
from matte.weights.cards import model_card
from tests.commands import HEAVY, loaded_by, run

NAME = SegmentationSettings().segmenter


def test_a_card_is_printed_as_it_is() -> None:
    result = run("weights", "card", NAME)
    assert result.exit_code == 0, result.output
    assert result.stdout == model_card(NAME)


def test_an_unknown_network_is_one_line() -> None:
    result = run("weights", "card", "clothin")
    assert result.exit_code == 1
    assert result.stderr == "Error: no network 'clothin': did you mean 'clothing'?\n"


def test_cards_load_no_runtime() -> None:
    loaded = loaded_by("weights", "card", NAME)
    assert not loaded & (HEAVY | {"openvino", "onnxruntime", "cv2"})


def test_the_verbose_list_tells_how_ours_were_made() -> None:
    result = run("weights", "list", "-v")
    assert result.exit_code == 0
    assert f"    matte train segmenter --config {NAME} " in result.stdout
