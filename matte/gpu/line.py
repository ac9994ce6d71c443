"""The line on a GPU, in torch: a batch of frames stays on the device from pixels to composite.

It finds what the line in numpy finds (tests/pipeline/test_device.py measures how nearly), for
pictures of 8 bits and without the fallback to MODNet; the refiner sees frames whole, as where a
protocol is named, and not in parts. The networks are handed in: a
`matte.runtime.torch.DeviceNetwork` network, a TensorRT engine, or any function of tensors.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.configs.settings import Config
from matte.errors import SettingError, WeightsError
from matte.gpu.colours import LARGEST, estimate_foreground, mixed
from matte.gpu.planes import Held, holding, reflected, scaled, scaled_levels
from matte.gpu.trimap import believed, draw_band, refuse_cleaning
from matte.imaging.letterbox import PADDING_GREY, largest_fitting_size
from matte.modnet.adapter import DEFAULT_SIDE, network_size
from matte.pipeline.line import NO_SUBJECT
from matte.pipeline.steps import MIN_SUBJECT_SHARE
from matte.refiner.protocols import MULTIPLE, PROTOCOLS
from matte.runtime.torch import translate_torch_errors
from matte.segmentation.letterboxed import DEFAULT_SIZE
from matte.segmentation.letterboxed import MULTIPLE as STEP
from matte.trimap.drawing import MAX_UNKNOWN_SHARE

PIXELS = 2_400_000  # of a frame that are refined at once
# RGB 0 … 1 (N, 3, H, W) to probabilities (N, 1, H, W); with a trimap 0, ½, 1 (N, 1, H, W) to alpha.
# A MODNet takes RGB −1 … 1 and gives alpha.
Segment = Callable[[Tensor], Tensor]
Refine = Callable[[Tensor, Tensor], Tensor]
# What a `Frames` holds, in its order.
Found = tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]
Work = Callable[[Tensor, Tensor | None], Found]
# Why a frame's alpha should not be trusted, by the number that stands in `Frames.doubt`.
DOUBTS = (
    "",
    NO_SUBJECT,
    "the trimap has no sure subject",
    "the trimap has nothing unknown",
    "the trimap has no sure background",
    "most of the trimap is unknown",
    "the network gives values that are no alpha",
)
BROKEN = len(DOUBTS) - 1
SHAPES_KEPT = 4  # of which the work is kept recorded: each holds the memory of a whole run
WARM_UP = 3  # runs before the work is recorded


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """What was found for N frames, on their device. No network's values are in a frame that its
    doubt is on, but for the last: `doubts()` tells them, and waits for the device.
    """

    alpha: Tensor  # (N, H, W) float32, 0 … 1
    foreground: Tensor  # (N, H, W, 3) uint8, the subject's own colours
    doubt: Tensor  # (N,) numbers in DOUBTS
    composite: Tensor | None = None  # (N, H, W, 3) uint8
    mask: Tensor | None = None  # (N, H, W) uint8, 0 and 255
    trimap: Tensor | None = None  # (N, H, W) uint8, 0, 128 and 255

    def doubts(self) -> list[str]:
        """Why each frame's alpha should not be trusted; empty for those that can be.

        Raises if a network gave what is no alpha.
        """
        numbers = self.doubt.tolist()
        if BROKEN in numbers:
            raise WeightsError(DOUBTS[BROKEN], "try --precision fp32, or another network")
        return [DOUBTS[number] for number in numbers]


class DeviceLine:
    """Mask, trimap, refined alpha, the subject's colours and the composite, for batches of frames.

    Threads may share it where they may share the networks.
    """

    def __init__(
        self,
        segment: Segment,
        refine: Refine,
        config: Config,
        size: int = 0,
        *,
        protocol: str = "demo",
        pixels: int = PIXELS,
        graphs: bool = False,
    ) -> None:
        """`size` is the long side that the segmenter was trained at. Frames of more than `pixels`
        are refined at about that size; 0: none are. `graphs`: the work is recorded once for each
        shape of frames, and replayed (CUDA graphs).
        """
        refuse_cleaning(config.segmentation)
        if graphs and config.trimap.k == "auto" and not config.trimap.width:
            raise SettingError("CUDA graphs with k = auto", "give a width, or a kernel's k")
        self._segment, self._refine = segment, refine
        self._config = config
        self._size = config.segmentation.size or size or DEFAULT_SIZE
        self._border = PROTOCOLS[protocol]
        self._pixels = pixels or math.inf
        self._work = Recorded(self._found) if graphs else self._found

    def run(self, frames: Tensor, background: Tensor | None = None) -> Frames:
        """What is found for `frames` (N, H, W, 3) uint8 RGB, which lie on the networks' device.

        `background` (H, W, 3) or (N, H, W, 3) uint8, of the frames' size, asks for composites.
        Nothing waits for the device, but for a band with k = auto.
        """
        return _checked(self._work, frames, background)

    def _found(self, frames: Tensor, background: Tensor | None) -> Found:
        image = _planes(frames)
        confidence, sound = self._confidence(image)
        mask = confidence >= self._config.segmentation.threshold
        trimap, by_doubt = draw_band(mask, confidence, self._config.trimap)
        refined, fine = self._alpha(image, trimap)
        if self._config.trimap.k == "auto" and not self._config.trimap.width:
            threshold = self._config.segmentation.threshold
            held = believed(refined, trimap == UNKNOWN, confidence, threshold)
            refined = torch.where(by_doubt.view(-1, 1, 1, 1), held, refined)
        doubt = torch.where(sound & fine, _doubt(mask, trimap), BROKEN)
        shape = (-1, 1, 1, 1)
        nobody, whole = (doubt == 1).view(shape), (doubt == 0).view(shape)
        alpha = torch.where(whole, refined, mask.float()) * ~nobody
        flat = (mask.to(torch.uint8) * SUBJECT)[:, 0]
        foreground, composite = _coloured(image, alpha, background, self._config)
        return alpha[:, 0], foreground, doubt, composite, flat, trimap[:, 0]

    def _confidence(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """How surely each pixel belongs to the subject, and whether each frame's are numbers."""
        height, width = image.shape[2:]
        h, w = largest_fitting_size(height, width, self._size, self._size)
        small = scaled_levels(image, h, w) / LARGEST
        boxed = torch.nn.functional.pad(small, (0, -w % STEP, 0, -h % STEP), value=PADDING_GREY)
        values = self._segment(boxed)[:, :, :h, :w]
        return scaled(values.clamp(0, 1), height, width), _sound(values)

    def _alpha(self, image: Tensor, trimap: Tensor) -> tuple[Tensor, Tensor]:
        """Refined alpha, 0 and 1 where the trimap knows, and whether each frame's are numbers."""
        height, width = image.shape[2:]
        small, levels = image, trimap
        if height * width > self._pixels:
            scale = math.sqrt(self._pixels / (height * width))
            size = max(1, int(height * scale)), max(1, int(width * scale))
            small = scaled_levels(image, *size)
            levels = scaled_levels(trimap.float(), *size)
        h, w = small.shape[2:]
        sides = [(self._border, self._border + -length % MULTIPLE) for length in (h, w)]
        known = torch.where(levels >= SUBJECT, 1.0, torch.where(levels <= BACKGROUND, 0.0, 0.5))
        given = reflected(small / LARGEST, *sides), reflected(known, *sides)
        values = self._refine(*given)
        cropped = values[:, :, self._border : self._border + h, self._border : self._border + w]
        alpha = scaled(cropped, height, width).clamp(0, 1)
        return torch.where(trimap == UNKNOWN, alpha, (trimap == SUBJECT).float()), _sound(values)


