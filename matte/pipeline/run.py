"""A photo through the line: its alpha, its foreground colours, its report."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

import matte
from matte.arrays import (
    UNKNOWN,
    Alpha,
    Confidence,
    Image,
    Mask,
    Trimap,
    as_alpha,
    as_trimap,
    same_size,
)
from matte.compositing.foreground import estimate_foreground
from matte.compositing.screen_key import Screen, key_screen, remove_spill
from matte.configs.loader import (
    MergedSettings,
    merge_settings,
    refuse_unused_cleaning,
    written_values,
)
from matte.configs.settings import Config
from matte.errors import MatteWarning, PictureError
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.photo_inputs import PhotoInput, as_photo
from matte.media.pictures import Photo, read_alpha, read_trimap
from matte.media.sources import Source, is_source, source_name
from matte.pipeline.line import NO_CHOSEN_SUBJECT, NO_PRIOR, Line, LineResult, Prior
from matte.pipeline.seen import seen_subjects
from matte.pipeline.subject_masks import (
    SubjectMask,
    mask_path,
    mask_place,
    read_subject_mask,
    scale_mask,
)
from matte.pipeline.timing import Stopwatch
from matte.runtime.memory import WHOLE_MACHINE, MemoryLimit
from matte.stages import Matte, Segmentation
from matte.trimap.drawing import trimap_flaw
from matte.weights.store import all_weights

MatteInput = NDArray[Any] | Source | None
NO_SUBJECT_REMEDY = (
    "give a rough mask with --mask-in, a lower --threshold, or another network with --segmenter"
)
PEOPLE_ONLY_REMEDY = "; {name} sees people alone: --preset balanced animals and things, too"


@dataclass(frozen=True, slots=True, eq=False)
class FoundAlpha:
    """A photo's alpha, mask and trimap; its report; what a person should know of it."""

    alpha: Alpha
    mask: Mask | None
    trimap: Trimap | None
    report: dict[str, Any]
    warnings: tuple[str, ...] = ()
    screen: Screen = "none"
    """The colour of the screen behind the subject, by which alpha is mended, if there is one."""

    def without_spill(self, pixels: Image) -> Image:
        """Return the photo's pixels without the screen's light; as they are without a screen."""
        return pixels if self.screen == "none" else remove_spill(pixels, self.screen)


