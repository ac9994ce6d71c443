"""The recipe of a segmenter's band."""

from dataclasses import dataclass, field

from matte.training.settings import (
    CollectionSettings,
    DataSet,
    RunSettings,
    check_data_and_sizes,
    require_between,
)
from matte.training.synthesis.matte_samples import MatteMix
from matte.training.synthesis.photometric import PhotometricSettings


@dataclass(frozen=True, slots=True)
class BandRecipe:
    """The recipe of the band that a trained segmenter learns.

    `data`: sets with alphas, cut-outs and backgrounds. `sizes`, `aspects`: of the samples, as for
    segmenters; the last size is the one that the segmenter was made for.
    `mix`: where the samples come from; masks tell nothing of soft edges, and are not drawn.
    `light`: how their light and colours change.
    """

    data: tuple[DataSet, ...] = ()
    sizes: tuple[int, ...] = (384,)
    aspects: float = 1.0
    mix: MatteMix = field(default_factory=MatteMix)
    light: PhotometricSettings = field(default_factory=PhotometricSettings)
    collect: CollectionSettings = field(default_factory=CollectionSettings)
    run: RunSettings = field(default_factory=RunSettings)

    def __post_init__(self) -> None:
        check_data_and_sizes(self.data, self.sizes)
        require_between(1, 4, aspects=self.aspects)
