"""One picture refined with many trimaps, and the band that suits it best."""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Image, Mask, Trimap
from matte.configs.lengths import Length
from matte.configs.loader import merge_settings
from matte.configs.settings import SETTINGS, TrimapSettings
from matte.configs.tables import convert, parse_setting
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.photo_inputs import PhotoInput, as_photo
from matte.media.pictures import Photo
from matte.media.sources import is_source, source_name
from matte.pipeline.build import build_two_stage
from matte.pipeline.line import NO_SUBJECT, TwoStage
from matte.pipeline.steps import Subject, cut_subject, draw, refine, segment_photo
from matte.pipeline.subject_masks import mask_path, mask_place, read_subject_mask
from matte.pipeline.timing import Stopwatch
from matte.refiner.alpha_errors import AlphaErrors
from matte.stages import Progress, Refiner
from matte.sweeps.scores import Kernel, SettingScore, SweepChoice, choose_setting
from matte.trimap.drawing import DrawnTrimap, trimap_flaw, unknown_share

MAX_SETTINGS = 200  # in one sweep
DEFAULT_K: tuple[Kernel, ...] = ("auto", 3, 7, 13)


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The result of a sweep: a picture, its mask, and each setting's trimap, alpha and score."""

    photo: Photo
    mask: Mask
    trimaps: tuple[Trimap, ...]
    alphas: tuple[Alpha, ...]
    scores: tuple[SettingScore, ...]
    choice: SweepChoice
    subject: bool
    """Whether a subject was found; if not, every alpha is 0 everywhere."""
    segment_ms: float


def sweep_settings(
    k: Sequence[Kernel] = (),
    iterations: Sequence[int] = (),
    width: Sequence[Length | str] = (),
    base: TrimapSettings | None = None,
) -> tuple[TrimapSettings, ...]:
    """Return the settings to compare: each kernel with each number of iterations, then each width.

    "auto" and "learned" have no iterations; no setting comes twice. All else is as in `base`;
    without k and width, `iterations` vary its kernel, and without any of them k is each of
    DEFAULT_K.
    """
    base = base or TrimapSettings()
    if not (k or width):
        kernel = base.k if isinstance(base.k, int) else TrimapSettings().k
        k = (kernel,) if iterations else DEFAULT_K
    if iterations:
        base = replace(base, erode=None, dilate=None)
    bands: dict[TrimapSettings, None] = {}
    for side in k:
        convert(side, SETTINGS["k"].hint, "k")
        times = iterations if iterations and isinstance(side, int) else (base.iterations,)
        bands |= dict.fromkeys(replace(base, k=side, iterations=n, width=None) for n in times)
    known = SETTINGS["width"]
    lengths = (parse_setting(reach, known.hint, known.rule, "width") for reach in width)
    bands |= dict.fromkeys(replace(base, width=reach) for reach in lengths)
    if len(bands) > MAX_SETTINGS:
        raise SettingError(f"a sweep over {len(bands)} settings", f"give at most {MAX_SETTINGS}")
    return tuple(bands)


