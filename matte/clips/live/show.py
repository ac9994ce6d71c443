"""A camera's matted picture: shown in a window, recorded, and changed by keys."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from matte.arrays import Image
from matte.clips.live.frames import LiveFrame
from matte.clips.live.matting import LiveMatting
from matte.clips.live.recording import Recorder, next_free_path
from matte.clips.live.statistics import DisplayStatistics
from matte.errors import MatteError, MatteWarning
from matte.files import write_file
from matte.media.encoding import encode

KEYS = {
    "b": "next background",
    "p": "next preset",
    "m": "mirror",
    "a": "keep everybody; a click: follow whoever is there",
    "r": "record, or stop",
    "s": "save a picture",
    "h": "this help",
    "q": "quit, as Esc does",
}
HELP_LINES = tuple(f"{key}  {what}" for key, what in KEYS.items())
FRAME_TIMEOUT_SECONDS = 0.05  # without a frame, after which keys are read
TITLE_INTERVAL_SECONDS = 0.5


class Screen(Protocol):
    """A window that shows frames and reads keys."""

    def show(self, picture: Image, lines: Sequence[str] = ()) -> None:
        """Show a picture, RGB (H, W, 3), under lines of text."""
        ...

    def pressed_keys(self) -> list[str]:
        """Return the keys that were pressed since the last call: "a", "escape"."""
        ...

    def clicked_places(self) -> list[tuple[float, float]]:
        """Return where the picture was clicked since the last call, in shares of its sides."""
        ...

    def set_title(self, title: str) -> None:
        """Set the window's title."""
        ...


@dataclass(frozen=True, slots=True)
class StopCondition:
    """When a show ends by itself: after so many frames or seconds; None: never."""

    frames: int | None = None
    seconds: float | None = None

    def is_reached(self, statistics: DisplayStatistics) -> bool:
        """Return whether enough frames were shown, or for long enough."""
        if self.frames is not None and statistics.shown >= self.frames:
            return True
        return self.seconds is not None and statistics.running_seconds >= self.seconds


class LiveShow:
    """Shows a camera's matted frames on a screen, if there is one, and records them.

    `statistics` counts what was shown. Keys change what is shown: see KEYS.
    """

    def __init__(
        self,
        live: LiveMatting,
        recorder: Recorder,
        screen: Screen | None = None,
        on_written: Callable[[Path], None] = lambda path: None,
    ) -> None:
        """Prepare the show; `on_written` is called with the name of every file that was written."""
        self.statistics = DisplayStatistics()
        self._live = live
        self._recorder = recorder
        self._screen = screen
        self._on_written = on_written
        self._shows_help = self._is_over = False
        self._frame: LiveFrame | None = None
        self._titled_at = 0.0

    def run(self, until: StopCondition, check: Callable[[], None] = lambda: None) -> None:
        """Show frames, calling `check` between them, until camera, key or `until` ends it.

        `check` may raise. A recording is finished in any case.
        """
        try:
            while not (self._is_over or until.is_reached(self.statistics)):
                check()
                frame = self._live.next_frame(FRAME_TIMEOUT_SECONDS)
                if frame is not None:
                    self._show(frame)
                elif self._live.ended:
                    break
                for key in self._screen.pressed_keys() if self._screen else ():
                    self._attempt(partial(self._handle_key, key))
                for place in self._screen.clicked_places() if self._screen else ():
                    self._attempt(partial(self._live.choose_at, *place))
        finally:
            self._stop_recording()

    def _show(self, frame: LiveFrame) -> None:
        """Show a frame, record it if a file is open, and set the title now and then."""
        self._frame = frame
        if self._screen is not None:
            self._screen.show(frame.shown, HELP_LINES if self._shows_help else ())
        self.statistics.add_frame(frame.shot.arrived)
        self._recorder.write(frame.shown, frame.shot.seconds)
        now = time.monotonic()
        if self._screen is not None and now - self._titled_at >= TITLE_INTERVAL_SECONDS:
            self._titled_at = now
            self._screen.set_title(self._title())

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do what was asked for; what can't be done is a warning, and ends no show."""
        try:
            action()
        except MatteError as error:
            warnings.warn(str(error), MatteWarning, stacklevel=3)

    def _handle_key(self, key: str) -> None:
        """Do what a pressed key stands for; other keys do nothing."""
        match key:
            case "b":
                self._live.next_background()
            case "p":
                self._live.next_preset()
            case "m":
                self._live.toggle_mirror()
            case "a":
                self._live.choose_everybody()
            case "r" if self._recorder.open_path:
                self._stop_recording()
            case "r":
                self._recorder.start()
            case "s":
                self._save_picture()
            case "h":
                self._shows_help = not self._shows_help
            case "q" | "escape":
                self._is_over = True

    def _stop_recording(self) -> None:
        """Finish the recording, if there is one."""
        written = self._recorder.stop()
        if written is not None:
            self._on_written(written)

    def _save_picture(self) -> None:
        """Save the last frame as a PNG: a cut-out, if there is no background."""
        if self._frame is None:
            return
        path = next_free_path(self._recorder.path, ".png")
        write_file(path, encode(self._frame.composite, ".png"))
        self._on_written(path)

    def _title(self) -> str:
        """Return the window's title: preset, background, speed, dropped frames, recording."""
        live, statistics = self._live, self.statistics
        speed = f"{statistics.recent_fps:.0f} fps, {1000 * statistics.latency:.0f} ms late"
        dropped = f"{live.dropped_frames} dropped"
        parts = [f"{live.preset_title} on {live.background_name}", speed, dropped, "h: help"]
        if self._recorder.open_path:
            parts.insert(0, f"recording {self._recorder.open_path.name}")
        return "matte: " + " · ".join(parts)
