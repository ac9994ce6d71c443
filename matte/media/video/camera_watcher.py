"""A camera's newest frame: those that are replaced before they are fetched are dropped."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from threading import Condition, Event, Thread
from typing import Protocol, Self

from matte.arrays import Image
from matte.media.video.facts import ClipFacts

MAX_STOP_SECONDS = 2.0  # that a camera may take to give its last frame


@dataclass(frozen=True, slots=True, eq=False)
class CameraFrame:
    """A frame of a camera: RGB (H, W, 3) uint8, the `number`th, `seconds` after its first.

    `arrived` is when it came, on time.monotonic()'s clock.
    """

    number: int
    seconds: Fraction
    arrived: float
    pixels: Image


class Camera(Protocol):
    """A source of frames that come by themselves, one after another."""

    @property
    def facts(self) -> ClipFacts:
        """The frames' size, rate and colours."""
        ...

    def frames(self, stopped: Event) -> Iterator[CameraFrame]:
        """Yield the frames as they come, whole ones only, until `stopped` is set or it ends."""
        ...


class CameraWatcher:
    """Holds a camera's newest frame; watches it in a thread, within a `with` block."""

    def __init__(self, camera: Camera) -> None:
        self.dropped = 0
        """Frames that newer ones replaced before they were fetched, since the first fetch."""
        self._camera = camera
        self._stopped = Event()
        self._changed = Condition()
        self._newest: CameraFrame | None = None
        self._fetched = self._camera_ended = False
        self._error: Exception | None = None
        # A camera that hangs must not keep the process.
        self._thread = Thread(target=self._watch, name="camera", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(MAX_STOP_SECONDS)

    @property
    def ended(self) -> bool:
        """Whether the camera has ended, and its last frame was fetched."""
        with self._changed:
            return self._camera_ended and self._newest is None

    def fetch(self, max_wait: float) -> CameraFrame | None:
        """Return the newest frame not fetched yet; None if none comes within `max_wait` seconds.

        Raises what ended the camera, if it was an error.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._newest is not None or self._camera_ended, max_wait)
            frame, self._newest = self._newest, None
            if frame is None and self._error is not None:
                raise self._error
            self._fetched = self._fetched or frame is not None
            return frame

    def _watch(self) -> None:
        """Hold each frame that comes, until the camera ends or is stopped."""
        try:
            for frame in self._camera.frames(self._stopped):
                with self._changed:
                    self.dropped += self._fetched and self._newest is not None
                    self._newest = frame
                    self._changed.notify()
        except Exception as error:  # noqa: BLE001  # fetch() raises it where it can be handled
            self._error = error
        finally:
            with self._changed:
                self._camera_ended = True
                self._changed.notify()
