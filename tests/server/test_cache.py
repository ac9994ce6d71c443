"""What steps found, as much of it as fits."""

import numpy as np

from matte.server.cache import StepCache

SMALL = np.zeros(100, np.uint8)


def test_the_oldest_goes_first() -> None:
    cache = StepCache(250)
    for name in "ab":
        cache.keep((name, "alpha"), name, (SMALL, None))
    assert cache.find(("a", "alpha")) == "a"
    cache.keep(("c", "alpha"), "c", (SMALL,))
    assert cache.find(("b", "alpha")) is None
    assert cache.find(("a", "alpha")) == "a"
    assert cache.kept_bytes == 200


def test_what_is_too_large_is_made_but_not_kept() -> None:
    cache = StepCache(50)
    assert cache.find_or_make(("a",), lambda: 5, lambda _: (SMALL,)) == 5
    assert cache.find(("a",)) is None
    assert cache.kept_bytes == 0


def test_a_result_is_made_once_and_replaced_whole() -> None:
    cache, made = StepCache(1000), iter(("x", "second"))
    for _ in range(2):
        assert cache.find_or_make(("a", "mask"), lambda: next(made), lambda _: (SMALL,)) == "x"
    cache.keep(("a", "mask"), "y", (SMALL, SMALL))
    assert cache.kept_bytes == 200


def test_a_picture_is_forgotten_with_all_its_steps() -> None:
    cache = StepCache(1000)
    for picture in "ab":
        for step in ("mask", "alpha"):
            cache.keep((picture, step), picture, (SMALL,))
    cache.forget("a")
    assert cache.find(("a", "mask")) is None
    assert cache.find(("b", "mask")) == "b"
    assert cache.kept_bytes == 200
