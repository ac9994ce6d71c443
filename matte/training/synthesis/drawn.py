"""Layers with drawn alphas, in the colours of what the alphas look like."""

import numpy as np

from matte.arrays import Uint8Array
from matte.training.synthesis.geometry import Random
from matte.training.synthesis.layers import Layer, hair_colours
from matte.training.synthesis.mattes import KINDS, draw_kind
from matte.training.synthesis.noise import smooth_noise
from matte.training.synthesis.sources import Backgrounds

# How often a kind has hair's colours, and how often a pale, even colour; else those of a photo.
HAIR_COLOUR_CHANCES = {"fringe": 0.75, "fur": 0.75, "moving": 0.4, "together": 0.4, "twigs": 0.3}
PALE_COLOUR_CHANCES = {"smoke": 0.6, "cloth": 0.4, "net": 0.3}


def draw_layer(height: int, width: int, photos: Backgrounds, random: Random) -> Layer:
    """Draw a layer (height, width) with an alpha of a random kind, its colours often a photo's."""
    kind = draw_kind(random)
    alpha = KINDS[kind][0](height, width, random)
    chance = random.random()
    if chance < HAIR_COLOUR_CHANCES.get(kind, 0.1):
        return Layer(hair_colours(height, width, random), alpha)
    if 1 - chance < PALE_COLOUR_CHANCES.get(kind, 0.05):
        return Layer(_pale_colours(height, width, random), alpha)
    return Layer(photos.draw_photo(height, width, random), alpha)


def _pale_colours(height: int, width: int, random: Random) -> Uint8Array:
    """Draw nearly one colour, mostly light and grey, as smoke, veils and nets have it."""
    grey = np.float32(255 * (1 - random.beta(1, 2)))
    colour = grey + random.normal(0, 12, 3).astype(np.float32)
    light = np.float32(random.uniform(0, 30)) * smooth_noise(height, width, 20, random)
    return np.clip(colour + light[:, :, None], 0, 255).astype(np.uint8)
