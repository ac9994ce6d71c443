from pathlib import Path

import pytest

from matte.configs.loader import preset_names
from matte.errors import SettingError, WeightsError
from matte.weights.scores import (
    ErrorRatio,
    Measurement,
    NetworkScore,
    Scoreboard,
    current_line_scores,
    current_scores,
    networks_of_preset,
    read_scores,
    save_scores,
)
from matte.weights.store import SHIPPED_FOLDER, all_weights, storage_status, weights_named
from tests.weights.conftest import list_networks

ROW = NetworkScore(
    "portraits", 3, "sad", 1.5, 1.25, 2.0, "trimap1", (ErrorRatio("blind", 0.5, 0.4, 0.6, 0.45),)
)
MEASURED = Measurement({"one": "11", "two": "22"}, "2026-11-01", "x86_64", {"numpy": "2.4"}, (ROW,))


def test_what_is_saved_is_read(store: Path) -> None:
    assert read_scores(store) == Scoreboard()
    board = Scoreboard({"one": MEASURED}, {"best": MEASURED})
    save_scores(store, board)
    assert read_scores(store) == board


def test_scores_end_with_the_weights_of_any_network_that_took_part(store: Path) -> None:
    save_scores(store, Scoreboard({"one": MEASURED}))
    assert current_scores("one", weights_named("one")) == MEASURED
    assert current_scores("two", weights_named("two")) is None
    list_networks(store, one="11", two="other")
    assert current_scores("one", weights_named("one")) is None
    list_networks(store, one="11")
    assert current_scores("one", weights_named("one")) is None


def test_scores_of_a_line_end_with_another_network_in_it(store: Path) -> None:
    networks = {name: weights_named(name).sha256 for name in networks_of_preset("balanced")}
    assert networks
    fresh = Measurement(networks, "2026-11-01", "x86_64", {}, (ROW,))
    save_scores(store, Scoreboard(lines={"balanced": fresh, "best": MEASURED}))
    assert current_line_scores("balanced", store) == fresh
    assert current_line_scores("best", store) is None  # measured with networks that it doesn't use
    assert current_line_scores("fast", store) is None


def test_damaged_scores_are_told(store: Path) -> None:
    (store / "scores.json").write_text("{")
    with pytest.raises(WeightsError, match=r"scores\.json .*: measure again"):
        read_scores(store)
    (store / "scores.json").write_text('{"networks": {"one": {"date": "today"}}}')
    with pytest.raises(SettingError, match=r"scores\.json: .* is not complete"):
        read_scores(store)


def test_the_shipped_scores_belong_to_the_shipped_weights() -> None:
    board = read_scores(SHIPPED_FOLDER)
    shipped = {name: w for name, w in all_weights().items() if storage_status(w) == "shipped"}
    for name in board.networks:
        assert name in shipped
        assert current_scores(name, shipped[name]), f"measure {name} again"
    assert set(board.lines) <= set(preset_names())
    for preset in board.lines:
        assert current_line_scores(preset, SHIPPED_FOLDER), f"measure {preset} again"
