"""The line on a GPU, in torch: a batch of frames stays on the device from pixels to composite.

It finds what the line in numpy finds (tests/gpu/test_line.py measures how nearly), for pictures of
8 bits and without the fallback to MODNet; the refiner is given frames whole, as where a protocol is
named, and not in parts. The networks are handed in: a `matte.runtime.torch.DeviceNetwork`, a
TensorRT engine, or any function of tensors. `matte.gpu.single` runs it as a `Line`.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.configs.settings import CompositingSettings, Config, SegmentationSettings
from matte.configs.stage_settings import MASK_SETTINGS
from matte.errors import SettingError
from matte.gpu.colours import WHITE, blend_over, estimate_foreground
from matte.gpu.confidence_limits import limit_by_confidence
from matte.gpu.graphs import GraphedFunction
from matte.gpu.planes import pad_by_reflection, resize, resize_levels
from matte.gpu.results import DoubtCode, FrameFunction, FrameResults, doubt_codes, is_alpha
from matte.gpu.trimap import draw_trimaps
from matte.imaging.letterbox import PADDING_GREY, largest_fitting_size
from matte.modnet.adapter import DEFAULT_SIDE, network_size
from matte.refiner import protocols
from matte.runtime.torch import translate_torch_errors
from matte.segmentation import letterboxed

MAX_REFINED_PIXELS = 2_400_000  # of a frame: larger ones are refined at about that size

# From RGB 0 … 1 (N, 3, H, W) to confidence (N, 1, H, W); a MODNet: from RGB −1 … 1 to alpha.
PictureNetwork = Callable[[Tensor], Tensor]
# From RGB 0 … 1 and a trimap of 0, ½ and 1 (N, 1, H, W) to alpha (N, 1, H, W).
RefinerNetwork = Callable[[Tensor, Tensor], Tensor]


class DeviceLine:
    """Finds mask, trimap, alpha, the subject's colours and composites of batches of frames.

    Threads may share it where they may share the networks.
    """

    def __init__(
        self,
        segment: PictureNetwork,
        refine: RefinerNetwork,
        config: Config,
        size: int = 0,
        *,
        protocol: str = "demo",
        max_refined_pixels: int = MAX_REFINED_PIXELS,
        graphs: bool = False,
    ) -> None:
        """`size` is the long side that the segmenter was trained at.

        Frames of more than `max_refined_pixels` are refined at about that size; 0: none are.
        `graphs`: the work is recorded once for each shape of frames, and replayed (CUDA graphs).
        """
        refuse_cleaning(config.segmentation)
        if graphs and config.trimap.is_automatic:
            raise SettingError("CUDA graphs with k = auto", "give a width, or a kernel's k")
        self.config = config
        self._segment, self._refine = segment, refine
        self._size = config.segmentation.size or size or letterboxed.DEFAULT_SIZE
        self._border = protocols.PROTOCOLS[protocol]
        self._max_refined_pixels = max_refined_pixels or math.inf
        self._function: FrameFunction = GraphedFunction(self._matte) if graphs else self._matte

    def run(self, frames: Tensor, background: Tensor | None = None) -> FrameResults:
        """Return the results of `frames` (N, H, W, 3) uint8 RGB, on the networks' device.

        `background` (H, W, 3) or (N, H, W, 3) uint8, of the frames' size, asks for composites.
        Nothing waits for the device, except for a band with k = auto.
        """
        return _run_checked(self._function, frames, background)

    def segment(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return confidence (N, 1, H, W), and whether each frame's values are 0 … 1, (N,).

        `image` is as from as_planes().
        """
        height, width = image.shape[2:]
        h, w = largest_fitting_size(height, width, self._size, self._size)
        small = resize_levels(image, h, w) / WHITE
        sides = (0, -w % letterboxed.MULTIPLE, 0, -h % letterboxed.MULTIPLE)
        boxed = torch.nn.functional.pad(small, sides, value=PADDING_GREY)
        values = self._segment(boxed)[:, :1, :h, :w]  # a second map is the band
        return resize(values.clamp(0, 1), height, width), is_alpha(values)

    def refine(self, image: Tensor, trimap: Tensor) -> tuple[Tensor, Tensor]:
        """Return refined alpha (N, 1, H, W), and whether each frame's values are 0 … 1, (N,).

        `image` is as from as_planes(), `trimap` (N, 1, H, W) uint8. Alpha is 0 and 1 where
        the trimap knows.
        """
        height, width = image.shape[2:]
        small, levels = image, trimap
        if height * width > self._max_refined_pixels:
            scale = math.sqrt(self._max_refined_pixels / (height * width))
            size = max(1, int(height * scale)), max(1, int(width * scale))
            small = resize_levels(image, *size)
            levels = resize_levels(trimap.float(), *size)
        h, w = small.shape[2:]
        border = self._border
        sides = [(border, border + -length % protocols.MULTIPLE) for length in (h, w)]
        known = torch.where(levels >= SUBJECT, 1.0, torch.where(levels <= BACKGROUND, 0.0, 0.5))
        padded = pad_by_reflection(small / WHITE, *sides), pad_by_reflection(known, *sides)
        values = self._refine(*padded)
        cropped = values[:, :, border : border + h, border : border + w]
        alpha = resize(cropped, height, width).clamp(0, 1)
        return torch.where(trimap == UNKNOWN, alpha, (trimap == SUBJECT).float()), is_alpha(values)

    def _matte(self, frames: Tensor, background: Tensor | None) -> FrameResults:
        """Return the results of frames whose type and shape have been checked."""
        image, band = as_planes(frames), self.config.trimap
        threshold = self.config.segmentation.threshold
        confidence, is_confidence = self.segment(image)
        mask = confidence >= threshold
        trimap, follows_confidence = draw_trimaps(mask, confidence, band)
        refined, is_refined = self.refine(image, trimap)
        if band.is_automatic:
            limited = limit_by_confidence(refined, trimap == UNKNOWN, confidence, threshold)
            refined = torch.where(follows_confidence.view(-1, 1, 1, 1), limited, refined)
        codes = doubt_codes(mask, trimap)
        codes = torch.where(is_confidence & is_refined, codes, DoubtCode.NO_ALPHA.value)
        no_subject, trusted = (
            (codes == code).view(-1, 1, 1, 1) for code in (DoubtCode.NO_SUBJECT, DoubtCode.NONE)
        )
        alpha = torch.where(trusted, refined, mask.float()) * ~no_subject
        foreground, composite = _compose(image, alpha, background, self.config.compositing)
        flat_mask = (mask.to(torch.uint8) * SUBJECT)[:, 0]
        return FrameResults(alpha[:, 0], foreground, codes, composite, flat_mask, trimap[:, 0])


