"""How much memory a picture takes, and how much it may take."""

import math
import os
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from matte.arrays import Image
from matte.errors import PictureError, SettingError
from matte.limits import GIB, format_bytes, format_pixels
from matte.runtime.threads import control_groups

# What a process holds before it has a picture: Python, a runtime, the networks of a line. Measured
# with benchmarks/scaling.py, as are bytes for each pixel, of 8 and of 16 bits a channel.
BASE_BYTES = 256 << 20
PICTURE_BYTES_PER_PIXEL = {1: 20, 2: 36}  # by the bytes of a channel's value
KEYING_BYTES_PER_PIXEL = 44  # beside those: what finding alpha before a screen takes
MAX_KEPT_BYTES = 31 << 20  # just below what GNU's allocator keeps at most
MIN_NETWORK_PIXELS = 160 * 160  # of the smallest input that a network gets
ASSUMED_BYTES = 8 * GIB  # where the machine doesn't say what it has


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """The bytes that a network takes for its input, by the input's pixels.

    For each pixel: features. For each millionth of the square of their number: the attention of all
    places to all.
    """

    bytes_per_pixel: int = 1000
    bytes_per_million_squares: int = 150
    settings: str = "--tile and --refiner-protocol"  # that ask for large inputs

    def input_bytes(self, pixels: int) -> int:
        """Return the bytes of memory that the network takes for an input of so many pixels."""
        attention = self.bytes_per_million_squares * 1e-6 * pixels**2
        return int(self.bytes_per_pixel * pixels + attention)

    def max_pixels(self, available_bytes: int) -> int:
        """Return the pixels of the largest input that takes no more than so many bytes."""
        available = max(0, available_bytes)
        if not self.bytes_per_million_squares:
            return available // self.bytes_per_pixel
        square = self.bytes_per_million_squares * 1e-6
        root = math.sqrt(self.bytes_per_pixel**2 + 4 * square * available)
        return int((root - self.bytes_per_pixel) / (2 * square))


# Networks with attention or without a better number; MODNet's: 200 … 330 were measured.
ATTENTION_COST = NetworkCost()
SEGMENTER_COST = NetworkCost(bytes_per_million_squares=0)
MODNET_COST = NetworkCost(350, 0, "--modnet-protocol")
PEER_COST = NetworkCost(settings="size = 0 in its TOML")


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The bytes of memory that the process may take; 0: as many as the machine has."""

    limit_bytes: int = 0

    @property
    def max_bytes(self) -> int:
        """The limit in bytes, or what the machine has."""
        return self.limit_bytes or available_bytes()

    @property
    def max_pixels(self) -> int:
        """The pixels that a picture of 8 bits a channel may have."""
        spare = self.max_bytes - BASE_BYTES - ATTENTION_COST.input_bytes(MIN_NETWORK_PIXELS)
        return max(0, spare) // PICTURE_BYTES_PER_PIXEL[1]

    def check_image(self, image: Image, is_keyed: bool = False) -> None:
        """Raise PictureError if a picture, and what works on it, take too much memory.

        That is a network, and then, if it `is_keyed`, what mends alpha before a screen.
        """
        keying = KEYING_BYTES_PER_PIXEL * image[:, :, 0].size if is_keyed else 0
        beside = max(keying, ATTENTION_COST.input_bytes(MIN_NETWORK_PIXELS))
        need = _picture_bytes(image) + beside
        if need > self.max_bytes:
            size = format_pixels(image[:, :, 0].size)
            cause = f"{size} take {format_bytes(need)}, and {self.description}"
            raise PictureError(cause, f"{self.remedy}, or give a smaller picture")

    def network_memory(self, image: Image, cost: NetworkCost = ATTENTION_COST) -> "NetworkMemory":
        """Return the memory that networks may take beside a picture and all that is made of it."""
        return NetworkMemory(self, self.max_bytes - _picture_bytes(image), cost)

    @property
    def description(self) -> str:
        """The limit in words, for errors: "--max-memory is 2 GiB"."""
        name = "--max-memory is" if self.limit_bytes else "there are"
        return f"{name} {format_bytes(self.max_bytes)}"

    @property
    def remedy(self) -> str:
        """What a user can do to have more memory."""
        return "raise --max-memory" if self.limit_bytes else "use a larger machine"


@dataclass(frozen=True, slots=True)
class NetworkMemory:
    """The bytes that networks may take beside a picture, within the process's limit."""

    limit: MemoryLimit
    available_bytes: int
    cost: NetworkCost = ATTENTION_COST

    @property
    def max_pixels(self) -> int:
        """The pixels that a network's input may have."""
        return self.cost.max_pixels(self.available_bytes)

    def max_batch(self, pixels: int, wanted: int = 1) -> int:
        """Return how many inputs of so many pixels a network may get at once: 1 … `wanted`.

        Raises SettingError where there is no memory for one: without settings that ask for a large
        one, an input is small enough.
        """
        number = wanted
        while number > 0 and self.cost.input_bytes(pixels * number) > self.available_bytes:
            number -= 1
        if number == 0 and pixels > MIN_NETWORK_PIXELS:
            need = self.limit.max_bytes - self.available_bytes + self.cost.input_bytes(pixels)
            cause = f"a network that sees {format_pixels(pixels)} at once takes"
            raise SettingError(
                f"{cause} {format_bytes(need)}, and {self.limit.description}",
                f"{self.limit.remedy}, or leave {self.cost.settings} out",
            )
        return max(1, number)


WHOLE_MACHINE = MemoryLimit()


def available_bytes() -> int:
    """Return the bytes of memory that this machine has, and no more than its container may use."""
    found = [machine_bytes() or ASSUMED_BYTES]
    for group in control_groups("memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):  # versions 2 and 1
            with suppress(OSError, ValueError):  # not there, or "max"
                found.append(int((group / name).read_text()))
    return min(found)


def machine_bytes() -> int | None:
    """Return the bytes of memory that this machine has; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        return None


def keep_freed_memory() -> None:
    """Make C's allocator keep freed memory for the next request, up to 32 MiB at a time.

    Frame after frame asks for the same, and new pages cost more than the work. GNU's allocator
    raises its thresholds when the first block of a size is freed; others are not changed.
    """
    np.empty(MAX_KEPT_BYTES, np.uint8)


def _picture_bytes(image: Image) -> int:
    """Return the bytes that the process takes with a picture, without networks' inputs."""
    return BASE_BYTES + PICTURE_BYTES_PER_PIXEL[image.itemsize] * image[:, :, 0].size