class DeviceModnet:
    """Alpha without a trimap, the subject's colours and the composite, for batches of frames."""

    def __init__(
        self, matte: Segment, config: Config, size: int = 0, *, graphs: bool = False
    ) -> None:
        """`size` is the short side that the network was trained at."""
        self._matte, self._config = matte, config
        self._size = size or DEFAULT_SIDE
        self._work = Recorded(self._found) if graphs else self._found

    def run(self, frames: Tensor, background: Tensor | None = None) -> Frames:
        """As `DeviceLine.run`, without masks and trimaps."""
        return _checked(self._work, frames, background)

    def _found(self, frames: Tensor, background: Tensor | None) -> Found:
        image = _planes(frames)
        height, width = image.shape[2:]
        small = scaled_levels(image, *network_size(height, width, self._size))
        values = self._matte(small / (LARGEST / 2) - 1)
        alpha = scaled(values.clamp(0, 1), height, width)
        doubt = torch.where(_sound(values), 0, BROKEN)
        foreground, composite = _coloured(image, alpha, background, self._config)
        return alpha[:, 0], foreground, doubt, composite, None, None


class Recorded:
    """A function of frames whose work on the GPU is recorded for each shape, and then replayed:
    the processor has nothing left to do but to start it.
    """

    def __init__(self, function: Work) -> None:
        self._function = function
        self._kept: OrderedDict[tuple[torch.Size, ...], _Recording] = OrderedDict()
        self._one_by_one = threading.Lock()  # a recording has one place for what it is given

    def __call__(self, frames: Tensor, background: Tensor | None) -> Found:
        """What the function gives, in tensors of the caller's own."""
        if frames.device.type != "cuda":
            raise SettingError(f"CUDA graphs on {frames.device}", "leave them out, or use a GPU")
        shapes = tuple(x.shape for x in (frames, background) if x is not None)
        with self._one_by_one:
            if shapes not in self._kept:
                if len(self._kept) == SHAPES_KEPT:
                    self._kept.popitem(last=False)
                self._kept[shapes] = _Recording(self._function, frames, background)
            return self._kept[shapes].replay(frames, background)


