"""Frames composed on a GPU, in batches: what `matte.clips.composing` does, by `matte.gpu`."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from matte.arrays import Alpha, Image
from matte.clips.composing import ComposedFrame
from matte.clips.frames import MattedFrame, colour_estimation_side
from matte.compositing.composer import Composer
from matte.gpu.colours import blend_over, cut_out, estimate_foreground
from matte.gpu.transfer import (
    Device,
    Planes,
    concatenate,
    device_work,
    download_frames,
    download_planes,
    upload_frames,
)
from matte.imaging.bit_depth import convert_depth
from matte.pipeline.timing import Stopwatch


class DeviceComposing:
    """Composes frames whose alphas are on a device, and downloads what is wanted."""

    def __init__(
        self, composer: Composer, watch: Stopwatch, colours: bool = True, *, device: Device
    ) -> None:
        """Unless `colours` are wanted, the foreground is the frame as it is."""
        self._composer, self._watch, self._colours = composer, watch, colours
        self._device = device
        self._ground: tuple[Image, Planes] | None = None  # the last one that was uploaded

    def compose_all(
        self, frames: Sequence[MattedFrame], seconds: Sequence[Fraction]
    ) -> list[ComposedFrame]:
        """Return the frames composed; `seconds` are their times."""
        images = [frame.image for frame in frames]
        with device_work(self._device):
            with self._watch("foreground"):
                planes = concatenate([self._planes(frame) for frame in frames])
                alpha = concatenate([frame.alpha for frame in frames])
                side = colour_estimation_side(images[0])
                foreground = estimate_foreground(planes, alpha, side)
            with self._watch("download"):
                alphas = [Alpha(values) for values in download_planes(alpha)]
                if self._colours:
                    colours = [Image(each) for each in download_frames(foreground)]
                else:
                    colours = images
            with self._watch("composite"):
                composites = self._compose(foreground, alpha, images, alphas, seconds)
        return [ComposedFrame(*each) for each in zip(alphas, colours, composites, strict=True)]

    def _planes(self, frame: MattedFrame) -> Planes:
        """Return the frame on the device, where it is already unless the clip's is broken."""
        if frame.planes is not None:
            planes: Planes = frame.planes
            return planes
        return upload_frames([frame.image], self._device)

    def _compose(
        self,
        foreground: Planes,
        alpha: Planes,
        images: Sequence[Image],
        alphas: Sequence[Alpha],
        seconds: Sequence[Fraction],
    ) -> list[Image]:
        """Return the subjects on their grounds, or cut out, downloaded."""
        ground = self._composer.ground
        if ground is None:
            subjects = cut_out(foreground, alpha, self._composer.premultiply)
            return [Image(each) for each in download_frames(subjects)]
        grounds = [
            self._upload_ground(ground.background_for(*each))
            for each in zip(images, alphas, seconds, strict=True)
        ]
        behind = grounds[0] if len({id(x) for x in grounds}) == 1 else concatenate(grounds)
        composed = blend_over(foreground, alpha, behind, self._composer.blend)
        return [Image(each) for each in download_frames(composed)]

    def _upload_ground(self, picture: Image) -> Planes:
        """Return a background's planes; one that stays the same is uploaded once."""
        if self._ground is None or self._ground[0] is not picture:
            pixels = Image(convert_depth(picture, np.dtype(np.uint8)))
            self._ground = picture, upload_frames([pixels], self._device)
        return self._ground[1]