@dataclass(frozen=True, slots=True, eq=False)
class BuiltPipeline:
    """A line with its settings, ready to matte one picture after the other."""

    line: Line
    merged: MergedSettings = field(default_factory=merge_settings)
    max_pixels: int = DEFAULT_MAX_PIXELS
    memory: MemoryLimit = WHOLE_MACHINE

    @property
    def config(self) -> Config:
        """The settings."""
        return self.merged.config

    @property
    def facts(self) -> dict[str, Any]:
        """What every report begins with: version, preset, settings, and the loaded networks."""
        networks = {kind: facts.as_json() for kind, facts in self.line.network_facts.items()}
        return {
            "matte": matte.__version__,
            "preset": self.merged.preset,
            "settings": written_values(self.config),
            "networks": networks,
        }

    def __call__(
        self,
        image: PhotoInput,
        *,
        mask: MatteInput = None,
        trimap: MatteInput = None,
        subject: MatteInput = None,
    ) -> Matte:
        """Return the matte of a picture; see `matte.Pipeline`.

        `mask`, `trimap` and `subject` are files or arrays (H, W); the last goes before the
        settings.
        """
        name = source_name(image) if is_source(image) else ""
        photo = as_photo(image, self.max_pixels)
        return self.run(photo, self.prior(photo, mask, trimap, name, subject), name)

    def run(
        self,
        photo: Photo,
        prior: Prior = NO_PRIOR,
        name: str = "",
        wording: Callable[[str], str] = str,
    ) -> Matte:
        """Return the matte of a photo; `name` is what warnings call it, `wording` rewords them."""
        found = self.find_alpha(photo, prior, name)
        for warning in found.warnings:
            warnings.warn(wording(warning), MatteWarning, stacklevel=3)
        return with_colours(photo, found)

    def _remedy(self) -> str:
        """Return what helps where no subject is found."""
        name = self.config.segmentation.segmenter
        weights = all_weights().get(name)
        if self.config.modnet.modnet or weights is None or not weights.people_only:
            return NO_SUBJECT_REMEDY
        return NO_SUBJECT_REMEDY + PEOPLE_ONLY_REMEDY.format(name=name)

    def find_alpha(self, photo: Photo, prior: Prior = NO_PRIOR, name: str = "") -> FoundAlpha:
        """Return a photo's alpha, mask and trimap; `name` is what its warnings call it."""
        screen = self.config.segmentation.screen
        self.memory.check_image(photo.pixels, is_keyed=screen != "none")
        result = self.line.run(photo.pixels, prior)
        keyed = result.alpha
        if screen != "none":
            keyed = key_screen(photo.pixels, keyed, screen, prior.said)
        alpha = photo.limit_alpha(keyed)
        report = self._report(alpha, result)
        if prior.subject_mask is not None:
            report["subject_mask"] = prior.subject_mask.facts
        report["subjects"] = [subject.as_json() for subject in seen_subjects(alpha)]
        if self.config.pipeline.require_subject and not report["subject"]:
            raise PictureError(f"no subject found in {name or 'the picture'}", self._remedy())
        told = tuple(_warnings(name or "the picture", result, report, self._remedy()))
        if prior.subject_mask is not None and prior.subject_mask.note:
            told += (prior.subject_mask.note,)
        if prior.note:
            told += (prior.note,)
        if screen != "none":
            if keyed is result.alpha:
                told += (f"{name or 'the picture'}: there is no {screen} screen",)
                screen = "none"
            report["screen"] = screen
        return FoundAlpha(alpha, result.mask, result.trimap, report, told, screen)

    def prior(
        self,
        photo: Photo,
        mask: MatteInput = None,
        trimap: MatteInput = None,
        name: str = "",
        subject: MatteInput = None,
    ) -> Prior:
        """Return a user's mask or trimap of the photo, read and checked.

        `name` is the photo's, by which its rough mask is found where the settings choose a subject
        by one; `subject` is that mask itself.
        """
        if trimap is not None:
            refuse_unused_cleaning(self.merged, "a run with a trimap of one's own")
        segmentation, note, known = None, "", None
        if mask is not None:
            own = self._read_mask(mask) if is_source(mask) else as_alpha(mask)
            scaled, note = scale_mask(own, photo.pixels.shape, "the mask")
            segmentation = Segmentation(Confidence(scaled))
        if is_source(trimap):
            known = read_trimap(trimap, self.max_pixels)
        elif trimap is not None:
            known = as_trimap(trimap)
        if known is not None:
            same_size(("picture", photo.pixels), ("trimap", known))
        chosen = self._subject_mask(photo, name, subject)
        said = None if known is None else known != UNKNOWN
        return Prior(segmentation, known, subject_mask=chosen, said=said, note=note)

    def _read_mask(self, source: Source) -> Alpha:
        """Return a mask of the user's own from its file."""
        return read_alpha(source, self.max_pixels, kind="mask")

    def _subject_mask(self, photo: Photo, name: str, given: MatteInput) -> SubjectMask | None:
        """Return the rough mask of the subject that is meant; None if none is named."""
        place = mask_place(self.config.segmentation.subject)
        if given is None and place is not None and not self.config.modnet.modnet:
            given = mask_path(place, name)
        if given is None:
            return None
        return read_subject_mask(given, photo.pixels.shape, self.max_pixels)

    def _report(self, alpha: Alpha, result: LineResult) -> dict[str, Any]:
        """Return the report of one picture, as a copy that the caller may change."""
        height, width = alpha.shape
        report = {**self.facts, "width": width, "height": height}
        report["subject"] = bool((alpha >= 0.5).any())
        return {**report, **result.report, "ms": dict(result.report["ms"])}


def with_colours(photo: Photo, found: FoundAlpha) -> Matte:
    """Return the matte of a photo whose alpha is found: with the subject's own colours."""
    watch = Stopwatch()
    with watch("foreground"):
        foreground = estimate_foreground(found.without_spill(photo.pixels), found.alpha)
    report = found.report | {"ms": found.report["ms"] | watch.ms}
    return Matte(found.alpha, foreground, found.mask, found.trimap, report)


def _warnings(name: str, result: LineResult, report: dict[str, Any], remedy: str) -> Iterator[str]:
    """Yield what a person should know of the result; `remedy` is what helps without a subject."""
    fallback = report.get("fallback", {})
    if "error" in fallback:
        yield f"{name}: MODNet can't be asked: {fallback['error']}"
    elif fallback and "found" not in fallback:
        found = f" ({fallback['remedy']})" if "remedy" in fallback else ""
        yield f"{name}: {fallback['reason']}{found}: its matte is MODNet's"
    if result.doubt == NO_CHOSEN_SUBJECT:
        yield f"{name}: {NO_CHOSEN_SUBJECT}: alpha is 0"
    elif not report["subject"]:
        yield f"no subject found in {name}: alpha is nowhere above one half: {remedy}"
    if result.mask is None and result.trimap is not None and (flaw := trimap_flaw(result.trimap)):
        yield f"{name}: {flaw}: it is used as it is"
