"""What a camera sees on a new background: shown, recorded, changed by keys."""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from matte.arrays import Image
from matte.clips.live.matting import Live, LiveFrame
from matte.clips.live.recording import Recorder, free
from matte.clips.statistics import Tally
from matte.errors import MatteError, MatteWarning
from matte.files import write_file
from matte.media.encoding import encode

KEYS = {
    "b": "next background",
    "p": "next preset",
    "m": "mirror",
    "r": "record, or stop",
    "s": "save a picture",
    "h": "this help",
    "q": "quit, as Esc does",
}
HELP = tuple(f"{key}  {what}" for key, what in KEYS.items())
PATIENCE = 0.05  # seconds without a frame after which keys are looked at
TITLED = 0.5  # seconds between titles


class Screen(Protocol):
    """Where frames are shown, and keys come from."""

    def show(self, picture: Image, lines: Sequence[str] = ()) -> None:
        """Shows a picture under lines of text."""
        ...

    def pressed_keys(self) -> list[str]:
        """The keys that were pressed."""
        ...

    def set_title(self, title: str) -> None:
        """Says what there is to say."""
        ...


@dataclass(frozen=True, slots=True)
class Until:
    """When a show ends by itself: after so many frames or seconds; None: never."""

    frames: int | None = None
    seconds: float | None = None

    def reached(self, tally: Tally) -> bool:
        """Whether it is time."""
        enough = self.frames is not None and tally.shown >= self.frames
        return enough or (self.seconds is not None and tally.running >= self.seconds)


class Show:
    """Shows what `live` makes of a camera on a screen, if there is one, and to the recorder.

    `told` is called with the name of every file that was written.
    """

    def __init__(
        self,
        live: Live,
        recorder: Recorder,
        screen: Screen | None = None,
        told: Callable[[Path], None] = lambda path: None,
    ) -> None:
        self.tally = Tally()
        self._live = live
        self._recorder = recorder
        self._screen = screen
        self._told = told
        self._helps = self._done = False
        self._frame: LiveFrame | None = None
        self._titled = 0.0

    def run(self, until: Until, check: Callable[[], None] = lambda: None) -> None:
        """Goes on until the camera ends, a key says so, or `until` is reached.

        `check` is called between frames, and may raise. What is being recorded is finished anyway.
        """
        try:
            while not (self._done or until.reached(self.tally)):
                check()
                frame = self._live.frame(PATIENCE)
                if frame is not None:
                    self._shown(frame)
                elif self._live.over:
                    break
                for key in self._screen.pressed_keys() if self._screen else ():
                    try:
                        self._press(key)
                    except MatteError as error:  # what can't be done ends no show
                        warnings.warn(str(error), MatteWarning, stacklevel=2)
        finally:
            self._stop()

    def _shown(self, frame: LiveFrame) -> None:
        self._frame = frame
        if self._screen is not None:
            self._screen.show(frame.shown, HELP if self._helps else ())
        self.tally.add(frame.shot.arrived)
        self._recorder.write(frame.shown, frame.shot.seconds)
        now = time.monotonic()
        if self._screen is not None and now - self._titled >= TITLED:
            self._titled = now
            self._screen.set_title(self._title())

    def _press(self, key: str) -> None:
        match key:
            case "b":
                self._live.next_ground()
            case "p":
                self._live.next_preset()
            case "m":
                self._live.mirror()
            case "r" if self._recorder.writing:
                self._stop()
            case "r":
                self._recorder.start()
            case "s":
                self._save()
            case "h":
                self._helps = not self._helps
            case "q" | "escape":
                self._done = True

    def _stop(self) -> None:
        written = self._recorder.stop()
        if written is not None:
            self._told(written)

    def _save(self) -> None:
        """Saves the last frame: a cut-out, if there is no background."""
        if self._frame is None:
            return
        path = free(self._recorder.path, ".png")
        write_file(path, encode(self._frame.composite, ".png"))
        self._told(path)

    def _title(self) -> str:
        live, tally = self._live, self.tally
        speed = f"{tally.recent_fps:.0f} fps, {1000 * tally.latency:.0f} ms late"
        said = [f"{live.preset} on {live.ground}", speed, f"{live.dropped} dropped", "h: help"]
        if self._recorder.writing:
            said.insert(0, f"recording {self._recorder.writing.name}")
        return "matte: " + " · ".join(said)