def sweep(
    image: PhotoInput,
    bands: Sequence[TrimapSettings] = (),
    line: TwoStage | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Segment a picture once, refine it with each band, and choose the best setting.

    `image` is as for a `Pipeline`; `bands` come from sweep_settings(), by default its defaults.
    `line` has the segmenter and the refiner, by default those of the default preset; its own band
    and its budget don't count.
    """
    line = line or build_two_stage(merge_settings().config)
    photo, region = as_photo(image), None
    masks = mask_place(line.segmentation.subject)
    if masks is not None:
        path = mask_path(masks, source_name(image) if is_source(image) else "")
        region = read_subject_mask(path, photo.pixels.shape).region
    watch = Stopwatch()
    with watch("segment"):
        segmentation = segment_photo(line.segmenter, photo.pixels, line.segmentation.threshold)
        subject = cut_subject(segmentation, line.segmentation, region)
    tried = [_draw(subject, band) for band in bands or sweep_settings()]
    waiting = [place for place, one in enumerate(tried) if not one.doubt]
    for done, place in enumerate(waiting, len(tried) - len(waiting)):
        if progress:
            progress(done, len(tried))
        tried[place] = _refine(line.refiner, photo.pixels, subject, tried[place])
    if progress:
        progress(len(tried), len(tried))
    tried = [replace(one, alpha=photo.limit_alpha(one.alpha)) for one in tried]
    scores = _score_settings(photo.pixels, subject, tried)
    trimaps, alphas = tuple(one.drawn.trimap for one in tried), tuple(one.alpha for one in tried)
    return Sweep(
        photo,
        subject.mask,
        trimaps,
        alphas,
        scores,
        choose_setting([scores]),
        subject.is_found(),
        watch.ms["segment"],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _TriedSetting:
    """A setting of the sweep, and its trimap and alpha so far."""

    band: TrimapSettings
    drawn: DrawnTrimap
    alpha: Alpha
    ms: float
    doubt: str


def _draw(subject: Subject, band: TrimapSettings) -> _TriedSetting:
    """Return the setting with its trimap, and the mask as its alpha for now."""
    watch = Stopwatch()
    with watch("trimap"), warnings.catch_warnings():
        warnings.simplefilter("ignore", MatteWarning)  # the score says that a kernel is even
        drawn = draw(subject, band)
    is_found = subject.is_found()
    alpha = Alpha((subject.mask == SUBJECT).astype(np.float32) * np.float32(is_found))
    doubt = trimap_flaw(drawn.trimap) if is_found else NO_SUBJECT
    return _TriedSetting(band, drawn, alpha, watch.ms["trimap"], doubt)


def _refine(
    refiner: Refiner, image: Image, subject: Subject, tried: _TriedSetting
) -> _TriedSetting:
    """Return the setting with its refined alpha, or with the refiner's objection as its doubt."""
    watch = Stopwatch()
    try:
        with watch("refine"):
            alpha = refine(refiner, image, subject, tried.drawn).alpha
    except PictureError as error:  # the next band may suit the refiner better
        return replace(tried, doubt=error.cause)
    return replace(tried, alpha=alpha, ms=tried.ms + watch.ms["refine"])


def _score_settings(
    image: Image, subject: Subject, tried: Sequence[_TriedSetting]
) -> tuple[SettingScore, ...]:
    """Return each setting's score; of those with a doubt nothing is measured."""
    sound = [place for place, one in enumerate(tried) if not one.doubt]
    region = np.zeros(image.shape[:2], bool)
    for place in sound:
        region |= tried[place].drawn.trimap == UNKNOWN
    estimate = AlphaErrors(image, subject.segmentation.confidence, subject.mask, region)
    errors = {place: estimate.features(tried[place].alpha).log_error() for place in sound}
    least = min(errors.values(), default=0.0)
    changes = _instabilities([tried[place] for place in sound])
    instability = dict(zip(sound, changes, strict=True))
    return tuple(
        SettingScore(
            one.band,
            unknown_share(one.drawn.trimap),
            None if one.doubt else math.exp(errors[place] - least),
            instability.get(place),
            round(one.ms, 1),
            one.doubt,
        )
        for place, one in enumerate(tried)
    )


def _instabilities(tried: Sequence[_TriedSetting]) -> list[float | None]:
    """Return each setting's mean change of alpha to the next narrower and next wider band."""
    by_width = sorted(range(len(tried)), key=lambda place: unknown_share(tried[place].drawn.trimap))
    changes: list[list[float]] = [[] for _ in tried]
    for narrow, wide in pairwise(by_width):
        one, other = tried[narrow], tried[wide]
        union = (one.drawn.trimap == UNKNOWN) | (other.drawn.trimap == UNKNOWN)
        change = float(np.abs(one.alpha - other.alpha)[union].mean())
        changes[narrow].append(change)
        changes[wide].append(change)
    return [sum(values) / len(values) if values else None for values in changes]
