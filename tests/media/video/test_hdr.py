import numpy as np
import pytest

from matte.arrays import Image
from matte.media.video.facts import ColourTags
from matte.media.video.hdr import HLG, PQ, HdrLight, hdr_light

RAMP = Image(np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2))


@pytest.mark.parametrize(("transfer", "white"), [(PQ, 0.58), (HLG, 0.75)])
def test_white_of_sdr_is_at_its_level_of_bt2408(transfer: int, white: float) -> None:
    values = HdrLight(transfer).from_sdr(RAMP)
    assert values.dtype == np.uint16
    assert values[0, -1, 0] / 65535 == pytest.approx(white, abs=0.002)
    assert (np.diff(values[0, :, 0].astype(int)) > 0).all()


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_tone_mapping_keeps_what_is_not_bright(transfer: int) -> None:
    light = HdrLight(transfer)
    back = light.to_sdr(light.from_sdr(RAMP))[0].astype(int)
    assert back.dtype == int
    below = RAMP[0] < 150
    assert np.abs(back - RAMP[0])[below].max() <= 1
    assert (np.diff(back[:, 0]) >= 0).all()
    assert 200 < back[-1, 0] < 255, "there is room for highlights"
    brightest = Image(np.full((1, 1, 3), 65535, np.uint16))
    assert light.to_sdr(brightest).tolist() == [[[255, 255, 255]]]


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hues_stay(transfer: int) -> None:
    light = HdrLight(transfer)
    colours = Image(np.array([[[120, 20, 20], [20, 120, 60], [30, 40, 130]]], np.uint8))
    values = light.from_sdr(colours)
    assert np.abs(light.to_sdr(values).astype(int) - colours).max() <= 2
    # A saturated colour of BT.709 is none of BT.2020.
    assert (values[0].min(axis=1) > 0.1 * values[0].max(axis=1)).all()
    other = HdrLight(transfer, 1).from_sdr(colours)
    assert not np.array_equal(values, other)
    assert np.abs(HdrLight(transfer, 1).to_sdr(other).astype(int) - colours).max() <= 2


def test_alpha_stays_as_it_is() -> None:
    pixels = np.full((2, 3, 4), 65535, np.uint16)
    pixels[:, :, 3] = 257 * 90
    found = HdrLight(PQ).to_sdr_with_alpha(pixels)
    assert found.dtype == np.uint8
    assert (found[:, :, 3] == 90).all()
    assert (found[:, :, :3] == 255).all()
    assert HdrLight(PQ).to_sdr_with_alpha(pixels[:, :, :3].copy()).shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (ColourTags(1, 9, 9, 16), HdrLight(PQ, 9)),
        (ColourTags(1, 9, 2, 18), HdrLight(HLG, 9)),
        (ColourTags(1, 1, 1, 1), None),
        (ColourTags(), None),
    ],
)
def test_tags_say_what_light_it_is(tags: ColourTags, found: HdrLight | None) -> None:
    assert hdr_light(tags) == found
