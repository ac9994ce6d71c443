"""Layers with drawn alphas, coloured as what they look like."""

import numpy as np

from matte.training.synthesis.geometry import Bytes, Random
from matte.training.synthesis.layers import Layer, hair_colours
from matte.training.synthesis.mattes import KINDS, random_kind
from matte.training.synthesis.noise import smooth_noise
from matte.training.synthesis.sources import Backgrounds

# How often a kind has hair's colours, and how often a pale, even colour; else those of a photo.
HAIR = {"fringe": 0.75, "fur": 0.75, "moving": 0.4, "together": 0.4, "twigs": 0.3}
PALE = {"smoke": 0.6, "cloth": 0.4, "net": 0.3}


def drawn_layer(height: int, width: int, photos: Backgrounds, random: Random) -> Layer:
    """A layer (height, width) with an alpha of a random kind, its colours partly from photos."""
    kind = random_kind(random)
    alpha = KINDS[kind][0](height, width, random)
    chance = random.random()
    if chance < HAIR.get(kind, 0.1):
        return Layer(hair_colours(height, width, random), alpha)
    if 1 - chance < PALE.get(kind, 0.05):
        return Layer(_pale(height, width, random), alpha)
    return Layer(photos.photo(height, width, random), alpha)


def _pale(height: int, width: int, random: Random) -> Bytes:
    """Nearly one colour, mostly light and grey, as smoke, veils and nets have it."""
    grey = np.float32(255 * (1 - random.beta(1, 2)))
    colour = grey + random.normal(0, 12, 3).astype(np.float32)
    light = np.float32(random.uniform(0, 30)) * smooth_noise(height, width, 20, random)
    return np.clip(colour + light[:, :, None], 0, 255).astype(np.uint8)
