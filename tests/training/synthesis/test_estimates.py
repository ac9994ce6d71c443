import pickle

import numpy as np
import pytest
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from matte.datasets.samples import Sample
from matte.training.synthesis import estimates
from matte.training.synthesis.layers import Layer, estimated_layer
from matte.training.synthesis.matte_samples import MatteMix, MatteSamples
from matte.training.synthesis.refiner_samples import RefinerMix, RefinerSamples
from matte.training.synthesis.sources import Subject, subjects

Bytes = NDArray[np.uint8]
Groups = tuple[list[Sample], list[Sample], list[Sample], list[Sample]]


@pytest.fixture
def estimated(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pictures whose colours this process estimates."""
    seen: list[int] = []

    def noted(picture: Bytes, alpha: Bytes) -> Layer:
        seen.append(id(picture))
        return estimated_layer(picture, alpha)

    monkeypatch.setattr(estimates, "estimated_layer", noted)
    return seen


class Layers(Dataset[Bytes]):
    """The colours of subjects, as a run's workers need them."""

    def __init__(self, found: list[Subject]) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, at: int) -> Bytes:
        return self._found[at].layer.colours


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
    for sample, subject in zip(groups[0], subjects(groups[0]), strict=True):
        expected = estimated_layer(sample.picture, sample.truth)
        for _ in range(2):
            assert np.array_equal(subject.layer.colours, expected.colours)
            assert np.array_equal(subject.layer.alpha, expected.alpha)


def test_what_a_worker_estimated_is_there_for_all(groups: Groups, estimated: list[int]) -> None:
    found = subjects(groups[0])
    loader = DataLoader(
        Layers(found), batch_size=None, num_workers=1, multiprocessing_context="fork"
    )
    theirs = [np.asarray(colours) for colours in loader]
    ours = [subject.layer.colours for subject in found]
    assert estimated == []
    assert all(np.array_equal(one, other) for one, other in zip(theirs, ours, strict=True))


def test_a_process_that_shares_nothing_estimates_for_itself(groups: Groups) -> None:
    subject = subjects(groups[0])[0]
    sent = pickle.loads(pickle.dumps(subject))
    assert np.array_equal(sent.layer.colours, subject.layer.colours)


def test_without_alphas_there_is_nothing_to_share() -> None:
    assert subjects([]) == []
