"""A camera's newest frame: what nobody takes in time is dropped."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from threading import Condition, Event, Thread
from typing import Protocol, Self

from matte.arrays import Image
from matte.media.video.facts import Facts

PATIENCE = 2.0  # seconds that a camera may take to give its last frame


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """What a camera saw: RGB (H, W, 3) uint8, the `number`th frame, `seconds` after its first.

    `arrived` is when it came, on time.monotonic()'s clock.
    """

    number: int
    seconds: Fraction
    arrived: float
    pixels: Image


class Camera(Protocol):
    """What sees something, frame after frame."""

    @property
    def facts(self) -> Facts:
        """What is known of its frames."""
        ...

    def shots(self, stopped: Event) -> Iterator[Shot]:
        """The frames as they come, whole ones only, until it is `stopped` or over."""
        ...


class Newest:
    """Watches a camera, in a thread of its own, within a `with` block."""

    def __init__(self, camera: Camera) -> None:
        self.dropped = 0
        """Frames that a newer one replaced before they were taken, since one was taken."""
        self._camera = camera
        self._stopped = Event()
        self._changed = Condition()
        self._shot: Shot | None = None
        self._taken = self._ended = False
        self._error: Exception | None = None
        # A camera that hangs must not keep the process.
        self._thread = Thread(target=self._watch, name="camera", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(PATIENCE)

    @property
    def over(self) -> bool:
        """Whether there is nothing to take, and won't be."""
        with self._changed:
            return self._ended and self._shot is None

    def take(self, patience: float) -> Shot | None:
        """The newest frame that was not taken; None if none comes within `patience` seconds.

        Raises what ended the camera, if it was an error.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._shot is not None or self._ended, patience)
            shot, self._shot = self._shot, None
            if shot is None and self._error is not None:
                raise self._error
            self._taken = self._taken or shot is not None
            return shot

    def _watch(self) -> None:
        try:
            for shot in self._camera.shots(self._stopped):
                with self._changed:
                    self.dropped += self._taken and self._shot is not None
                    self._shot = shot
                    self._changed.notify()
        except Exception as error:  # noqa: BLE001  # take() raises it where it can be handled
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify()
