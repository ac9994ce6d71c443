"""The steps of a clip are the processor's unless a device is planned; then they are its own."""

import torch

from matte.clips.composing import ProcessorComposing
from matte.clips.device_composing import DeviceComposing
from matte.clips.device_matting import DeviceFrameMatter
from matte.clips.matting import FrameMatter
from matte.clips.steps import open_composing, open_matter
from matte.compositing.composer import Composer
from matte.gpu.choice import DevicePlan
from matte.pipeline.timing import Stopwatch
from tests.gpu.lines import line, settings


def test_steps_are_where_the_plan_says() -> None:
    config, plan = settings(), DevicePlan(torch.device("cpu"), 3)
    given = line(config), config, (60, 80), Stopwatch()
    assert isinstance(open_matter(*given, None), FrameMatter)
    on_device = open_matter(*given, plan)
    assert isinstance(on_device, DeviceFrameMatter)
    assert on_device.batch == 3
    assert isinstance(open_composing(Composer(), Stopwatch(), True, None), ProcessorComposing)
    assert isinstance(open_composing(Composer(), Stopwatch(), True, plan), DeviceComposing)
