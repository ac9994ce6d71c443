"""A clip's frames matted on a device, here the CPU, by the steps of each preset."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from matte.arrays import Alpha, Image
from matte.clips.device_matting import DeviceFrameMatter
from matte.clips.matting import FrameMatter, Matter
from matte.configs.settings import Config
from matte.errors import BackendError, MatteWarning
from matte.gpu.choice import DevicePlan, plan_on_device
from matte.gpu.transfer import CPU, download_plane
from matte.pipeline.fallback import Fallback
from matte.pipeline.line import Line, TrimapFree
from matte.runtime.memory import MemoryLimit
from tests.fakes import BrightIsAlpha
from tests.gpu.lines import line, settings
from tests.gpu.shapes import subject_frame
from tests.tolerances import DEVICE, DEVICE_BAND

HEIGHT, WIDTH = 270, 480
# Three frames, a cut, three frames.
FRAMES = [subject_frame(HEIGHT, WIDTH, 0.4 + 0.01 * n, 8 + 5 * (n > 3)) for n in range(6)]
FRAMES[3:] = [Image(np.ascontiguousarray(frame[::-1, ::-1] // 2 + 60)) for frame in FRAMES[3:]]
SIZE = (HEIGHT, WIDTH)


def alphas(matter: Matter, frames: Sequence[Image]) -> list[Alpha]:
    found: list[Any] = []
    for start in range(0, len(frames), matter.batch):
        batch = frames[start : start + matter.batch]
        for frame in matter.segment_all(batch, [0.0] * len(batch)):
            found.append(matter.stabilise(frame, matter.refine(frame)))
    found.append(matter.pending_alpha())
    kept = [alpha for alpha in found if alpha is not None]
    return [Alpha(x if isinstance(x, np.ndarray) else download_plane(x)) for x in kept]


def on_cpu(of: Line, config: Config, batch: int = 4) -> DeviceFrameMatter:
    return DeviceFrameMatter(of, config, SIZE, plan=DevicePlan(CPU, batch))


@pytest.mark.parametrize(
    ("preset", "flags"),
    [
        ("fast", {"refiner": "guided"}),
        ("balanced", {}),
        ("best", {"temporal": "ofd"}),
        ("fast", {"temporal": "off", "keep_alpha": 2, "refine_size": "full"}),
    ],
)
def test_alphas_are_alike(preset: str, flags: dict[str, Any]) -> None:
    config = settings(preset, **flags)
    expected = alphas(FrameMatter(line(config), config, SIZE), FRAMES)
    matter = on_cpu(line(config), config)
    found = alphas(matter, FRAMES)
    assert len(found) == len(expected) == len(FRAMES)
    for ours, theirs in zip(found, expected, strict=True):
        band = (theirs > 0) & (theirs < 1)
        assert 0 < band.mean() < 0.9
        assert np.abs(ours - theirs).mean() <= DEVICE
        assert np.abs(ours - theirs)[band].mean() <= DEVICE_BAND
    assert {"upload", "follow", "segment", "trimap", "refine", "steady"} == set(matter.watch.ms)


def test_a_doubted_frame_is_the_processors_lines() -> None:
    config = settings("fast", refiner="guided")
    bright = Image(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
    both = Fallback(line(config), lambda: TrimapFree(BrightIsAlpha()))
    matter = on_cpu(both, config)
    assert (alphas(matter, [bright, FRAMES[0]])[0] == 1).all()
    assert matter.doubts == {"the trimap has nothing unknown": 1}


def test_a_segmenter_that_fails_leaves_the_frame_to_the_fallback() -> None:
    def wrong(picture: Any) -> Any:
        return np.full_like(picture[:, :1], np.nan)

    for every in (1, 3):
        config = settings("fast", refiner="guided", segment_every=every)
        broken = line(config)
        broken.segmenter.session._function = wrong  # type: ignore[attr-defined]  # a fake's
        matter = on_cpu(Fallback(broken, lambda: TrimapFree(BrightIsAlpha())), config)
        assert len(alphas(matter, FRAMES[:2])) == 2
        assert sum(matter.doubts.values()) == 2


def test_a_refiner_that_fails_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings("fast", refiner="guided")
    matter = on_cpu(line(config), config)

    def no_memory(*_: Any) -> Any:
        raise BackendError("the GPU's memory is too small", "take a smaller picture")

    monkeypatch.setattr(matter._line, "refine", no_memory)
    with pytest.warns(MatteWarning, match="memory is too small: the processor's line takes"):
        found = alphas(matter, FRAMES[:1])
    assert np.abs(found[0] - line(config).run(FRAMES[0]).alpha).mean() <= 0.02


@pytest.mark.gpu
@pytest.mark.parametrize("preset", ["fast", "balanced", "best"])
def test_alphas_are_alike_on_a_gpu(preset: str) -> None:
    config = settings(preset, refiner="guided" if preset == "fast" else "gca-slim")
    expected = alphas(FrameMatter(line(config), config, SIZE), FRAMES)
    plan = plan_on_device(torch.device("cuda"), SIZE, MemoryLimit())
    found = alphas(DeviceFrameMatter(line(config), config, SIZE, plan=plan), FRAMES)
    for ours, theirs in zip(found, expected, strict=True):
        assert np.abs(ours - theirs).mean() <= DEVICE
