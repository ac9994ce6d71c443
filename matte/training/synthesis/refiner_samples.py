"""Training samples of refiners: crops around soft edges, real and composed."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from matte.arrays import UNKNOWN, Uint8Array
from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.training.synthesis.compose import compose_layer, compress_as_jpeg, merge_layers
from matte.training.synthesis.drawn import draw_layer
from matte.training.synthesis.geometry import (
    GREY,
    Random,
    place_window,
    random_transform,
    sample_window,
    valid_pixels,
)
from matte.training.synthesis.layers import Layer, layer_in_window, mask_layer
from matte.training.synthesis.sources import Backgrounds, prepare_subjects
from matte.training.synthesis.trimaps import random_trimap

SHARES = ("real", "recomposed", "procedural", "cutouts", "masks")
MAX_DRAWS = 4
_RANGES = {"smallest": (0.1, 1.0), "largest": (1.0, 4.0), "degrees": (0.0, 180.0)}


@dataclass(frozen=True, slots=True)
class RefinerMix:
    """What the samples of a refiner are made of.

    `real` (crops of pictures with their alphas), `recomposed` (their subjects on other
    backgrounds), `procedural` (drawn alphas), `cutouts`, `masks` (subjects with softened masks):
    shares, against each other; the share of a kind without pictures falls to the others.
    `two_layers`: probability that a second subject joins a made sample, and `unknown_layer` that
    the trimap then leaves all of it unknown. `jpeg`, `plain_background`, `blurred_background`,
    `alike_background` (its colour near the subject's): probabilities.
    `untouched`: probability that a real crop is neither scaled nor turned.
    `smallest`, `largest`: scale of a crop. `degrees`: the largest rotation.
    `least_unknown`: the part of a crop that must be unknown, else it is drawn again, a few times.
    """

    real: float = 0.40
    recomposed: float = 0.20
    procedural: float = 0.22
    cutouts: float = 0.12
    masks: float = 0.06
    two_layers: float = 0.25
    unknown_layer: float = 0.0
    jpeg: float = 0.2
    plain_background: float = 0.1
    blurred_background: float = 0.25
    alike_background: float = 0.12
    untouched: float = 0.35
    smallest: float = 0.5
    largest: float = 1.5
    degrees: float = 25.0
    least_unknown: float = 0.03

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            low, high = _RANGES.get(field.name, (0.0, 1.0))
            if not low <= value <= high:
                raise SettingError(f"{field.name} = {value}", f"give a number from {low} to {high}")
        if not sum(getattr(self, name) for name in SHARES) > 0:
            raise SettingError("all shares are 0", f"raise one of {', '.join(SHARES)}")


@dataclass(frozen=True, slots=True, eq=False)
class RefinerSample:
    """One crop, all arrays (H, W) or (H, W, 3) uint8.

    `alpha` is 0 … 255, `trimap` 0, 128 or 255, `valid` 1 where the crop counts, else 0. Where
    `layered`, picture = αF + (1 − α)B; else the picture is what a camera or a JPEG file left, F and
    B aren't known, and both hold the picture itself.
    """

    picture: Uint8Array
    foreground: Uint8Array
    background: Uint8Array
    alpha: Uint8Array
    trimap: Uint8Array
    valid: Uint8Array
    layered: bool


class RefinerSamples:
    """Draws samples from groups of pictures; `shares` holds the kinds' probabilities in effect.

    `alphas`, `cutouts`, `masks` and `backgrounds` are samples of these kinds; without backgrounds
    there are real crops only. The first sample of an alpha's subject on another background is
    slow, as its colours are estimated.
    """

    def __init__(
        self,
        alphas: Sequence[Sample],
        cutouts: Sequence[Sample],
        masks: Sequence[Sample],
        backgrounds: Sequence[Sample],
        mix: RefinerMix,
    ) -> None:
        self._mix = mix
        self._groups = {
            "recomposed": prepare_subjects(alphas),
            "cutouts": prepare_subjects(cutouts),
            "masks": prepare_subjects(masks),
        }
        self._backgrounds = Backgrounds(
            tuple(sample.picture for sample in backgrounds),
            mix.plain_background,
            mix.blurred_background,
            mix.alike_background,
        )
        there = {name for name, group in self._groups.items() if group} | {"procedural"}
        possible = there if self._backgrounds.pictures else set()
        if self._groups["recomposed"]:
            possible.add("real")
        shares = {name: getattr(mix, name) for name in SHARES if name in possible}
        total = sum(shares.values())
        if not total > 0:
            raise SettingError(
                "no pictures for any share of the mix", "give alphas, or backgrounds for made ones"
            )
        self.shares = {name: share / total for name, share in shares.items() if share > 0}
        self._made = {name: share for name, share in self.shares.items() if name != "real"}

    def sample(self, size: tuple[int, int], random: Random) -> RefinerSample:
        """Draw a sample of `size` (height, width); it depends on the generator's state only."""
        kind = _draw_kind(self.shares, random)
        for _ in range(MAX_DRAWS):
            made = self.sample_of(kind, size, random)
            counted = (made.trimap == UNKNOWN) & (made.valid > 0)
            if np.count_nonzero(counted) >= self._mix.least_unknown * counted.size:
                break
        return made

    def sample_of(self, kind: str, size: tuple[int, int], random: Random) -> RefinerSample:
        """Draw a sample of one of the kinds in `shares`, whatever part of it is unknown."""
        if kind == "real":
            return self._real_crop(size, random)
        layer = self._subject_layer(kind, size, random)
        second = None
        if random.random() < self._mix.two_layers:
            second = self._subject_layer(_draw_kind(self._made, random), size, random)
            layer = merge_layers(layer, second)
        background = self._backgrounds.draw_behind(layer, random)
        trimap = random_trimap(layer.alpha, random)
        chance = self._mix.unknown_layer
        if second is not None and chance > 0 and random.random() < chance:
            trimap[second.alpha > 0] = UNKNOWN
        picture = compose_layer(layer, background)
        everywhere = np.ones(size, np.uint8)
        if random.random() < self._mix.jpeg:
            picture = compress_as_jpeg(picture, random)
            return RefinerSample(picture, picture, picture, layer.alpha, trimap, everywhere, False)
        return RefinerSample(
            picture, layer.colours, background, layer.alpha, trimap, everywhere, True
        )

    def _real_crop(self, size: tuple[int, int], random: Random) -> RefinerSample:
        """Cut a sample around a soft pixel out of a real picture, on its own background."""
        mix, group = self._mix, self._groups["recomposed"]
        subject = group[int(random.integers(len(group)))]
        turn = random_transform(random, (mix.smallest, mix.largest), mix.degrees, mix.untouched)
        frame = subject.picture.shape
        view = place_window(frame, size, subject.random_soft_pixel(random), turn)
        picture, there = sample_window(subject.picture, view), valid_pixels(view, frame)
        alpha = sample_window(subject.alpha, view, outside=0)
        if random.random() < mix.jpeg:
            picture = compress_as_jpeg(picture, random)
        picture[there == 0] = GREY
        trimap = random_trimap(alpha, random)
        return RefinerSample(picture, picture, picture, alpha, trimap, there, False)

    def _subject_layer(self, kind: str, size: tuple[int, int], random: Random) -> Layer:
        """Draw a subject of that kind as a layer of the size (height, width)."""
        mix = self._mix
        if kind == "procedural":
            return draw_layer(*size, self._backgrounds, random)
        group = self._groups[kind]
        subject = group[int(random.integers(len(group)))]
        turn = random_transform(random, (mix.smallest, mix.largest), mix.degrees)
        frame = subject.alpha.shape
        view = place_window(frame, size, subject.random_soft_pixel(random), turn, subject.cropped)
        layer = layer_in_window(subject.layer, view)
        return mask_layer(layer.colours, layer.alpha, random) if subject.rough else layer


def _draw_kind(shares: dict[str, float], random: Random) -> str:
    """Draw a kind of sample, each as often as its share says."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(random.choice(len(weights), p=weights / weights.sum()))]
