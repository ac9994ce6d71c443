"""Other people's networks as stages: fed as their TOML says."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Alpha, Confidence, FloatArray, Image, Trimap
from matte.errors import WeightsError
from matte.imaging.letterbox import Letterbox, letterbox, unletterbox
from matte.imaging.resizing import resize
from matte.pipeline.networks import OpenNetwork
from matte.runtime.memory import PEER_COST, WHOLE_MACHINE, MemoryLimit
from matte.stages import NO_CONTEXT, RefineContext, Refined, Segmentation


class PeerNetwork:
    """A network of other people, as a segmenter, a trimap-free matter or a refiner."""

    def __init__(self, found: OpenNetwork, memory: MemoryLimit = WHOLE_MACHINE) -> None:
        """`found` was opened by its TOML; `memory` bounds an input of the picture's own size."""
        assert found.weights.peer is not None
        self._settings = found.weights.peer
        self.name = self._settings.name or Path(found.name).stem
        self._session = found.session
        self._memory = memory
        self.network = replace(found.facts, name=self.name)
        self._fixed = self._fixed_size()

    @property
    def needs_trimap(self) -> bool:
        """Whether the network takes a trimap, and so can only refine."""
        return self._settings.trimap != "none"

    def segment(self, image: Image, size: tuple[int, int] | None = None) -> Segmentation:
        """Return how surely each pixel belongs to the subject.

        `size` is the height and width of the map; None: the picture's.
        """
        confidence = self._predict(image, None)
        if size is not None:
            confidence = resize(confidence, *size)
        return Segmentation(Confidence(confidence))

    def matte(self, image: Image) -> Alpha:
        """Return alpha at the picture's size."""
        return Alpha(self._predict(image, None))

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        """Return alpha at the picture's size: 0 and 1 where the trimap is known.

        The trimap also counts if the network takes none.
        """
        alpha = self._predict(image, trimap if self.needs_trimap else None)
        known = (trimap == SUBJECT).astype(np.float32)
        return Refined(Alpha(np.where(trimap == UNKNOWN, alpha, known)))

    def _predict(self, image: Image, trimap: Trimap | None) -> FloatArray:
        """Return the network's map of 0 … 1 at the picture's size, (H, W)."""
        height, width = image.shape[:2]
        box = self._fit(image)
        pixels = box.pixels if self._settings.colours == "rgb" else box.pixels[:, :, ::-1]
        mean = np.array(self._settings.mean, np.float32)
        scale = np.array(self._settings.scale, np.float32)
        planes = [(255 * pixels - mean) * scale]
        if trimap is not None:
            planes.append(self._trimap_planes(trimap, box))
        values = self._network_map(self._network_inputs(planes))
        if values.shape != pixels.shape[:2]:
            values = resize(values, *pixels.shape[:2])
        return np.asarray(np.clip(unletterbox(values, box, height, width), 0, 1), np.float32)

    def _fit(self, image: Image) -> Letterbox:
        """Return the picture at the network's size; a stretched one has no padding."""
        s, (height, width) = self._settings, image.shape[:2]
        if not (self._fixed or s.size):
            square = s.resize == "letterbox" and s.multiple == 1
            pixels = max(height, width) ** 2 if square else (height + s.multiple) * width
            self._memory.network_memory(image, PEER_COST).max_batch(pixels)
        if s.resize == "letterbox":
            if self._fixed:
                return letterbox(image, *self._fixed)
            longest = s.size or max(height, width)
            return letterbox(image, longest, longest, s.multiple)
        h, w = self._fixed or (
            -(-(s.size or height) // s.multiple) * s.multiple,
            -(-(s.size or width) // s.multiple) * s.multiple,
        )
        stretched = resize(image.astype(np.float32), h, w) / np.float32(np.iinfo(image.dtype).max)
        return Letterbox(np.asarray(stretched, np.float32), h, w)

    def _trimap_planes(self, trimap: Trimap, box: Letterbox) -> FloatArray:
        """Return the trimap as the network takes it, (H, W, 1 or 3); padding is background."""
        rows = np.arange(box.height) * trimap.shape[0] // box.height
        columns = np.arange(box.width) * trimap.shape[1] // box.width
        padded = np.full(box.pixels.shape[:2], BACKGROUND, np.uint8)
        padded[: box.height, : box.width] = trimap[rows[:, None], columns]
        levels = [padded == value for value in (BACKGROUND, UNKNOWN, SUBJECT)]
        if self._settings.trimap == "onehot":
            return np.asarray(np.dstack(levels), np.float32)
        return np.asarray(0.5 * levels[1] + levels[2], np.float32)[:, :, None]

    def _network_inputs(self, planes: Sequence[FloatArray]) -> dict[str, FloatArray]:
        """Return picture and trimap as two inputs where the network has two, else as one input."""
        names = list(self._session.inputs)
        if len(names) == 1:
            planes = [np.dstack(planes)]
        if len(names) != len(planes):
            raise WeightsError(
                f"{self.name} takes {', '.join(names)}",
                "set 'trimap' in its TOML, or fix the network",
            )
        if self._settings.layout == "nchw":
            planes = [plane.transpose(2, 0, 1) for plane in planes]
        batches = [np.ascontiguousarray(plane[None], np.float32) for plane in planes]
        return dict(zip(names, batches, strict=True))

    def _network_map(self, inputs: dict[str, FloatArray]) -> FloatArray:
        """Return the network's map of 0 … 1, (H, W), at the size of its output."""
        s, outputs = self._settings, list(self._session.run(inputs).values())
        if not s.output < len(outputs):
            raise WeightsError(f"{self.name} has {len(outputs)} outputs", "count 'output' from 0")
        values: NDArray[Any] = outputs[s.output]
        if values.ndim == 4 and s.layout == "nhwc":
            values = values.transpose(0, 3, 1, 2)
        channels = values.reshape(-1, *values.shape[-2:])
        if not s.channel < len(channels):
            raise WeightsError(
                f"{self.name} gives {len(channels)} channels", "count 'channel' from 0"
            )
        if s.activation == "softmax":
            powers = np.exp(channels - channels.max(axis=0))
            channels = powers / powers.sum(axis=0)
        chosen = channels[s.channel]
        if s.activation == "sigmoid":
            chosen = 0.5 + 0.5 * np.tanh(chosen / 2)  # does not overflow
        # The comparison is phrased so that NaN fails it.
        if not (chosen.min() >= -1e-3 and chosen.max() <= 1 + 1e-3):
            raise WeightsError(
                f"{self.name} gives {chosen.min():.3g} … {chosen.max():.3g}",
                "set its 'activation', so that 0 … 1 comes out",
            )
        return np.ascontiguousarray(np.clip(chosen, 0, 1), np.float32)

    def _fixed_size(self) -> tuple[int, int] | None:
        """Return the input's height and width if the file fixes them."""
        shape = next(iter(self._session.inputs.values()))
        if len(shape) != 4:
            raise WeightsError(f"{self.name} takes {shape}", "give a network of pictures")
        height, width = shape[2:] if self._settings.layout == "nchw" else shape[1:3]
        return (height, width) if height and width else None
