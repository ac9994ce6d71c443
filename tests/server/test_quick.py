"""Settings for small copies."""

import pytest

from matte.configs.lengths import Length
from matte.configs.loader import merge_settings
from matte.configs.settings import TrimapSettings
from matte.server.quick import scale_band, scale_length, scale_settings


@pytest.mark.parametrize("k", [3, 7, 12, 21])
@pytest.mark.parametrize("factor", [0.5, 0.25])
def test_a_band_is_as_wide_in_the_picture(k: int, factor: float) -> None:
    whole = TrimapSettings(k=k, erode=4, dilate=8)
    copy = scale_band(whole, factor)
    for times, (a, b) in zip(copy.repetitions, [(4, k), (8, k)], strict=True):
        assert times == pytest.approx(a * (b - 1) / 2 * factor, abs=0.51)


def test_widths_and_cleaning_become_smaller() -> None:
    merged = merge_settings("fast", flags={"width": "12", "open_mask": 8, "smooth_mask": 3})
    scaled = scale_settings(merged, 0.25).config
    assert scaled.trimap.width == Length(3)
    assert (scaled.segmentation.open_mask, scaled.segmentation.smooth_mask) == (2, 1)
    assert scale_settings(merged, 1) is merged


def test_what_counts_no_pixels_stays() -> None:
    automatic = TrimapSettings(k="auto")
    assert scale_band(automatic, 0.25) is automatic
    assert scale_length(Length(3, percent=True), 0.25) == Length(3, percent=True)


def test_a_thin_band_does_not_vanish() -> None:
    assert sum(scale_band(TrimapSettings(k=3, iterations=1), 0.1).repetitions) == 1
