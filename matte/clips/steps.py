"""A clip's steps, on the processor or on a GPU."""

from matte.clips.composing import FrameComposing, ProcessorComposing
from matte.clips.following.follower import SubjectFollower
from matte.clips.matting import FrameMatter, Matter
from matte.compositing.composer import Composer
from matte.configs.settings import Config
from matte.gpu.choice import DevicePlan
from matte.pipeline.line import Line
from matte.pipeline.timing import Stopwatch


def open_matter(
    line: Line,
    config: Config,
    size: tuple[int, int],
    watch: Stopwatch,
    plan: DevicePlan | None,
    follower: SubjectFollower | None = None,
    *,
    live: bool = False,
) -> Matter:
    """Return what mattes a clip's frames of this `size`; on the processor without a plan.

    Subjects are followed there alone. `live`: no alpha waits for later frames to be despeckled.
    """
    if plan is None or follower is not None:
        return FrameMatter(line, config, size, watch, follower, live=live)
    from matte.clips.device_matting import DeviceFrameMatter  # torch is for GPUs only

    return DeviceFrameMatter(line, config, size, watch, plan=plan)


def open_composing(
    composer: Composer, watch: Stopwatch, colours: bool, plan: DevicePlan | None
) -> FrameComposing:
    """Return what composes those frames, on the same device.

    Unless `colours` are wanted, a frame's foreground is good for an opaque composite only.
    """
    if plan is None:
        return ProcessorComposing(composer, watch, colours)
    from matte.clips.device_composing import DeviceComposing

    return DeviceComposing(composer, watch, colours, device=plan.device)
