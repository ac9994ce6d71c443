"""The line on a device against the line in numpy; on the CPU here, on a GPU where there is one."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Image, Trimap
from matte.compositing.blend import blend_over
from matte.compositing.foreground import estimate_foreground
from matte.configs.settings import Config, ModnetSettings
from matte.errors import SettingError, WeightsError
from matte.gpu.line import DeviceLine, DeviceModnet
from matte.gpu.results import FrameResults
from matte.imaging.resizing import resize
from matte.modnet.adapter import Modnet
from matte.pipeline.build import build_two_stage
from matte.pipeline.line import NO_SUBJECT, Prior, TwoStage
from matte.pipeline.networks import open_weights
from matte.runtime.execution import Execution
from matte.stages import NO_CONTEXT, RefineContext, Refined, Refiner
from matte.weights.store import find_weights
from tests.gpu.device_lines import GPU, config, device_line, network, picture
from tests.tolerances import (
    BF16_MEAN,
    DEVICE,
    DEVICE_COLOURS,
    DEVICE_COLOURS_MEAN,
    DEVICE_MASK,
    HALF,
)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """What the line in numpy finds."""

    alpha: Alpha
    foreground: Image
    composite: Image
    mask: NDArray[np.uint8] | None = None
    trimap: NDArray[np.uint8] | None = None


def ground(height: int, width: int) -> Image:
    y, x = np.mgrid[:height, :width]
    return Image(np.stack([x % 256, y % 256, (x + y) % 256], axis=2).astype(np.uint8))


def in_numpy(image: Image, asked: Config, line: TwoStage | None = None) -> Expected:
    found = (line or build_two_stage(asked)).run(image, Prior(is_frame=True))
    return compose(image, found.alpha, asked, found.mask, found.trimap)


def compose(image: Image, alpha: Alpha, asked: Config, *more: Any) -> Expected:
    foreground = estimate_foreground(image, alpha)
    blend = asked.compositing.blend
    composite = blend_over(foreground, alpha, ground(*image.shape[:2]), blend)
    return Expected(alpha, foreground, composite, *more)


def on_device(line: DeviceLine | DeviceModnet, *images: Image, device: str = "cpu") -> FrameResults:
    frames = torch.from_numpy(np.stack(images)).to(device)
    background = torch.from_numpy(ground(*images[0].shape[:2])).to(device)
    return line.run(frames, background)


def compare(found: FrameResults, at: int, expected: Expected) -> None:
    if expected.mask is not None and expected.trimap is not None:
        assert found.mask is not None
        assert found.trimap is not None
        assert (found.mask[at].cpu().numpy() != expected.mask).mean() <= DEVICE_MASK
        assert (found.trimap[at].cpu().numpy() != expected.trimap).mean() <= DEVICE_MASK
    assert np.abs(found.alpha[at].cpu().numpy() - expected.alpha).mean() <= DEVICE
    soft = (expected.alpha > 0) & (expected.alpha < 1)
    assert soft.any()
    assert found.composite is not None
    for mine, theirs in (
        (found.foreground, expected.foreground),
        (found.composite, expected.composite),
    ):
        apart = np.abs(mine[at].cpu().numpy().astype(np.int16) - theirs.astype(np.int16))
        assert apart.mean() <= DEVICE_COLOURS_MEAN
        assert np.quantile(apart[soft], 0.99) <= DEVICE_COLOURS


@pytest.mark.parametrize(
    ("preset", "flags"),
    [
        ("fast", {}),
        ("fast", {"shape": "cross", "k": 4, "erode": 2, "dilate": 5, "blend": "linear"}),
        ("fast", {"width": "6%"}),
        ("balanced", {}),
    ],
)
@pytest.mark.filterwarnings("ignore:the kernel k = 4 is even")
def test_frames_are_found_as_pictures_are(preset: str, flags: dict[str, Any]) -> None:
    asked, image = config(preset, **flags), picture(*((512, 512) if preset != "fast" else ()))
    turned = Image(np.ascontiguousarray(image[:, ::-1]))
    found = on_device(device_line(asked), image, turned)
    assert found.doubts() == ["", ""]
    line = build_two_stage(asked)
    compare(found, 0, in_numpy(image, asked, line))
    compare(found, 1, in_numpy(turned, asked, line))


class Smaller:
    """A refiner that sees pictures at half their size."""

    network = None

    def __init__(self, refiner: Refiner) -> None:
        self._refiner = refiner

    def refine(self, image: Image, trimap: Trimap, context: RefineContext = NO_CONTEXT) -> Refined:
        height, width = trimap.shape
        level = resize(trimap, height // 2, width // 2)
        level[(level > 0) & (level < 255)] = UNKNOWN
        alpha = self._refiner.refine(Image(resize(image, *level.shape)), Trimap(level)).alpha
        known = (trimap == SUBJECT).astype(np.float32)
        return Refined(Alpha(np.where(trimap == UNKNOWN, resize(alpha, height, width), known)))


def test_large_frames_are_refined_smaller() -> None:
    asked, image = config(), picture()
    line = build_two_stage(asked)
    found = on_device(device_line(asked, max_refined_pixels=image[:, :, 0].size // 4), image)
    compare(found, 0, in_numpy(image, asked, replace(line, refiner=Smaller(line.refiner))))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (33, 65)])
def test_any_size_is_found(size: tuple[int, int]) -> None:
    found = on_device(device_line(config()), picture(*size))
    assert found.alpha.shape == (1, *size)
    assert bool(torch.isfinite(found.alpha).all())


def test_a_modnet_finds_the_same() -> None:
    asked, image = replace(config(), modnet=ModnetSettings("modnet")), picture()
    weights = find_weights("modnet", "modnet")
    line = DeviceModnet(network("modnet", "modnet"), asked, weights.size)
    alpha = Modnet(open_weights(weights, asked.runtime), "official", weights.size).matte(image)
    found = on_device(line, image, image)
    assert found.doubts() == ["", ""]
    assert found.mask is None
    compare(found, 1, compose(image, alpha, asked))


def test_half_precision_and_layout_stay_near() -> None:
    asked, image = config(), picture()
    exact = on_device(device_line(asked), image)
    name = asked.segmentation.segmenter
    half = Execution("torch", precision="bf16")
    line = DeviceLine(
        network("segmenter", name, channels_last=True),
        network("refiner", asked.refiner.refiner, half, channels_last=True),
        asked,
        find_weights("segmenter", name).size,
    )
    apart = (on_device(line, image).alpha - exact.alpha).abs()
    assert 0 < apart.mean() <= HALF["gca-slim-plain", "bf16"][1]


class TestDoubts:
    """FrameResults whose alpha can't be trusted, each on its own."""

    def line(self, confidence: float | None = None, alpha: float = 0.5) -> DeviceLine:
        """Sure of what is brighter than half, unless one confidence is given."""

        def segment(image: torch.Tensor) -> torch.Tensor:
            bright = (image.mean(dim=1, keepdim=True) > 0.5).float()
            return bright if confidence is None else torch.full_like(bright, confidence)

        def refine(image: torch.Tensor, trimap: torch.Tensor) -> torch.Tensor:
            return torch.full_like(trimap, alpha)

        return DeviceLine(segment, refine, config(iterations=1), 64)

    def frames(self) -> torch.Tensor:
        frames = torch.zeros(3, 64, 64, 3, dtype=torch.uint8)
        frames[0, 16:48, 16:48] = 255
        frames[2, 30:33, 30:33] = 255
        return frames

    def test_each_frame_has_its_own(self) -> None:
        found = self.line().run(self.frames())
        assert found.doubts() == ["", NO_SUBJECT, "the trimap has no sure subject"]
        assert 0 < (found.alpha[0] == 0.5).float().mean() < 1
        assert not found.alpha[1].any()
        assert found.mask is not None
        assert torch.equal(found.alpha[2], (found.mask[2] == 255).float())
        assert found.composite is None

    def test_everything_may_be_the_subject(self) -> None:
        assert self.line(1.0).run(self.frames()).doubts() == ["the trimap has nothing unknown"] * 3

    @pytest.mark.parametrize(("confidence", "alpha"), [(np.nan, 0.5), (None, np.nan), (None, 9.0)])
    def test_what_is_no_alpha_is_an_error(self, confidence: float | None, alpha: float) -> None:
        found = self.line(confidence, alpha).run(self.frames())
        with pytest.raises(WeightsError, match="no alpha"):
            found.doubts()
        assert bool(torch.isfinite(found.alpha).all())


