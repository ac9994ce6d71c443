"""The learning rate of a run."""

from dataclasses import replace

import pytest

from matte.training.schedule import RunProgress, learning_rate
from matte.training.settings import RunSettings


def rates(settings: RunSettings) -> list[float]:
    return [learning_rate(RunProgress(step), settings) for step in range(settings.steps)]


def test_the_cosine_rises_then_falls() -> None:
    found = rates(RunSettings(steps=100, warm_up=0.1, learning_rate=1.0))
    top = found.index(max(found))
    assert top in (9, 10)
    assert found == sorted(found[:top]) + sorted(found[top:], reverse=True)
    assert found[0] == pytest.approx(0.1)
    assert found[-1] < 0.02


def test_a_plateau_halves_the_rate() -> None:
    settings = RunSettings(schedule="plateau", plateau=2, learning_rate=1.0, warm_up=0)
    progress = RunProgress()
    seen = []
    for score in (0.5, 0.4, 0.3, 0.6, 0.5, 0.5, 0.5, 0.5):
        progress.record_score(score, settings)
        seen.append(learning_rate(progress, settings))
    assert seen == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]
    assert set(rates(replace(settings, schedule="constant"))) == {1.0}
