from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matte.arrays import Alpha, Image
from matte.configs.settings import Config, TrimapSettings
from matte.errors import PictureError, SettingError
from matte.evaluation.trimaps import trimaps_from_alpha, trimaps_from_folder, trimaps_from_segmenter
from tests.conftest import disc
from tests.fakes import BrightIsSubject

NOTHING = Image(np.zeros((1, 1, 3), np.uint8))


def half_plane(height: int = 20, width: int = 200, edge: int = 100) -> Alpha:
    alpha = np.zeros((height, width), np.float32)
    alpha[:, edge:] = 1
    return Alpha(alpha)


@given(st.text(max_size=8), st.integers(1, 20))
def test_widths_are_drawn_for_each_side(name: str, width: int) -> None:
    trimap = trimaps_from_alpha(width).draw(name, NOTHING, half_plane())
    outer, inner = (trimap[0, :100] == 128).sum(), (trimap[0, 100:] == 128).sum()
    for drawn in (outer, inner):
        assert max(1, round(width / 3)) <= drawn <= 2 * width
    again = trimaps_from_alpha(width).draw(name, NOTHING, half_plane())
    assert np.array_equal(trimap, again)


def test_widths_are_independent_and_go_from_5_to_30() -> None:
    drawn = []
    for number in range(300):
        row = trimaps_from_alpha(15).draw(str(number), NOTHING, half_plane())[0]
        drawn.append(((row[:100] == 128).sum(), (row[100:] == 128).sum()))
    outer, inner = np.array(drawn).T
    assert (outer.min(), outer.max(), inner.min(), inner.max()) == (5, 30, 5, 30)
    assert abs(np.corrcoef(outer, inner)[0, 1]) < 0.15
    other = trimaps_from_alpha(15, seed=1).draw("0", NOTHING, half_plane())[0]
    assert ((other[:100] == 128).sum(), (other[100:] == 128).sum()) != drawn[0]


def test_all_that_is_soft_is_unknown() -> None:
    _, alpha = disc(96, 128)
    trimap = trimaps_from_alpha(3).draw("x", NOTHING, alpha)
    assert (trimap[(alpha > 0.02) & (alpha < 0.98)] == 128).all()
    assert (alpha[trimap == 255] == 1).all()
    assert (alpha[trimap == 0] == 0).all()
    assert {0, 128, 255} == set(np.unique(trimap))


def test_noise_in_the_solid_parts_is_not_soft() -> None:
    clean = half_plane()
    noisy = clean.copy()
    noisy[4, 150], noisy[4, 20] = 253 / 255, 2 / 255
    one, other = (trimaps_from_alpha(15).draw("x", NOTHING, Alpha(a)) for a in (clean, noisy))
    assert np.array_equal(one, other)


def test_a_subject_up_to_the_border_keeps_its_middle() -> None:
    ones = Alpha(np.ones((9, 9), np.float32))
    assert (trimaps_from_alpha(15).draw("x", NOTHING, ones) == 255).all()


@pytest.mark.parametrize("width", [0, -3, 1000])
def test_absurd_widths_are_refused(width: int) -> None:
    with pytest.raises(SettingError, match="give 1"):
        trimaps_from_alpha(width)


def test_a_folders_trimaps_are_sorted(mattes: Path) -> None:
    _, alpha = disc(60, 80)
    source = trimaps_from_folder(mattes / "trimap1")
    assert set(np.unique(source.draw("a", NOTHING, alpha))) == {0, 128, 255}
    with pytest.raises(PictureError, match="no trimap: put one into trimap1"):
        source.draw("z", NOTHING, alpha)
    with pytest.raises(PictureError, match="no folder trimap3"):
        trimaps_from_folder(mattes / "trimap3")


def test_the_lines_own_trimap_does_not_know_the_truth() -> None:
    image, alpha = disc(96, 128)
    source = trimaps_from_segmenter(
        BrightIsSubject(), Config(trimap=TrimapSettings(k=3, iterations=2))
    )
    assert not source.agrees_with_truth
    one, other = (source.draw("x", image, Alpha(a)) for a in (alpha, alpha * 0))
    assert np.array_equal(one, other)
