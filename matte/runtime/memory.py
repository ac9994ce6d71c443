"""How much memory a picture takes, and may take."""

import math
import os
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from matte.arrays import Image
from matte.errors import PictureError, SettingError
from matte.limits import GIB, format_bytes, format_pixels
from matte.runtime.threads import groups

# What a process holds before it has a picture: Python, a runtime, the networks of a line. Measured
# with benchmarks/scaling.py, as are bytes for each pixel, of 8 and of 16 bits a channel.
BASE = 256 << 20
PIXEL = {1: 20, 2: 36}
# Bytes that networks take for each pixel that they see at once, and for each millionth of their
# square: features, and the attention of all places to all.
FEATURES, ATTENTION = 1000, 150
KEPT = 31 << 20  # bytes: just below what GNU's allocator keeps at most
LEAST = 160 * 160  # pixels that a network sees at once at least


@dataclass(frozen=True, slots=True)
class Memory:
    """The bytes that the process may take; 0: as many as there are."""

    limit: int = 0

    @property
    def pixels(self) -> int:
        """How many pixels of 8 bits a channel a picture may have."""
        return max(0, self.most - BASE - network(LEAST)) // PIXEL[1]

    def check(self, image: Image) -> None:
        """Raises if a picture is too large."""
        need = _picture(image) + network(LEAST)
        if need > self.most:
            size = format_pixels(image[:, :, 0].size)
            cause = f"{size} take {format_bytes(need)}, and {self.allowed}"
            raise PictureError(cause, f"{self.remedy}, or give a smaller picture")

    def room(self, image: Image) -> "Room":
        """What a picture, and all that is made of it, leaves for networks."""
        return Room(self, self.most - _picture(image))

    @property
    def most(self) -> int:
        """Bytes."""
        return self.limit or there_is()

    @property
    def allowed(self) -> str:
        """The limit in words."""
        return f"{'--max-memory is' if self.limit else 'there are'} {format_bytes(self.most)}"

    @property
    def remedy(self) -> str:
        """How to have more."""
        return "raise --max-memory" if self.limit else "use a larger machine"


@dataclass(frozen=True, slots=True)
class Room:
    """The bytes that networks may take."""

    memory: Memory
    left: int

    @property
    def pixels(self) -> int:
        """How many a network may see at once: `network` backwards."""
        square = ATTENTION * 1e-6
        root = math.sqrt(FEATURES**2 + 4 * square * max(0, self.left))
        return int((root - FEATURES) / (2 * square))

    def at_once(self, pixels: int, most: int = 1) -> int:
        """How many parts of so many pixels a network may see at once: at least one, or it raises.

        That is an error of settings: without them, a part is small enough.
        """
        number = most
        while number > 0 and network(pixels * number) > self.left:
            number -= 1
        if number == 0 and pixels > LEAST:
            need = self.memory.most - self.left + network(pixels)
            cause = (
                f"a network that sees {format_pixels(pixels)} at once takes {format_bytes(need)}"
            )
            raise SettingError(
                f"{cause}, and {self.memory.allowed}",
                f"{self.memory.remedy}, or leave --tile and --refiner-protocol out",
            )
        return max(1, number)


ALL = Memory()  # what the machine has


def _picture(image: Image) -> int:
    return BASE + PIXEL[image.itemsize] * image[:, :, 0].size


def network(pixels: int) -> int:
    """Bytes that a network takes to see so many pixels at once."""
    return int(FEATURES * pixels + ATTENTION * 1e-6 * pixels**2)


def there_is() -> int:
    """Bytes of memory that this machine has, and no more than its container may use."""
    found = [8 * GIB]
    with suppress(AttributeError, ValueError, OSError):
        found = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for group in groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):  # versions 2 and 1
            with suppress(OSError, ValueError):  # not there, or "max"
                found.append(int((group / name).read_text()))
    return min(found)


def keep_freed_memory() -> None:
    """Makes C's allocator keep what is freed for what comes next, up to 32 MiB at a time, instead
    of giving it back: frame after frame asks for the same, and new pages cost more than the work.

    GNU's raises its thresholds when the first block of a size is freed; others are not changed.
    """
    np.empty(KEPT, np.uint8)