def nothing(*planes: torch.Tensor) -> torch.Tensor:
    return planes[0][:, :1]


@pytest.mark.parametrize(
    ("flags", "options", "said"),
    [
        ({"keep_parts": 1}, {}, "keep_parts can't be had on the device path: leave it out"),
        ({"k": "auto"}, {"graphs": True}, "CUDA graphs with k = auto: give a width"),
    ],
)
def test_what_a_device_can_not_do_is_refused(
    flags: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingError, match=said):
        DeviceLine(nothing, nothing, config(**flags), **options)


def test_frames_and_grounds_are_checked() -> None:
    frames = torch.zeros(1, 8, 8, 3, dtype=torch.uint8)
    line = DeviceLine(nothing, nothing, config())
    with pytest.raises(SettingError, match=r"frames of torch.float32, \(1, 8, 8, 3\): give uint8"):
        line.run(frames.float())
    with pytest.raises(SettingError, match=r"a background of \(4, 8, 3\)"):
        line.run(frames, frames[0, :4])
    with pytest.raises(SettingError, match="CUDA graphs on cpu: leave them out, or use a GPU"):
        DeviceLine(nothing, nothing, config(), graphs=True).run(frames)


@pytest.mark.gpu
class TestOnGpu:
    """The same on CUDA."""

    @pytest.mark.parametrize("preset", ["fast", "balanced"])
    def test_frames_are_found_as_pictures_are(self, preset: str) -> None:
        asked, image = config(preset), picture()
        found = on_device(device_line(asked, GPU), image, image, device="cuda")
        compare(found, 1, in_numpy(image, asked))

    @pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
    def test_recorded_work_gives_the_same(self, precision: str) -> None:
        asked, image = config(), picture()
        execution = replace(GPU, precision=precision)
        plain, recorded = (device_line(asked, execution, graphs=graphs) for graphs in (False, True))
        other = Image(np.ascontiguousarray(image[:, ::-1]))
        for each in (image, other, image):
            expected = on_device(plain, each, device="cuda").alpha
            found = on_device(recorded, each, device="cuda").alpha
            assert float((found - expected).abs().mean()) <= BF16_MEAN

    def test_half_precision_stays_near(self) -> None:
        asked, image = config(), picture()
        expected = in_numpy(image, asked).alpha
        found = on_device(device_line(asked, replace(GPU, precision="fp16")), image, device="cuda")
        assert np.abs(found.alpha[0].cpu().numpy() - expected).mean() <= BF16_MEAN
