"""What a library user calls: one call for whatever a command does."""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matte.compositing.composer import composite
from matte.configs.loader import DEFAULT_PRESET, merge_settings
from matte.errors import SettingError
from matte.pipeline import run
from matte.pipeline.build import build, pipeline_for_video
from matte.sweeps.run import sweep

if TYPE_CHECKING:
    from matte.clips.frames import VideoFrame

__all__ = ["Pipeline", "composite", "load", "sweep"]


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline(run.Pipeline):
    """Mattes pictures and videos, one after the other, with networks that stay loaded."""

    def video(
        self,
        path: str | Path,
        *,
        background: str = "transparent",
        start: float = 0,
        end: float | None = None,
    ) -> Generator["VideoFrame"]:
        """Yield the frames of a video, each with its alpha, its composite and its time.

        `background` is what `matte video --bg` takes; `start` and `end` are seconds after the first
        frame. Frames are prepared ahead: close what this returns if you don't take them all.
        """
        from matte.clips.run import video_frames  # PyAV is for video only

        return video_frames(pipeline_for_video(self), Path(path), background, start, end)


def load(preset: str = DEFAULT_PRESET, **overrides: Any) -> Pipeline:
    """Return the pipeline of a preset, any setting of it overridden by name: `load("fast", k=5)`.

    Settings are those of `matte config show`; the user's own settings file is not read.
    """
    if not isinstance(preset, str):
        raise SettingError(f"preset = {preset!r}", "give the name of one")
    built = build(merge_settings(preset, flags=overrides))
    return Pipeline(built.line, built.merged, built.max_pixels, built.memory)