class _Recording:
    def __init__(
        self,
        function: Work,
        frames: Tensor,
        background: Tensor | None,
    ) -> None:
        self._given = (frames.clone(), None if background is None else background.clone())
        aside: Any = torch.cuda.Stream(frames.device)  # type: ignore[no-untyped-call]  # torch's
        aside.wait_stream(torch.cuda.current_stream(frames.device))
        self._held: Held = {}
        with torch.cuda.stream(aside), holding(self._held):
            for _ in range(WARM_UP):
                function(*self._given)
        torch.cuda.current_stream(frames.device).wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph), holding(self._held):
            self._results = function(*self._given)

    def replay(self, *given: Tensor | None) -> Found:
        for place, values in zip(self._given, given, strict=True):
            if place is not None and values is not None:
                place.copy_(values)
        self._graph.replay()
        alpha, foreground, doubt, *more = self._results
        composite, mask, trimap = (None if x is None else x.clone() for x in more)
        return alpha.clone(), foreground.clone(), doubt.clone(), composite, mask, trimap


def _checked(work: Work, frames: Tensor, background: Tensor | None) -> Frames:
    if frames.dtype != torch.uint8 or frames.dim() != 4 or frames.shape[3] != 3:
        told = f"frames of {frames.dtype}, {tuple(frames.shape)}"
        raise SettingError(told, "give uint8, (N, height, width, 3)")
    if background is not None and background.shape[-3:] != frames.shape[1:]:
        told = f"a background of {tuple(background.shape)} for {tuple(frames.shape)}"
        raise SettingError(told, "give one of the frames' size")
    with translate_torch_errors(frames.device), torch.inference_mode():
        return Frames(*work(frames, background))


def _planes(frames: Tensor) -> Tensor:
    """The frames as (N, 3, H, W) float32, 0 … 255."""
    return frames.permute(0, 3, 1, 2).float()


def _doubt(mask: Tensor, trimap: Tensor) -> Tensor:
    """The number in DOUBTS of what is wrong with each frame's mask or trimap, as far as it is."""
    pixels = mask[0].numel()
    subject, unknown, ground, found = (
        torch.count_nonzero(x, dim=(1, 2, 3))
        for x in (trimap == SUBJECT, trimap == UNKNOWN, trimap == BACKGROUND, mask)
    )
    doubt = torch.where(unknown > MAX_UNKNOWN_SHARE * pixels, 5, 0)
    for number, missing in ((4, ground == 0), (3, unknown == 0), (2, subject == 0)):
        doubt = torch.where(missing, number, doubt)
    return torch.where(found < max(1, MIN_SUBJECT_SHARE * pixels), 1, doubt)


def _sound(values: Tensor) -> Tensor:
    """Whether each frame's values are all about 0 … 1; phrased so that NaN fails."""
    return ((values >= -1e-3) & (values <= 1 + 1e-3)).flatten(1).all(dim=1)


def _coloured(
    image: Tensor, alpha: Tensor, background: Tensor | None, config: Config
) -> tuple[Tensor, Tensor | None]:
    """The subject's colours, and the composite if there is a background."""
    foreground = estimate_foreground(image, alpha)
    if background is None:
        return _frames(foreground), None
    ground = _planes(background if background.dim() == 4 else background[None])
    composite = mixed(foreground, alpha, ground, config.compositing.blend)
    return _frames(foreground), _frames(composite)


def _frames(planes: Tensor) -> Tensor:
    return planes.to(torch.uint8).permute(0, 2, 3, 1).contiguous()
