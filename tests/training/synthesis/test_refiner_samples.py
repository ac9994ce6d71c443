import numpy as np
import pytest

from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.training.synthesis.refiner_samples import SHARES, RefinerMix, RefinerSamples

Groups = tuple[list[Sample], list[Sample], list[Sample], list[Sample]]


@pytest.fixture(scope="module")
def samples(groups: Groups) -> RefinerSamples:
    return RefinerSamples(*groups, RefinerMix())


@pytest.mark.parametrize("kind", SHARES)
def test_each_kind_keeps_its_contract(samples: RefinerSamples, kind: str) -> None:
    random = np.random.default_rng(5)
    layered = 0
    for _ in range(12):
        made = samples.sample_of(kind, (64, 96), random)
        for pixels in (made.picture, made.foreground, made.background):
            assert pixels.shape == (64, 96, 3)
            assert pixels.dtype == np.uint8
        for flat in (made.alpha, made.trimap, made.valid):
            assert flat.shape == (64, 96)
            assert flat.dtype == np.uint8
        assert set(np.unique(made.trimap)) <= {0, 128, 255}
        assert set(np.unique(made.valid)) <= {0, 1}
        a = made.alpha[:, :, None] / 255
        composed = a * made.foreground + (1 - a) * made.background
        assert np.abs(composed - made.picture).max() < 1
        layered += made.layered
    assert layered == 0 if kind == "real" else layered > 5


def test_the_generator_decides_everything(groups: Groups) -> None:
    one, other = (RefinerSamples(*groups, RefinerMix()) for _ in range(2))
    for seed in range(12):
        a = one.sample((48, 48), np.random.default_rng(seed))
        b = other.sample((48, 48), np.random.default_rng(seed))
        for name in ("picture", "foreground", "background", "alpha", "trimap", "valid"):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name


def test_samples_are_about_soft_edges(samples: RefinerSamples) -> None:
    random = np.random.default_rng(6)
    parts = [(samples.sample((64, 64), random).trimap == 128).mean() for _ in range(60)]
    assert np.mean(np.array(parts) >= 0.03) > 0.95


def test_real_crops_without_turning_are_the_picture(groups: Groups) -> None:
    only = RefinerSamples(groups[0][:1], [], [], [], RefinerMix(untouched=1, jpeg=0))
    assert only.shares == {"real": 1.0}
    made = only.sample((40, 40), np.random.default_rng(0))
    picture = groups[0][0].picture
    views = np.lib.stride_tricks.sliding_window_view(picture, (40, 40), axis=(0, 1))
    crops = [made.picture, made.picture[:, ::-1]]
    assert any((views == crop.transpose(2, 0, 1)).all(axis=(2, 3, 4)).any() for crop in crops)
    assert made.valid.all()


def test_a_window_larger_than_the_picture_is_not_valid_all_over(groups: Groups) -> None:
    only = RefinerSamples(groups[0], [], [], [], RefinerMix(untouched=1))
    made = only.sample((600, 64), np.random.default_rng(0))
    assert 0 < made.valid.mean() < 1
    assert (made.picture[made.valid == 0] == 128).all()
    assert (made.alpha[made.valid == 0] <= made.alpha.max()).all()


def test_shares_of_missing_kinds_fall_to_the_others(groups: Groups) -> None:
    alphas, _, _, backgrounds = groups
    shares = RefinerSamples(alphas, [], [], backgrounds, RefinerMix()).shares
    assert set(shares) == {"real", "recomposed", "procedural"}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["real"] == pytest.approx(2 * shares["recomposed"])
    assert RefinerSamples([], [], [], backgrounds, RefinerMix()).shares == {"procedural": 1.0}


def test_without_pictures_there_are_no_samples(groups: Groups) -> None:
    with pytest.raises(SettingError, match="give alphas"):
        RefinerSamples([], groups[1], groups[2], [], RefinerMix())


@pytest.mark.parametrize(
    "wrong", [{"jpeg": 1.1}, {"real": float("nan")}, {"smallest": 0.0}, {"degrees": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=f"{next(iter(wrong))} = "):
        RefinerMix(**wrong)


def test_something_must_have_a_share() -> None:
    with pytest.raises(SettingError, match="all shares are 0"):
        RefinerMix(0, 0, 0, 0, 0)


def test_second_layers_may_be_unknown_as_a_whole(groups: Groups) -> None:
    _, _, _, backgrounds = groups
    shares = {}
    for chance in (0.0, 1.0):
        mix = RefinerMix(two_layers=1, jpeg=0, unknown_layer=chance)
        only = RefinerSamples([], [], [], backgrounds, mix)
        made = [only.sample_of("procedural", (64, 64), np.random.default_rng(n)) for n in range(20)]
        solid, unknown = (
            sum(int(np.count_nonzero(each)) for each in found)
            for found in (
                [each.alpha == 255 for each in made],
                [(each.alpha == 255) & (each.trimap == 128) for each in made],
            )
        )
        shares[chance] = unknown / solid
    assert shares[1.0] > shares[0.0] + 0.1
