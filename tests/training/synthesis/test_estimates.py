import pickle
from multiprocessing import get_context

import numpy as np
import pytest

from matte.arrays import Uint8Array
from matte.datasets.samples import Sample
from matte.training.synthesis import estimates
from matte.training.synthesis.layers import Layer, estimated_layer
from matte.training.synthesis.matte_samples import MatteMix, MatteSamples
from matte.training.synthesis.refiner_samples import RefinerMix, RefinerSamples
from matte.training.synthesis.sources import prepare_subjects

Groups = tuple[list[Sample], list[Sample], list[Sample], list[Sample]]


@pytest.fixture
def estimated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pictures whose colours this process estimates."""
    seen: list[int] = []

    def noted(picture: Uint8Array, alpha: Uint8Array) -> Layer:
        seen.append(id(picture))
        return estimated_layer(picture, alpha)

    monkeypatch.setattr(estimates, "estimated_layer", noted)
    return seen


def test_colours_are_estimated_when_needed_and_once(groups: Groups, estimated: list[int]) -> None:
    alphas, cutouts, masks, backgrounds = groups
    mix = RefinerMix(two_layers=0)
    refiner = RefinerSamples(3 * alphas, cutouts, masks, backgrounds, mix)
    matte = MatteSamples(3 * alphas, cutouts, masks, backgrounds, MatteMix())
    random = np.random.default_rng(0)
    for kind in ("real", "procedural", "cutouts", "masks"):
        refiner.sample_of(kind, (32, 32), random)
    for kind in ("alphas", "masks", "empty"):
        matte.sample_of(kind, (32, 32), random)
    assert estimated == []
    for _ in range(20):
        refiner.sample_of("recomposed", (32, 32), random)
    assert sorted(estimated) == sorted(id(sample.picture) for sample in alphas)


def test_a_subject_s_colours_are_the_estimated_ones(groups: Groups) -> None:
    for sample, subject in zip(groups[0], prepare_subjects(groups[0]), strict=True):
        expected = estimated_layer(sample.picture, sample.truth)
        for _ in range(2):
            assert np.array_equal(subject.layer.colours, expected.colours)
            assert np.array_equal(subject.layer.alpha, expected.alpha)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # tests have threads
def test_what_a_worker_estimated_is_there_for_all(groups: Groups, estimated: list[int]) -> None:
    found = prepare_subjects(groups[0])
    worker = get_context("fork").Process(target=lambda: [subject.layer for subject in found])
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    for sample, subject in zip(groups[0], found, strict=True):
        expected = estimated_layer(sample.picture, sample.truth)
        assert np.array_equal(subject.layer.colours, expected.colours)
    assert estimated == []


def test_a_process_that_shares_nothing_estimates_for_itself(groups: Groups) -> None:
    subject = prepare_subjects(groups[0])[0]
    sent = pickle.loads(pickle.dumps(subject))
    assert np.array_equal(sent.layer.colours, subject.layer.colours)


def test_without_alphas_there_is_nothing_to_share() -> None:
    assert prepare_subjects([]) == []
