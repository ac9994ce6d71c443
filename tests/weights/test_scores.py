from pathlib import Path

import pytest

from matte.configs.loader import preset_names
from matte.errors import SettingError, WeightsError
from matte.weights.scores import (
    Against,
    Measured,
    Score,
    Scoreboard,
    line_of,
    read_scores,
    save_scores,
    scores_of,
    scores_of_line,
)
from matte.weights.store import SHIPPED, all_weights, place, stored
from tests.weights.conftest import list_networks

ROW = Score(
    "portraits", 3, "sad", 1.5, 1.25, 2.0, "trimap1", (Against("blind", 0.5, 0.4, 0.6, 0.45),)
)
MEASURED = Measured({"one": "11", "two": "22"}, "2026-11-01", "x86_64", {"numpy": "2.4"}, (ROW,))


def test_what_is_saved_is_read(store: Path) -> None:
    assert read_scores(store) == Scoreboard()
    board = Scoreboard({"one": MEASURED}, {"best": MEASURED})
    save_scores(store, board)
    assert read_scores(store) == board


def test_scores_end_with_the_weights_of_any_network_that_took_part(store: Path) -> None:
    save_scores(store, Scoreboard({"one": MEASURED}))
    assert scores_of("one", stored("one")) == MEASURED
    assert scores_of("two", stored("two")) is None
    list_networks(store, one="11", two="other")
    assert scores_of("one", stored("one")) is None
    list_networks(store, one="11")
    assert scores_of("one", stored("one")) is None


def test_scores_of_a_line_end_with_another_network_in_it(store: Path) -> None:
    networks = {name: stored(name).sha256 for name in line_of("balanced")}
    assert networks
    fresh = Measured(networks, "2026-11-01", "x86_64", {}, (ROW,))
    save_scores(store, Scoreboard(lines={"balanced": fresh, "best": MEASURED}))
    assert scores_of_line("balanced", store) == fresh
    assert scores_of_line("best", store) is None  # measured with networks that it doesn't use
    assert scores_of_line("fast", store) is None


def test_damaged_scores_are_told(store: Path) -> None:
    (store / "scores.json").write_text("{")
    with pytest.raises(WeightsError, match=r"scores\.json .*: measure again"):
        read_scores(store)
    (store / "scores.json").write_text('{"networks": {"one": {"date": "today"}}}')
    with pytest.raises(SettingError, match=r"scores\.json: .* is not complete"):
        read_scores(store)


def test_the_shipped_scores_belong_to_the_shipped_weights() -> None:
    board = read_scores(SHIPPED)
    shipped = {name: w for name, w in all_weights().items() if place(w) == "shipped"}
    for name in board.networks:
        assert name in shipped
        assert scores_of(name, shipped[name]), f"measure {name} again"
    assert set(board.lines) <= set(preset_names())
    for preset in board.lines:
        assert scores_of_line(preset, SHIPPED), f"measure {preset} again"
