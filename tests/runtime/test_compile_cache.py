from pathlib import Path

import numpy as np
import pytest

from matte.runtime.compile_cache import CompileCache, open_compile_cache, sample_results

SAMPLE = [0.25, 0.5]


def sealed(*facts: object) -> tuple[CompileCache, Path]:
    cache = open_compile_cache(*facts)
    blob = cache.folder / "1.blob"
    blob.write_bytes(bytes(range(256)) * 40)
    cache.seal(SAMPLE)
    return cache, blob


def test_each_fact_has_its_own_folder() -> None:
    one = open_compile_cache("digest", "2025.1", {"hint": "f32"}).folder
    assert one == open_compile_cache("digest", "2025.1", {"hint": "f32"}).folder
    assert one != open_compile_cache("digest", "2025.2", {"hint": "f32"}).folder
    assert one != open_compile_cache("digest", "2025.1", {"hint": "bf16"}).folder


def test_what_was_sealed_stays() -> None:
    cache, blob = sealed("stays")
    cache.remove_damaged()
    assert blob.exists()
    assert cache.unchecked_sample() == SAMPLE


@pytest.mark.parametrize("seed", range(8))
def test_a_blob_that_was_changed_is_removed(seed: int) -> None:
    cache, blob = sealed("changed", seed)
    data = bytearray(blob.read_bytes())
    random = np.random.default_rng(seed)
    for at in random.integers(0, len(data), random.integers(1, 9)):
        data[at] ^= int(random.integers(1, 256))
    blob.write_bytes(data if seed % 4 else data[: len(data) // 2])
    cache.remove_damaged()
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("seal", ["", "[1, 2]", '{"blob": 3}', '{"blob": [1, 2]}', "[" * 99999])
def test_a_blob_without_a_seal_of_its_own_is_removed(seal: str) -> None:
    cache, blob = sealed("unsealed", seal)
    Path(f"{blob}.seal").write_text(seal)
    cache.remove_damaged()
    assert not blob.exists()


def test_results_are_compared_once() -> None:
    cache, blob = sealed("compared")
    assert cache.settle([0.25, 0.5004])
    assert cache.unchecked_sample() is None
    cache.remove_damaged()
    assert blob.exists(), "it is sealed still"


@pytest.mark.parametrize("found", [[0.25, 0.6], [0.25], [0.25, float("nan")]])
def test_a_blob_that_gives_other_results_is_removed(found: list[float]) -> None:
    cache, _ = sealed("other", len(found), str(found))
    assert not cache.settle(found)
    assert list(cache.folder.iterdir()) == []


def test_a_sample_is_a_few_values_of_all_results() -> None:
    found = sample_results([np.zeros((1, 1, 64, 64)), np.ones((1, 1, 64, 64))])
    assert {0.0, 1.0} == set(found)
    assert 64 <= len(found) <= 65
