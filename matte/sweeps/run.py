"""One picture with many trimaps: which band suits it best."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Confidence, Image, Mask, Trimap
from matte.configs.lengths import Length, parse_length
from matte.configs.loader import merge_settings
from matte.configs.settings import TrimapSettings
from matte.errors import MatteWarning, PictureError, SettingError
from matte.media.pictures import Photo
from matte.pipeline.build import build_two_stage
from matte.pipeline.line import LEAST, NO_SUBJECT, TwoStage
from matte.pipeline.run import PhotoInput, as_photo
from matte.pipeline.timing import Stopwatch
from matte.refiner.belief import believed
from matte.segmentation.masks import make_mask
from matte.sweeps.edges import Edges
from matte.sweeps.scores import Choice, Kernel, Score, choose
from matte.trimap.drawing import draw_band, flaw, unknown_share

MOST = 200  # settings in one sweep
DEFAULT_K: tuple[Kernel, ...] = ("auto", 3, 7, 13)

Watch = Callable[[int, int], None]  # is told how many settings are done, of how many


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """A picture with its one mask; and for each setting, in their order, trimap, alpha, score."""

    photo: Photo
    mask: Mask
    trimaps: tuple[Trimap, ...]
    alphas: tuple[Alpha, ...]
    scores: tuple[Score, ...]
    choice: Choice
    subject: bool
    """Whether there is one; without, every alpha is 0 everywhere."""
    segment_ms: float


def every_band(
    k: Sequence[Kernel] = (),
    iterations: Sequence[int] = (),
    width: Sequence[Length | str] = (),
    base: TrimapSettings | None = None,
) -> tuple[TrimapSettings, ...]:
    """Each kernel with each number of iterations, "auto" once, each width; none twice.

    What is not named is as in `base`; without k and width, `iterations` vary its kernel, and
    without any of them k is each of DEFAULT_K.
    """
    base = base or TrimapSettings()
    if not (k or width):
        kernel = base.k if isinstance(base.k, int) else TrimapSettings().k
        k = (kernel,) if iterations else DEFAULT_K
    if iterations:
        base = replace(base, erode=None, dilate=None)
    bands: dict[TrimapSettings, None] = {}
    for side in k:
        times = iterations if iterations and side != "auto" else (base.iterations,)
        bands |= dict.fromkeys(replace(base, k=side, iterations=n, width=None) for n in times)
    lengths = (parse_length(reach) if isinstance(reach, str) else reach for reach in width)
    bands |= dict.fromkeys(replace(base, width=reach) for reach in lengths)
    if len(bands) > MOST:
        raise SettingError(f"a sweep over {len(bands)} settings", f"give at most {MOST}")
    return tuple(bands)


def sweep(
    image: PhotoInput,
    bands: Sequence[TrimapSettings] = (),
    line: TwoStage | None = None,
    watch: Watch | None = None,
) -> Sweep:
    """The picture segmented once, then refined with each band; and which of them is the best.

    `image` is as for a `Pipeline`; `bands` come from every_band(), without: its defaults.
    `line` names segmenter and refiner, without: those of the default preset; its own band and its
    budget are not looked at.
    """
    line = line or build_two_stage(merge_settings().config)
    photo = as_photo(image)
    spent = Stopwatch()
    with spent("segment"):
        confidence = line.segmenter.segment(photo.pixels)
        mask = make_mask(confidence, line.segmentation)
    subject = bool(np.count_nonzero(mask) >= LEAST * mask.size)
    tried = [_drawn(mask, confidence, band, subject) for band in bands or every_band()]
    waiting = [place for place, one in enumerate(tried) if not one.doubt]
    for done, place in enumerate(waiting, len(tried) - len(waiting)):
        if watch:
            watch(done, len(tried))
        tried[place] = _refined(line, photo.pixels, confidence, tried[place])
    if watch:
        watch(len(tried), len(tried))
    tried = [replace(one, alpha=photo.limit_alpha(one.alpha)) for one in tried]
    scores = _scores(photo.pixels, tried)
    trimaps, alphas = tuple(one.trimap for one in tried), tuple(one.alpha for one in tried)
    return Sweep(
        photo, mask, trimaps, alphas, scores, choose([scores]), subject, spent.ms["segment"]
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Tried:
    """A setting on its way."""

    band: TrimapSettings
    trimap: Trimap
    doubtful: bool
    alpha: Alpha
    ms: float
    doubt: str


def _drawn(mask: Mask, confidence: Confidence, band: TrimapSettings, subject: bool) -> _Tried:
    """The setting with its trimap; alpha is the mask, for now."""
    watch = Stopwatch()
    with watch("trimap"), warnings.catch_warnings():
        warnings.simplefilter("ignore", MatteWarning)  # even kernels are told in the score
        drawn = draw_band(mask, confidence, band)
    alpha = Alpha((mask == SUBJECT).astype(np.float32) * np.float32(subject))
    doubt = flaw(drawn.trimap) if subject else NO_SUBJECT
    return _Tried(band, drawn.trimap, drawn.doubtful, alpha, watch.ms["trimap"], doubt)


def _refined(line: TwoStage, image: Image, confidence: Confidence, tried: _Tried) -> _Tried:
    watch = Stopwatch()
    try:
        with watch("refine"):
            alpha = line.refiner.refine(image, tried.trimap)
    except PictureError as error:  # the next band may suit the refiner better
        return replace(tried, doubt=error.cause)
    if tried.doubtful:
        alpha = believed(alpha, tried.trimap, confidence, line.segmentation.threshold)
    return replace(tried, alpha=alpha, ms=tried.ms + watch.ms["refine"])


def _scores(image: Image, tried: Sequence[_Tried]) -> tuple[Score, ...]:
    """What is measured of each setting; those in doubt are not measured."""
    sound = [place for place, one in enumerate(tried) if not one.doubt]
    region = np.zeros(image.shape[:2], bool)
    for place in sound:
        region |= tried[place].trimap == UNKNOWN
    edges = Edges(image, region)
    changes = _changes([tried[place] for place in sound])
    instability = dict(zip(sound, changes, strict=True))
    return tuple(
        Score(
            one.band,
            unknown_share(one.trimap),
            None if one.doubt else edges.agreement(one.alpha),
            instability.get(place),
            round(one.ms, 1),
            one.doubt,
        )
        for place, one in enumerate(tried)
    )


def _changes(tried: Sequence[_Tried]) -> list[float | None]:
    """Each one's mean change of alpha to the next narrower and to the next wider band."""
    by_width = sorted(range(len(tried)), key=lambda place: unknown_share(tried[place].trimap))
    found: list[list[float]] = [[] for _ in tried]
    for narrow, wide in pairwise(by_width):
        one, other = tried[narrow], tried[wide]
        union = (one.trimap == UNKNOWN) | (other.trimap == UNKNOWN)
        change = float(np.abs(one.alpha - other.alpha)[union].mean())
        found[narrow].append(change)
        found[wide].append(change)
    return [sum(values) / len(values) if values else None for values in found]
