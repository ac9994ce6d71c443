import numpy as np
import pytest
from PIL import ImageCms

from matte.arrays import Image
from matte.errors import MatteWarning
from matte.media.profiles import (
    CMYK,
    GREY,
    RGB,
    convert_to_profile,
    grey_profile_levels,
    profile_space,
)
from tests.media.files import noise
from tests.media.profiles import (
    P3,
    PROPHOTO,
    SRGB,
    cmyk_profile,
    coded,
    display_p3,
    grey_profile,
    linear,
    matrix_profile,
)

WIDE = matrix_profile(PROPHOTO, 1.8)
DAMAGED = display_p3()[:200] + bytes(400)
SPACES = {"srgb": (b"", SRGB, None), "p3": (display_p3(), P3, None), "wide": (WIDE, PROPHOTO, 1.8)}


def test_the_space_of_a_profile_is_known() -> None:
    assert profile_space(display_p3()) == RGB
    assert profile_space(grey_profile(2.2)) == GREY
    assert profile_space(cmyk_profile()) == CMYK


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"nonsense",
        DAMAGED,
        display_p3()[:-300],
        display_p3().replace(b"acsp", b"ACSP"),
        matrix_profile(P3 * 0),  # whose white is black
    ],
)
def test_damaged_and_absurd_profiles_have_none(damaged: bytes) -> None:
    assert profile_space(damaged) == b""


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("source", SPACES)
@pytest.mark.parametrize("target", SPACES)
def test_colours_are_those_of_the_equations(source: str, target: str, dtype: type) -> None:
    (profile, primaries, gamma), (wanted, their_primaries, their_gamma) = (
        SPACES[source],
        SPACES[target],
    )
    pixels, top = Image(noise(60, 70, 3, dtype=dtype)), np.iinfo(dtype).max
    pixels[:, 0] = np.linspace(0, top, 60)[:, None]
    found = convert_to_profile(pixels, profile, wanted)
    assert found.dtype == dtype
    if source == target:
        assert found is pixels
    light = linear(pixels / top, gamma) @ (np.linalg.inv(their_primaries) @ primaries).T
    error = np.abs(found / top - coded(light, their_gamma)) * 255
    assert np.quantile(error, 0.99) < 0.6
    # Whole levels are lost only where colours leave what the target can show, and in wide's dark.
    assert error[np.all((light > 0.01) & (light < 1), axis=-1)].max() < 1


def test_16_bits_have_no_steps() -> None:
    ramp = np.linspace(20_000, 24_000, 2000).astype(np.uint16)
    pixels = Image(np.dstack([ramp[None], ramp[None] // 2, 60_000 - ramp[None]]))
    steps = np.diff(convert_to_profile(pixels, display_p3(), b"").astype(int), axis=1)
    assert np.abs(steps).max() < 10  # of 257 for each level of 8 bits


def test_srgb_by_any_name_is_srgb() -> None:
    pixels = Image(noise(5, 5, 3))
    named = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert convert_to_profile(pixels, named, b"") is pixels
    assert convert_to_profile(pixels, b"", matrix_profile(SRGB)) is pixels


@pytest.mark.parametrize("other", [DAMAGED, grey_profile(2.2), cmyk_profile()])
def test_what_is_not_for_rgb_is_taken_as_srgb(other: bytes) -> None:
    pixels = Image(noise(5, 5, 3))
    with pytest.warns(MatteWarning, match="taken as sRGB"):
        assert convert_to_profile(pixels, other, b"") is pixels
    with pytest.warns(MatteWarning, match="taken as sRGB"):
        found = convert_to_profile(pixels, display_p3(), other)
    assert np.array_equal(found, convert_to_profile(pixels, display_p3(), b""))


def test_white_black_and_grey_stay_what_they_are() -> None:
    greys = Image(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2))
    found = convert_to_profile(greys, display_p3(), b"").astype(int)
    assert np.abs(found - greys).max() <= 1
    assert found[0, 0].tolist() == [0, 0, 0]
    assert found[0, 255].tolist() == [255, 255, 255]


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_grey_levels_follow_their_curve(gamma: float) -> None:
    for levels in (256, 65536):
        found = grey_profile_levels(grey_profile(gamma), levels)
        exact = coded(np.linspace(0, 1, levels) ** gamma)
        assert np.abs(found - exact)[levels // 64 :].max() < 1 / 255
        assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_strips_give_what_the_whole_gives(
    dtype: type[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = Image(noise(37, 23, 3, dtype=dtype))
    found = []
    for count in (1 << 30, 100):
        monkeypatch.setattr("matte.imaging.strips.MAX_STRIP_PIXELS", count)
        found.append(convert_to_profile(pixels, display_p3(), b""))
    assert np.array_equal(found[0], found[1])
    assert not np.array_equal(found[0], pixels)
