from matte.configs.settings import TrimapSettings
from matte.sweeps.scores import SettingScore, choose_setting


def score(agreement: float | None, k: int = 3, doubt: str = "") -> SettingScore:
    return SettingScore(TrimapSettings(k=k), 0.1, agreement, None, 1.0, doubt)


def test_the_highest_agreement_is_the_best() -> None:
    choice = choose_setting([[score(0.5), score(0.7, k=5), score(0.9, k=4)]])
    assert choice.best == 1
    assert "agreement 0.700, then 0.500 of k = 3, 6 iterations" in choice.reason
    assert "k = 4, 6 iterations has 0.900, but is lopsided" in choice.reason
    assert "hardly more than the 0.500 of" in choose_setting([[score(0.501), score(0.5, 5)]]).reason
    assert choose_setting([[score(0.1), score(None, 5, "a flaw")]]).best == 0
    assert choose_setting([[score(None, 5, "a flaw")]]).best is None


def test_pictures_together_have_one_best() -> None:
    nobody = [score(None, 3, "no subject found"), score(None, 5, "no subject found")]
    pictures = [[score(0.5), score(0.4, 5)], [score(0.1), score(0.4, 5)], nobody]
    choice = choose_setting(pictures)
    assert choice.best == 1
    assert "mean agreement 0.400, then 0.300" in choice.reason
    assert choose_setting([nobody]).reason == "no subject found"
    failed = [score(None, 3, "a flaw"), score(0.2, 5)]
    assert choose_setting([[score(0.9), score(0.1, 5)], failed]).best == 1
