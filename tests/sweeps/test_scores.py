from matte.configs.settings import TrimapSettings
from matte.sweeps.scores import SettingScore, choose_setting


def score(error: float | None, k: int = 3, doubt: str = "") -> SettingScore:
    return SettingScore(TrimapSettings(k=k), 0.1, error, None, 1.0, doubt)


def test_the_least_error_is_the_best() -> None:
    choice = choose_setting([[score(1.5), score(1, k=5), score(1.2, k=4)]])
    assert choice.best == 1
    assert "that of k = 4, 6 iterations is 1.20 times as large" in choice.reason
    assert "hardly less than that of k = 5" in choose_setting([[score(1), score(1.005, 5)]]).reason
    assert choose_setting([[score(3), score(None, 5, "a flaw")]]).best == 0
    assert choose_setting([[score(None, 5, "a flaw")]]).best is None


def test_even_kernels_may_win_and_their_odd_neighbour_is_named() -> None:
    choice = choose_setting([[score(1.5), score(1, k=4)]])
    assert choice.best == 1
    assert choice.reason.endswith("; lopsided, k is even: k = 5 is not")
    assert score(1, k=12).remark == "lopsided, k is even: k = 13 is not"


def test_pictures_together_have_one_best() -> None:
    nobody = [score(None, 3, "no subject found"), score(None, 5, "no subject found")]
    pictures = [[score(1), score(1.1, 5)], [score(4), score(1, 5)], nobody]
    choice = choose_setting(pictures)
    assert choice.best == 1
    assert "1.91 times as large" in choice.reason
    assert choose_setting([nobody]).reason == "no subject found"
    failed = [score(None, 3, "a flaw"), score(1, 5)]
    assert choose_setting([[score(1), score(2, 5)], failed]).best == 1