class DeviceModnet:
    """Finds alpha without a trimap, the subject's colours and composites of batches of frames."""

    def __init__(
        self, network: PictureNetwork, config: Config, size: int = 0, *, graphs: bool = False
    ) -> None:
        """`size` is the short side that the network was trained at."""
        self._network, self._config = network, config
        self._size = size or DEFAULT_SIDE
        self._function: FrameFunction = GraphedFunction(self._matte) if graphs else self._matte

    def run(self, frames: Tensor, background: Tensor | None = None) -> FrameResults:
        """Return the results of frames as DeviceLine.run() does, without masks and trimaps."""
        return _run_checked(self._function, frames, background)

    def _matte(self, frames: Tensor, background: Tensor | None) -> FrameResults:
        """Return the results of frames whose type and shape have been checked."""
        image = as_planes(frames)
        height, width = image.shape[2:]
        small = resize_levels(image, *network_size(height, width, self._size))
        values = self._network(small / (WHITE / 2) - 1)
        alpha = resize(values.clamp(0, 1), height, width)
        codes = torch.where(is_alpha(values), DoubtCode.NONE.value, DoubtCode.NO_ALPHA.value)
        foreground, composite = _compose(image, alpha, background, self._config.compositing)
        return FrameResults(alpha[:, 0], foreground, codes, composite)


def refuse_cleaning(settings: SegmentationSettings) -> None:
    """Raise if the settings clean masks: on a device they are only cut at the threshold."""
    for name in MASK_SETTINGS:
        if getattr(settings, name):
            raise SettingError(f"{name} can't be had on the device path", "leave it out")


def as_planes(frames: Tensor) -> Tensor:
    """Return frames (N, H, W, 3) as planes (N, 3, H, W) float32, 0 … 255."""
    return frames.permute(0, 3, 1, 2).float()


def _as_frames(planes: Tensor) -> Tensor:
    """Return planes (N, 3, H, W) of whole numbers 0 … 255 as frames (N, H, W, 3) uint8."""
    return planes.to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def _run_checked(
    function: FrameFunction, frames: Tensor, background: Tensor | None
) -> FrameResults:
    """Return the function's results once type and shape of its inputs have been checked."""
    if frames.dtype != torch.uint8 or frames.dim() != 4 or frames.shape[3] != 3:
        cause = f"frames of {frames.dtype}, {tuple(frames.shape)}"
        raise SettingError(cause, "give uint8, (N, height, width, 3)")
    if background is not None and background.shape[-3:] != frames.shape[1:]:
        cause = f"a background of {tuple(background.shape)} for {tuple(frames.shape)}"
        raise SettingError(cause, "give one of the frames' size")
    with translate_torch_errors(frames.device), torch.inference_mode():
        return function(frames, background)


def _compose(
    image: Tensor, alpha: Tensor, background: Tensor | None, settings: CompositingSettings
) -> tuple[Tensor, Tensor | None]:
    """Return the subject's own colours as frames, and composites if there is a background."""
    foreground = estimate_foreground(image, alpha)
    if background is None:
        return _as_frames(foreground), None
    behind = as_planes(background if background.dim() == 4 else background[None])
    composite = blend_over(foreground, alpha, behind, settings.blend)
    return _as_frames(foreground), _as_frames(composite)
