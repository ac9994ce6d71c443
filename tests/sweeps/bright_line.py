"""A line whose segmenter is sure of what is bright, and the sheet of its sweeps."""

from collections.abc import Sequence

import numpy as np

from matte.arrays import Confidence, Image
from matte.compositing.backgrounds import colour_pixel
from matte.compositing.composer import Composer, PictureGround
from matte.configs.settings import SegmentationSettings, TrimapSettings
from matte.media.pictures import Photo
from matte.pipeline.budget import Budget
from matte.pipeline.line import TwoStage
from matte.refiner.guided import Guided
from matte.stages import Refiner, Segmentation
from matte.sweeps.run import Sweep, sweep_settings
from matte.sweeps.sheet import compose_settings, draw_sheet, make_section


class Bright:
    """Segments what is brighter than half, and counts how often."""

    network = None

    def __init__(self) -> None:
        self.calls = 0

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        self.calls += 1
        bright = image.max(axis=2) > np.iinfo(image.dtype).max / 2
        return Segmentation(Confidence(bright.astype(np.float32)))


def line(refiner: Refiner | None = None, segmenter: Bright | None = None) -> TwoStage:
    return TwoStage(
        segmenter or Bright(),
        SegmentationSettings(),
        TrimapSettings(),
        refiner or Guided(),
        Budget(0),
    )


def kernels(*sides: int, iterations: Sequence[int] = (1,)) -> tuple[TrimapSettings, ...]:
    return sweep_settings(k=sides, iterations=iterations)


def on_magenta(photo: Photo) -> Composer:
    return Composer(PictureGround(colour_pixel((255, 0, 255))))


def sheet_of(found: Sweep, name: str = "photo") -> Image:
    return draw_sheet([make_section(found, name, compose_settings(found, on_magenta))])
