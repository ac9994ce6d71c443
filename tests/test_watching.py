import pytest

from matte.watching import tell_watcher, watched_by


class StopWorkError(Exception):
    pass


def test_the_watcher_is_told_within_its_block_only() -> None:
    told: list[tuple[str, float]] = []
    tell_watcher("segment", 0)
    with watched_by(lambda stage, done: told.append((stage, done))):
        tell_watcher("refine", 0.5)
    tell_watcher("refine", 1)
    assert told == [("refine", 0.5)]


def test_the_watcher_ends_the_work() -> None:
    def stop(stage: str, done: float) -> None:
        raise StopWorkError

    with watched_by(stop), pytest.raises(StopWorkError):
        tell_watcher("refine", 0)
    tell_watcher("refine", 0)
