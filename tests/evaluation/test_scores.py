"""The loop that all evaluations share, with contestants that are a number."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pytest

from matte.errors import BackendError, PictureError, SettingError
from matte.evaluation.pairs import SkippedCase
from matte.evaluation.scores import Scores, compare_contestants, refuse_same_names
from matte.evaluation.sheet import CasePanels, draw_sheet
from matte.evaluation.table import format_scores
from tests.evaluation.costs import segmenter_scores


@dataclass(frozen=True)
class Number:
    name: str
    worth: float


def show(found: float, case: Number) -> CasePanels:
    return CasePanels(f"{case.name} {found}", {"found": np.zeros((4, 6, 3), np.uint8)})


def scores(*worths: float, metric: str = "sad") -> Scores:
    def find(case: Number) -> Mapping[str, float]:
        return {"mine": case.worth, "theirs": case.worth / 2, "flat": 4.0}

    def measure(found: float, case: Number) -> Mapping[str, float]:
        return {metric: found, "mse": 0.0}

    cases = [Number(str(at), worth) for at, worth in enumerate(worths)]
    return compare_contestants("refiner", "unknown", cases, len(cases), find, measure, show)


def test_plain_values() -> None:
    plain = json.loads(json.dumps(scores(1, 2, 6).as_json(), allow_nan=False))
    assert (plain["contestant"], plain["reference"]) == ("mine", "theirs")
    assert (plain["pictures"], plain["region"], plain["task"]) == (3, "unknown", "refiner")
    assert (plain["sad"], plain["mse"]) == (3, 0)
    low, high = plain["intervals"]["sad"]
    assert 1 <= low < 3 < high <= 6
    assert plain["per_picture"]["2"] == {"sad": 6, "mse": 0}
    assert plain["against"]["sad"] == {"ratio": 2, "low": 2, "high": 2, "median": 2}
    assert plain["against"]["mse"] == {}
    assert list(plain["compared"]) == ["theirs", "flat"]
    assert plain["compared"]["theirs"]["sad"] == 1.5
    assert "against" not in plain["compared"]["theirs"]
    assert plain["skipped"] == {}


def test_what_is_higher_for_the_better_is_subtracted() -> None:
    against = scores(0.5, 0.75, metric="miou").as_json()["against"]["miou"]
    assert against == {"difference": 0.3125, "low": 0.25, "high": 0.375}


def test_another_reference() -> None:
    measured = scores(1, 2, 6).with_reference("flat")
    assert measured.as_json()["against"]["sad"]["ratio"] == 0.75
    with pytest.raises(SettingError, match="no contestant 'flatt': did you mean 'flat'"):
        measured.with_reference("flatt")


def test_the_worst_come_first() -> None:
    worst = scores(*range(12)).worst
    assert [panels.caption.split()[0] for panels in worst] == [str(n) for n in range(11, 3, -1)]
    assert scores(0.9, 0.2, metric="miou").worst[0].caption == "1 0.2"
    sheet = draw_sheet(worst, "title")
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    assert (sheet == 0).all(axis=2).sum() >= 8 * 24


def test_a_case_that_one_contestant_fails_at_is_left_out_for_all() -> None:
    def find(case: Number) -> Mapping[str, float]:
        if case.worth < 0:
            raise PictureError("below 0", "lift it")
        return {"mine": case.worth}

    def measure(found: float, case: Number) -> Mapping[str, float]:
        return {"sad": found}

    seen = []
    cases: list[Number | SkippedCase] = [
        Number("a", 1),
        SkippedCase("b", "broken"),
        Number("c", -1),
    ]

    def watch(done: int, total: int) -> None:
        seen.append((done, total))

    found = compare_contestants("refiner", "whole", cases, 3, find, measure, show, watch)
    assert found.pictures == ("a",)
    assert found.skipped == {"b": "broken", "c": "below 0: lift it"}
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert "against" not in found.as_json()
    with pytest.raises(PictureError, match="no pair can be used: b: broken; c: below 0"):
        compare_contestants("refiner", "whole", cases[1:], 2, find, measure, show)


def test_a_contestant_that_does_not_run_ends_it() -> None:
    def find(case: Number) -> Mapping[str, float]:
        raise BackendError("no GPU", "buy one")

    with pytest.raises(BackendError):
        compare_contestants(
            "refiner", "whole", [Number("a", 1)], 1, find, lambda f, c: {"sad": f}, show
        )


def test_in_a_pipe_a_contestant_is_a_line() -> None:
    lines = format_scores(scores(1, 2, 6)).splitlines()
    assert lines[1].startswith("mine")
    assert "3.00 [1.00 … 6.00] ×2.00 [2.00 … 2.00]" in lines[1]
    assert "×" not in lines[2]
    assert "–" in lines[1]
    assert lines[-1] == (
        "3 pictures, unknown pixels; mean [95 % interval]; ×: compared with theirs"
    )
    assert "+0.3125 [+0.2500 … +0.3750]" in format_scores(scores(0.5, 0.75, metric="miou"))


def test_a_terminals_table_fits() -> None:
    drawn = format_scores(scores(1, 2, 6), columns=80).splitlines()
    assert max(len(line) for line in drawn[:-1]) <= 80
    assert any(line.strip().startswith("theirs") for line in drawn)


def test_names_are_given_once() -> None:
    with pytest.raises(SettingError, match="two contestants are called 'a'"):
        refuse_same_names(["a", "b", "a"])


def test_costs_stand_beside_the_scores() -> None:
    lines = format_scores(segmenter_scores()).splitlines()
    assert re.split(r"  +", lines[0].strip()) == [
        *("IoU", "accuracy", "mIoU, 2 classes", "input", "parameters", "MACs"),
        *("onnx cpu fp32, ms", "openvino cpu fp32, ms"),
    ]
    large = re.split(r"  +", lines[1])
    assert large[0] == "large"
    assert re.fullmatch(r"0\.\d{4} \[.* … .*\] \+0\.0\d{3} \[.* … .*\]", large[1])
    assert large[2:] == [
        *("0.9700", "0.9712", "448×448", "2.85 M", "4.53 G"),
        *("160.0 [159.0 … 162.0]", "100.0 [99.0 … 102.0]"),
    ]
    assert re.split(r"  +", lines[2])[4:] == ["320×256", "950", "–", "12.3 [11.3 … 14.3]", "–"]
    assert "ms: median [quartiles] of the network alone, 2 threads" in lines[4]
    assert lines[5:] == [
        "small has no time in openvino cpu fp32: OpenVINO failed: try --backend onnx"
    ]


@pytest.mark.parametrize(("columns", "tables"), [(80, 2), (140, 1)])
def test_a_terminals_table_of_costs_fits(columns: int, tables: int) -> None:
    drawn = format_scores(segmenter_scores(), columns).splitlines()
    table = [line for line in drawn if not line.startswith(("30 pictures", "small has no"))]
    assert max(len(line) for line in table) <= columns
    assert sum("───" in line for line in table) >= tables
    assert sum(line.strip().startswith("large") for line in table) == tables
    text = " ".join(table)
    for part in ("448×448", "2.85 M", "4.53 G", "0.9712", "160.0", "[159.0 … 162.0]"):
        assert part in text
