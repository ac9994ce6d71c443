"""Settings for a small copy of a picture: what counts pixels becomes smaller with it."""

from dataclasses import replace

from matte.configs.lengths import Length
from matte.configs.loader import MergedSettings
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.segmentation.subjects import parse_subject

QUICK_SIDE = 640  # pixels of the long side of the copy that previews are made of
QUICK_DETAIL = 360  # pixels of the copy that a preview's colours are averaged on
SMALLEST_KERNEL = 3
MAX_REPETITIONS = 100


def scale_settings(merged: MergedSettings, factor: float) -> MergedSettings:
    """Return the settings for a copy that is `factor` times as large as the picture."""
    if factor == 1:
        return merged
    config = merged.config
    scaled = replace(
        config,
        segmentation=scale_cleaning(config.segmentation, factor),
        trimap=scale_band(config.trimap, factor),
    )
    return replace(merged, config=scaled)


def scale_cleaning(settings: SegmentationSettings, factor: float) -> SegmentationSettings:
    """Return the settings of the mask for the copy."""
    return replace(
        settings,
        subject=settings.subject and str(parse_subject(settings.subject).scaled(factor)),
        open_mask=round(settings.open_mask * factor),
        close_mask=round(settings.close_mask * factor),
        smooth_mask=round(settings.smooth_mask * factor),
    )


def scale_band(settings: TrimapSettings, factor: float) -> TrimapSettings:
    """Return the settings of the band for the copy: as wide in the picture as it would be."""
    if settings.width is not None:
        return replace(settings, width=scale_length(settings.width, factor))
    if isinstance(settings.k, str):
        return settings
    # A kernel of k pixels reaches (k − 1) / 2 each time, one of three pixels reaches one.
    reach = (settings.k - 1) / 2 * factor
    inwards, outwards = (
        min(MAX_REPETITIONS, round(times * reach)) for times in settings.repetitions
    )
    if settings.k > 1 and not inwards + outwards:
        outwards = 1
    return replace(settings, k=SMALLEST_KERNEL, iterations=1, erode=inwards, dilate=outwards)


def scale_length(length: Length, factor: float) -> Length:
    """Return a length on the copy; a percentage stays."""
    return length if length.percent else Length(length.value * factor)
