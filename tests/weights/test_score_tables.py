from matte.weights.score_tables import NOT_MEASURED, first_score, scores_table
from matte.weights.scores import ErrorRatio, Measurement, NetworkScore

AGAINST = (ErrorRatio("closed-form", 0.8, 0.7, 0.9, 0.75),)
SCORES = (
    NetworkScore("elsewhere", 3, "sad", 6.504, 5.0, 8.006, "trimap1", AGAINST),
    NetworkScore("elsewhere", 1, "mse", 0.02824, 0.0251, 0.0312),
)


def measured(*scores: NetworkScore) -> Measurement:
    return Measurement({"one": "11"}, "2026-11-01", "x86_64", {}, scores)


def test_each_score_is_a_row_and_each_rival_a_column() -> None:
    header, _, first, second = scores_table(measured(*SCORES)).splitlines()
    assert header.endswith("| mean (95 % interval) | compared with closed-form |")
    assert first == (
        "| elsewhere | trimap1 | 3 | SAD (k) | 6.50 (5.00 … 8.01)"
        " | × 0.80 (0.70 … 0.90), median 0.75 |"
    )
    assert second == "| elsewhere |  | 1 | MSE | 0.0282 (0.0251 … 0.0312) |  |"


def test_without_trimaps_there_is_no_column_for_them() -> None:
    assert "trimaps" not in scores_table(measured(SCORES[1]))


def test_the_first_score_in_words() -> None:
    assert first_score(measured(*SCORES)) == "elsewhere: SAD (k) 6.50 (5.00 … 8.01)"
    assert first_score(None) == first_score(measured()) == NOT_MEASURED
