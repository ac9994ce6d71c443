"""Layers put on backgrounds and over one another; what a camera's JPEG leaves of the result."""

import cv2
import numpy as np

from matte.arrays import Uint8Array
from matte.training.synthesis.geometry import Random
from matte.training.synthesis.layers import Layer


def compose_layer(layer: Layer, background: Uint8Array) -> Uint8Array:
    """Put a layer on a background, αF + (1 − α)B, as (H, W, 3) uint8."""
    alpha = layer.alpha * np.float32(1 / 255)
    return np.asarray(cv2.blendLinear(layer.colours, background, alpha, 1 - alpha), np.uint8)


def merge_layers(front: Layer, back: Layer) -> Layer:
    """Merge two layers into one that looks as both do on any background.

    α = 1 − (1 − α₁)(1 − α₂).
    """
    a, b = (layer.alpha * np.float32(1 / 255) for layer in (front, back))
    alpha = 1 - (1 - a) * (1 - b)
    share = a / np.maximum(alpha, np.float32(1e-3))
    colours = cv2.blendLinear(front.colours, back.colours, share, 1 - share)
    return Layer(np.asarray(colours, np.uint8), np.rint(alpha * 255).astype(np.uint8))


def compress_as_jpeg(picture: Uint8Array, random: Random) -> Uint8Array:
    """Return the picture (H, W, 3) after it was a JPEG file of random quality."""
    quality = int(random.integers(35, 96))
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    _, stream = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR_RGB), np.uint8)
