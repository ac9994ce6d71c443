import pytest

from matte.limits import MAX_STORE_TRIES
from matte.stores.retrying import Retrier


def test_what_passes_is_tried_again_and_counted() -> None:
    retrier = Retrier(lambda error: isinstance(error, OSError), first_wait_seconds=0.001)
    seen = []

    def call(failures: int) -> str:
        seen.append(failures)
        if failures < 2:
            raise OSError("busy")
        return "done"

    assert retrier.run(call) == "done"
    assert seen == [0, 1, 2]
    assert retrier.count == 2


def test_it_ends() -> None:
    retrier = Retrier(lambda _: True, first_wait_seconds=0.0001)
    with pytest.raises(OSError, match=str(MAX_STORE_TRIES - 1)):
        retrier.run(lambda failures: (_ for _ in ()).throw(OSError(f"failure {failures}")))
    assert retrier.count == MAX_STORE_TRIES - 1


def test_what_does_not_pass_is_raised_at_once() -> None:
    retrier = Retrier(lambda error: isinstance(error, OSError))
    with pytest.raises(ZeroDivisionError):
        retrier.run(lambda failures: 1 // 0)
    assert retrier.count == 0


def test_waits_double_and_differ() -> None:
    retrier = Retrier(lambda _: True, first_wait_seconds=1.0)
    waits = [[retrier._wait_seconds(failures) for _ in range(20)] for failures in range(6)]
    for failures, found in enumerate(waits):
        longest = min(10.0, 2.0**failures)
        assert all(longest / 2 <= wait <= longest for wait in found)
        assert len(set(found)) > 1
