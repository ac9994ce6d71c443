"""The steps of a picture, each done again only if what it depends on has changed."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from matte.arrays import UNKNOWN, Alpha, Confidence, Image, Mask, Trimap
from matte.compositing.foreground import COPY_LONG_SIDE, estimate_foreground
from matte.configs.loader import MergedSettings
from matte.imaging.resizing import resize, scaled_size
from matte.media.pictures import Photo
from matte.pipeline.build import build
from matte.pipeline.line import Prior
from matte.pipeline.run import BuiltPipeline, FoundAlpha
from matte.pipeline.steps import Subject, cut_subject, draw, segment_photo
from matte.pipeline.timing import Stopwatch
from matte.server.cache import Arrays, StepCache
from matte.server.last_alpha import LastAlpha, RefinedBefore
from matte.server.networks import SharedNetworks
from matte.server.problems import ProblemError
from matte.server.quick import QUICK_DETAIL, QUICK_SIDE, scale_settings
from matte.server.strokes import Stroke, draw_strokes
from matte.stages import Segmentation
from matte.trimap.drawing import DrawnTrimap

T = TypeVar("T")
NO_TRIMAP = "a run with a MODNet has no mask and no trimap"


@dataclass(frozen=True, slots=True, eq=False)
class PictureSource:
    """A picture to work on: how it is read, and what its results are kept under.

    `id` is empty for a picture of one request, of which nothing is kept.
    """

    id: str
    name: str
    read: Callable[[], Photo]
    strokes: tuple[Stroke, ...] = ()


class PictureSteps:
    """Mask, trimap, alpha and colours of one picture with one choice of settings."""

    def __init__(
        self,
        source: PictureSource,
        settings: MergedSettings,
        is_quick: bool,
        networks: SharedNetworks,
        cache: StepCache,
    ) -> None:
        self.watch = Stopwatch()
        self._source, self._is_quick, self._networks = source, is_quick, networks
        self._cache = cache if source.id else StepCache(0)
        self._photo: Photo | None = None
        self._factor = 1.0
        self._asked = settings
        self._pipeline: BuiltPipeline | None = None
        self._found: FoundAlpha | None = None
        self._colours: Image | None = None

    @property
    def factor(self) -> float:
        """How large the picture that is worked on is, against the one that was sent."""
        self.photo()
        return self._factor

    def photo(self) -> Photo:
        """Return the photo, or the small copy that previews are made of."""
        if self._photo is None:
            whole = self._find_or_make("photo", (), self._source.read, _photo_arrays)
            height, width = whole.pixels.shape[:2]
            self._photo = whole
            if self._is_quick and max(height, width) > QUICK_SIDE:
                self._factor = QUICK_SIDE / max(height, width)
                self._photo = self._find_or_make(
                    "copy", (), lambda: _small_copy(whole, self._factor), _photo_arrays
                )
        return self._photo

    def pipeline(self) -> BuiltPipeline:
        """Return the pipeline with the settings, on the networks that all requests share."""
        if self._pipeline is None:
            settings = scale_settings(self._asked, self.factor)
            self._pipeline = build(settings, self._networks)
        return self._pipeline

    def mask(self) -> Mask:
        """Return the mask, without refining anything."""
        return self._subject().mask

    def trimap(self) -> Trimap:
        """Return the trimap with the strokes, without refining anything."""
        with self.watch("trimap"):
            return self._draw_strokes(self._drawn_trimap().trimap)

    def found(self) -> FoundAlpha:
        """Return the alpha, and what a report says of it."""
        if self._found is None:
            self._found = self._find_or_make(
                "alpha", self._alpha_key(), self._find_alpha, _found_arrays
            )
        return self._found

    def colours(self) -> Image:
        """Return the subject's own colours."""
        photo, found = self.photo(), self.found()

        def estimate() -> Image:
            with self.watch("foreground"):
                detail = QUICK_DETAIL if self._is_quick else COPY_LONG_SIDE
                pixels = found.without_spill(photo.pixels)
                return estimate_foreground(pixels, found.alpha, detail=detail)

        if self._colours is None:
            self._colours = self._find_or_make(
                "colours", self._alpha_key(), estimate, lambda i: (i,)
            )
        return self._colours

    def keep_ground(
        self, key: Hashable, make: Callable[[], Image], is_alphas: bool = False
    ) -> Image:
        """Return a background, which depends on `key`, and on alpha if `is_alphas`."""
        depends_on = (key, *self._alpha_key()) if is_alphas else (key,)
        return self._find_or_make("ground", depends_on, make, lambda image: (image,))

    def _find_alpha(self) -> FoundAlpha:
        """Run the line with what is known already."""
        photo, pipeline = self.photo(), self.pipeline()
        # Where there is no subject, a line that is told nothing asks MODNet too.
        if self._has_no_trimap() or not (self._source.strokes or self._subject().is_found()):
            found = pipeline.find_alpha(photo, name=self._source.name)
        else:
            last = LastAlpha(self._refined_before())
            found = pipeline.find_alpha(photo, self._prior(last), self._source.name)
            self._keep_refined(last.to_remember(found.report.get("refined", {})))
        for name, spent in found.report["ms"].items():
            self.watch.add(name, spent)
        return found

    def _prior(self, last: LastAlpha) -> Prior:
        """Return what the line needs not to find again."""
        # Nothing of a picture that is asked for once is kept, so nothing is to be remembered.
        previous = last if self._source.id else None
        if self._source.strokes:
            trimap = self.trimap()
            said = self._draw_strokes(Trimap(np.full_like(trimap, UNKNOWN))) != UNKNOWN
            return Prior(trimap=trimap, previous=previous, limit=self._limit(), said=said)
        segmentation = self._segmentation()
        return Prior(segmentation, previous=previous, from_segmenter=True)

    def _segmentation(self) -> Segmentation:
        """Return where the segmenter sees the subject."""
        segmenter = self.pipeline().line.segmenter
        if segmenter is None:
            raise ProblemError(409, NO_TRIMAP, "ask for another result, or leave modnet out")
        pixels = self.photo().pixels
        named = self._asked.config.segmentation
        threshold = self.pipeline().config.segmentation.threshold

        def segment() -> Segmentation:
            with self.watch("segment"):
                return segment_photo(segmenter, pixels, threshold)

        return self._find_or_make(
            "segmentation", (named.segmenter, named.size, threshold), segment, _maps
        )

    def _subject(self) -> Subject:
        """Return the subject's mask, cleaned as asked."""
        return cut_subject(self._segmentation(), self.pipeline().config.segmentation)

    def _limit(self) -> Subject | None:
        """Return what limits alpha where no stroke has asked the refiner itself."""
        if not self._drawn_trimap().follows_confidence:
            return None
        subject = self._subject()
        confidence = subject.segmentation.confidence
        free = confidence.copy()
        stroked = self._draw_strokes(Trimap(np.zeros(confidence.shape, np.uint8))) == UNKNOWN
        # At the threshold a confidence allows every alpha.
        free[stroked] = np.float32(subject.threshold)
        segmentation = replace(subject.segmentation, confidence=Confidence(free))
        return replace(subject, segmentation=segmentation)

    def _drawn_trimap(self) -> DrawnTrimap:
        """Return the trimap that the settings draw."""
        config = self._asked.config
        return self._find_or_make(
            "trimap",
            (config.segmentation, config.trimap),
            lambda: draw(self._subject(), self.pipeline().config.trimap),
            lambda drawn: (drawn.trimap,),
        )

    def _draw_strokes(self, trimap: Trimap) -> Trimap:
        """Return the trimap with the strokes over it."""
        if not self._source.strokes:
            return trimap
        return draw_strokes(trimap, [s.scaled(self.factor) for s in self._source.strokes])

    def _has_no_trimap(self) -> bool:
        """Return whether the settings name a MODNet."""
        return self._asked.config.modnet.modnet is not None

    def _refined_before(self) -> RefinedBefore | None:
        """Return the alpha before the newest stroke, if it is still known."""
        if not self._source.strokes:
            return None
        found: RefinedBefore | None = self._cache.find(self._key("refined", self._settings_key()))
        return found

    def _keep_refined(self, after: RefinedBefore | None) -> None:
        """Remember an alpha for the next stroke."""
        if after is None:
            return
        key = self._key("refined", self._settings_key())
        self._cache.keep(key, after, (after.trimap, after.alpha))

    def _settings_key(self) -> tuple[Hashable, ...]:
        """Return what alpha depends on but for the strokes."""
        config = self._asked.config
        return (
            config.segmentation,
            config.trimap,
            config.refiner,
            config.modnet,
            config.pipeline,
        )

    def _alpha_key(self) -> tuple[Hashable, ...]:
        """Return what alpha depends on."""
        return (*self._settings_key(), self._source.strokes)

    def _key(self, step: str, depends_on: Sequence[Hashable]) -> tuple[Hashable, ...]:
        """Return what a step's result is kept under."""
        return (self._source.id, step, self._is_quick, *depends_on)

    def _find_or_make(
        self,
        step: str,
        depends_on: Sequence[Hashable],
        make: Callable[[], T],
        arrays: Callable[[T], Arrays],
    ) -> T:
        """Return a step's result, made if it isn't known."""
        return self._cache.find_or_make(self._key(step, depends_on), make, arrays)


def _small_copy(photo: Photo, factor: float) -> Photo:
    """Return a photo `factor` times as large."""
    height, width = scaled_size(photo.pixels.shape, factor)
    transparency = photo.transparency
    return replace(
        photo,
        pixels=Image(resize(photo.pixels, height, width)),
        transparency=None if transparency is None else Alpha(resize(transparency, height, width)),
    )


def _photo_arrays(photo: Photo) -> Arrays:
    """Return the arrays of a photo."""
    return photo.pixels, photo.transparency


def _found_arrays(found: FoundAlpha) -> Arrays:
    """Return the arrays of a result."""
    return found.alpha, found.mask, found.trimap


def _maps(segmentation: Segmentation) -> Arrays:
    """Return the arrays of a segmentation."""
    return segmentation.confidence, segmentation.unknown, segmentation.features
