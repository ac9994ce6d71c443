"""Training samples of trimap-free networks: whole subjects, real and composed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from matte.arrays import SUBJECT, UNKNOWN, Uint8Array
from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.training.synthesis.compose import compose_layer, compress_as_jpeg, merge_layers
from matte.training.synthesis.geometry import (
    GREY,
    Random,
    WindowTransform,
    place_window,
    random_transform,
    sample_window,
    valid_pixels,
)
from matte.training.synthesis.layers import Layer, layer_in_window, mask_layer, relight
from matte.training.synthesis.sources import Backgrounds, PreparedSubject, prepare_subjects

SHARES = ("alphas", "masks", "composed", "empty")
_RANGES = {"degrees": (0.0, 180.0), "largest": (1.0, 4.0)}


@dataclass(frozen=True, slots=True)
class MatteMix:
    """What the samples of a trimap-free network are made of.

    `alphas`, `masks` (real pictures with their truth), `composed` (subjects of alphas, cut-outs and
    masks on backgrounds), `empty` (backgrounds): shares, against each other; the share of a kind
    without pictures falls to the others.
    `two_subjects`: probability that a made sample has a second one. `jpeg`, `plain_background`,
    `blurred_background`, `alike_background` (its colour near the subject's): probabilities.
    `whole`: probability that a real picture is shown whole. `largest`: how many times larger a
    crop shows it at most than what fills the sample. `degrees`: the largest rotation.
    """

    alphas: float = 0.35
    masks: float = 0.25
    composed: float = 0.35
    empty: float = 0.05
    two_subjects: float = 0.15
    jpeg: float = 0.2
    plain_background: float = 0.1
    blurred_background: float = 0.25
    alike_background: float = 0.1
    whole: float = 0.3
    largest: float = 1.8
    degrees: float = 20.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _RANGES.get(field.name, (0.0, 1.0))
            if not low <= value <= high:
                raise SettingError(f"{field.name} = {value}", f"give a number from {low} to {high}")
        if not sum(getattr(self, name) for name in SHARES) > 0:
            raise SettingError("all shares are 0", f"raise one of {', '.join(SHARES)}")


@dataclass(frozen=True, slots=True, eq=False)
class MatteSample:
    """A picture (H, W, 3), its alpha (H, W) 0 … 255, and which pixels count.

    `valid` (H, W) is 1 where a pixel counts, 0 in padding and where the truth says nothing. Not
    `exact`: alpha is a mask, 0 or 255 but for interpolation, and how soft the edge really is isn't
    known.
    """

    picture: Uint8Array
    alpha: Uint8Array
    valid: Uint8Array
    exact: bool


class MatteSamples:
    """Draws samples from groups of pictures; `shares` holds the kinds' probabilities in effect.

    `alphas`, `cutouts`, `masks` and `backgrounds` are samples of these kinds. The first sample of
    an alpha's subject on another background is slow, as its colours are estimated.
    """

    def __init__(
        self,
        alphas: Sequence[Sample],
        cutouts: Sequence[Sample],
        masks: Sequence[Sample],
        backgrounds: Sequence[Sample],
        mix: MatteMix,
    ) -> None:
        self._mix = mix
        self._real = {"alphas": tuple(alphas), "masks": tuple(masks)}
        self._backgrounds = Backgrounds(
            tuple(sample.picture for sample in backgrounds),
            mix.plain_background,
            mix.blurred_background,
            mix.alike_background,
        )
        made = bool(backgrounds) and mix.composed > 0
        self._subjects = [prepare_subjects(g) for g in (alphas, cutouts, masks)] if made else []
        self._subjects = [group for group in self._subjects if group]
        possible = {name for name, group in self._real.items() if group}
        possible |= {"composed"} if self._subjects else set()
        possible |= {"empty"} if backgrounds else set()
        shares = {name: getattr(mix, name) for name in SHARES if name in possible}
        total = sum(shares.values())
        if not total > 0:
            raise SettingError("no pictures for any share of the mix", "give alphas or masks")
        self.shares = {name: share / total for name, share in shares.items() if share > 0}

    def sample(self, size: tuple[int, int], random: Random) -> MatteSample:
        """Draw a sample of `size` (height, width); it depends on the generator's state only."""
        kinds = list(self.shares)
        kind = kinds[int(random.choice(len(kinds), p=list(self.shares.values())))]
        return self.sample_of(kind, size, random)

    def sample_of(self, kind: str, size: tuple[int, int], random: Random) -> MatteSample:
        """Draw a sample of one of the kinds in `shares`."""
        if kind in self._real:
            return self._real_sample(kind, size, random)
        everywhere = np.ones(size, np.uint8)
        if kind == "empty":
            nothing = Layer(np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))
            picture = self._backgrounds.draw_behind(nothing, random)
            return MatteSample(
                self._compress_some(picture, random), nothing.alpha, everywhere, True
            )
        layer = self._place_subject(size, random)
        if random.random() < self._mix.two_subjects:
            layer = merge_layers(layer, self._place_subject(size, random))
        picture = compose_layer(layer, self._backgrounds.draw_behind(layer, random))
        return MatteSample(self._compress_some(picture, random), layer.alpha, everywhere, True)

    def _real_sample(self, kind: str, size: tuple[int, int], random: Random) -> MatteSample:
        """Draw a sample from a random picture of a kind of truth: all of it, padded, or a part."""
        mix, group = self._mix, self._real[kind]
        sample = group[int(random.integers(len(group)))]
        height, width = frame = sample.truth.shape
        fits, fills = sorted((size[0] / height, size[1] / width))
        if random.random() < mix.whole:
            turn = WindowTransform(scale=fits, mirrored=bool(random.random() < 0.5))
        else:
            turn = random_transform(random, (fits, fills * mix.largest), mix.degrees)
        centre = (random.uniform(0, width), random.uniform(0, height))
        view = place_window(frame, size, centre, turn, enlarge=1)
        there = valid_pixels(view, frame)
        truth = sample.truth
        if kind == "masks":
            open_ = ((truth != SUBJECT) & (truth != 0)).view(np.uint8) * np.uint8(255)
            there[sample_window(open_, view, outside=0) > 0] = 0
            truth = np.where(truth > UNKNOWN, SUBJECT, 0).astype(np.uint8)
        picture = self._compress_some(sample_window(sample.picture, view), random)
        picture[valid_pixels(view, frame) == 0] = GREY
        return MatteSample(picture, sample_window(truth, view, outside=0), there, kind == "alphas")

    def _place_subject(self, size: tuple[int, int], random: Random) -> Layer:
        """Place a subject in a sample: large, the head inside, cut off below if it is too tall."""
        group = self._subjects[int(random.integers(len(self._subjects)))]
        subject = group[int(random.integers(len(group)))]
        rows, columns = subject.box
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        scale = size[0] * float(np.exp(random.uniform(np.log(0.6), np.log(2.2)))) / tall
        # A subject wider than the picture would be a wall of cloth.
        scale = min(scale, 1.3 * size[1] / wide)
        degrees = random.uniform(-0.4, 0.4) * self._mix.degrees if random.random() < 0.5 else 0.0
        turn = WindowTransform(scale, float(degrees), bool(random.random() < 0.5))
        view = place_window(
            subject.alpha.shape,
            size,
            _window_centre(subject, size, scale, random),
            turn,
            subject.cropped,
            enlarge=2.5,
        )
        layer = layer_in_window(subject.layer, view)
        if subject.rough:
            layer = mask_layer(layer.colours, layer.alpha, random)
        return relight(layer, random)

    def _compress_some(self, picture: Uint8Array, random: Random) -> Uint8Array:
        """Return the picture (H, W, 3), by chance after it was a JPEG file."""
        return compress_as_jpeg(picture, random) if random.random() < self._mix.jpeg else picture


def _window_centre(
    subject: PreparedSubject, size: tuple[int, int], scale: float, random: Random
) -> tuple[float, float]:
    """Draw the subject's point in the middle of a sample that shows it at this scale."""
    rows, columns = subject.box
    above = random.uniform(0.02, 0.25) * size[0]
    y = rows.start + (size[0] / 2 - above) / scale
    # What is not tall enough to be cut off stands on the lower edge, more or less.
    tall = rows.stop - rows.start
    if above + tall * scale < size[0]:
        y = rows.stop - (random.uniform(0.42, 0.55) * size[0]) / scale
    room = size[1] / scale - (columns.stop - columns.start)
    x = (columns.start + columns.stop) / 2 + random.uniform(-0.5, 0.5) * abs(room)
    return float(x), float(y)
