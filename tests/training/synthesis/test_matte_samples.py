import numpy as np
import pytest

from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.training.synthesis.matte_samples import SHARES, MatteMix, MatteSamples

Groups = tuple[list[Sample], list[Sample], list[Sample], list[Sample]]


@pytest.fixture(scope="module")
def samples(groups: Groups) -> MatteSamples:
    return MatteSamples(*groups, MatteMix(jpeg=0))


@pytest.mark.parametrize("kind", SHARES)
def test_each_kind_keeps_its_contract(samples: MatteSamples, kind: str) -> None:
    random = np.random.default_rng(4)
    covered = []
    for _ in range(15):
        made = samples.sample_of(kind, (96, 64), random)
        assert made.picture.shape == (96, 64, 3)
        for flat in (made.alpha, made.valid):
            assert flat.shape == (96, 64)
            assert flat.dtype == np.uint8
        assert set(np.unique(made.valid)) <= {0, 1}
        assert made.exact == (kind != "masks")
        covered.append((made.alpha > 128).mean())
    assert max(covered) == 0 if kind == "empty" else 0.05 < np.mean(covered) < 0.9


def test_the_generator_decides_everything(groups: Groups) -> None:
    one, other = (MatteSamples(*groups, MatteMix()) for _ in range(2))
    for seed in range(10):
        a = one.sample((64, 64), np.random.default_rng(seed))
        b = other.sample((64, 64), np.random.default_rng(seed))
        for name in ("picture", "alpha", "valid"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_ignored_pixels_and_padding_do_not_count(samples: MatteSamples) -> None:
    random = np.random.default_rng(2)
    for _ in range(20):
        made = samples.sample_of("masks", (64, 96), random)
        assert not made.valid[(made.alpha > 20) & (made.alpha < 235)].any()
        padded = (made.picture == 128).all(axis=2) & (made.valid == 0)
        assert (made.alpha[padded] == 0).all()


def test_a_whole_picture_is_whole(groups: Groups) -> None:
    whole = MatteSamples(groups[0], [], [], [], MatteMix(whole=1))
    made = whole.sample((150, 380), np.random.default_rng(0))
    assert made.valid.any(axis=1).sum() >= 148
    assert abs(int(made.valid.any(axis=0).sum()) - 190) <= 2


def test_a_subject_that_its_frame_cuts_off_stays_at_the_border() -> None:
    truth = np.zeros((120, 100), np.uint8)
    truth[30:, 30:70] = 255  # reaches down to the frame
    cut = Sample("cut", "cutout", np.full((120, 100, 3), 200, np.uint8), truth)
    dark = Sample(
        "dark", "background", np.zeros((90, 90, 3), np.uint8), np.zeros((90, 90), np.uint8)
    )
    samples = MatteSamples([], [cut], [], [dark], MatteMix(degrees=0, two_subjects=0))
    random = np.random.default_rng(0)
    for _ in range(25):
        alpha = samples.sample_of("composed", (80, 80), random).alpha
        columns = alpha.max(axis=0) > 200
        assert (alpha[-1, columns] > 100).all()


def test_missing_kinds_and_wrong_settings(groups: Groups) -> None:
    assert MatteSamples([], [], groups[2], [], MatteMix()).shares == {"masks": 1.0}
    with pytest.raises(SettingError, match="give alphas or masks"):
        MatteSamples([], groups[1], [], [], MatteMix())
    with pytest.raises(SettingError, match="largest = 0"):
        MatteMix(largest=0.5)
    with pytest.raises(SettingError, match="all shares are 0"):
        MatteMix(0, 0, 0, 0)
