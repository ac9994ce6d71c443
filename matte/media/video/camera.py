"""Cameras by PyAV, and clips that play one."""

import errno
import os.path
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import MappingProxyType

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from matte.arrays import Image
from matte.errors import PictureError, SettingError
from matte.imaging.bit_depth import convert_depth
from matte.media.opening import MAX_PIXELS
from matte.media.video.clip import Broken, open_clip
from matte.media.video.colours import Decoded
from matte.media.video.facts import FALLBACK_RATE, LIMITED, Colours, Facts
from matte.media.video.newest import Camera, Shot
from matte.media.video.opening import fault

PATIENCE = 64  # packets in a row that can't be read before a camera is given up
PAUSE = 0.005  # seconds until it is asked again
REMEDY = "plug one in, or name it with --device; a video file can play the camera"
BT709 = 1  # of ITU-T H.273
WORDS = MappingProxyType(  # what else keeps a camera from being opened
    {
        errno.EBUSY: ("is in use", "end the program that uses it"),
        errno.EINVAL: ("refuses this", "leave --size and --fps out, or give what it can"),
    }
)


@dataclass(frozen=True, slots=True)
class System:
    """How a system's cameras are opened: FFmpeg's format, and a number's or a name's address.

    `options` are those without which it opens none; `allow` says how a program is let in.
    """

    format: str
    address: str
    allow: str
    options: tuple[tuple[str, str], ...] = ()


SYSTEMS = MappingProxyType(
    {
        "linux": System("v4l2", "/dev/video{}", "join its group, video, and log in again"),
        "darwin": System(
            "avfoundation",
            "{}:none",
            "allow it in System Settings, Privacy & Security, Camera",
            # Its default is 29.97, which cameras don't have.
            (("framerate", "30"),),
        ),
        "win32": System("dshow", "video={}", "allow it in Settings, Privacy, Camera"),
    }
)


def open_camera(
    name: str,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    loop: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Camera:
    """The camera of that number or name; or the clip in the file of that name, which plays one.

    `size` (width, height) and `fps` are asked of cameras, clips have their own; a clip may `loop`.
    Raises PictureError if there is none, or it can't be opened.
    """
    if _is_device(name):
        return Device(name, size, fps)
    if size is not None or fps is not None:
        raise SettingError("a file has its own size and rate", "leave --size and --fps out")
    return Player(Path(name), loop, max_pixels)


def _is_device(name: str) -> bool:
    if os.path.isfile(name):  # noqa: PTH113  # False where pathlib raises: loops, long names
        return False
    if sys.platform in ("darwin", "win32") and not re.search(r"\.[A-Za-z]\w*$", name):
        return True  # there, cameras have names
    return name.isdecimal() or name.startswith("/dev/")


class Player:
    """A clip that is played by the clock, as if a camera saw it."""

    def __init__(self, path: Path, loop: bool = False, max_pixels: int = MAX_PIXELS) -> None:
        self._clip = open_clip(path, max_pixels)
        self._loop = loop
        self.facts = replace(self._clip.facts, depth=8)

    def shots(self, stopped: Event) -> Iterator[Shot]:
        """The frames at their times; broken ones are left out."""
        began, number, turn = time.monotonic(), 0, Fraction(0)
        while True:
            end = turn
            for frame in self._clip.frames():
                if stopped.is_set():
                    return
                if isinstance(frame, Broken):
                    continue
                seconds = turn + self._clip.seconds(frame.pts)
                pixels = Image(convert_depth(frame.pixels, np.dtype(np.uint8)))
                if stopped.wait(max(0.0, began + float(seconds) - time.monotonic())):
                    return
                yield Shot(number, seconds, time.monotonic(), pixels)
                number += 1
                end = max(end, turn + self._clip.seconds(frame.pts + frame.duration))
            if not self._loop or end == turn:
                return
            turn = end


class Device:
    """A camera that is plugged in."""

    def __init__(
        self, name: str, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        system = SYSTEMS.get(sys.platform)
        if system is None:
            raise PictureError(f"no cameras are known on {sys.platform}", "give a video file")
        self._name = f"camera {name}"
        self._container = self._opened(system, _address(system, name), size, fps)
        streams = self._container.streams.video
        if not streams:
            raise PictureError(f"{self._name} gives no pictures", REMEDY)
        self._stream = streams[0]
        # Threads for several frames would hold frames back.
        self._stream.thread_type = "SLICE"
        self.facts = _facts(name, self._stream)

    def shots(self, stopped: Event) -> Iterator[Shot]:
        """The frames as they come; those that can't be decoded are left out."""
        decoded, size = Decoded(), (self.facts.height, self.facts.width)
        number, seconds, before, step = 0, Fraction(0), None, 1 / self.facts.rate
        with self._container:
            for arrived, frame in self._frames(stopped):
                if frame.is_corrupt or (frame.height, frame.width) != size:
                    continue
                told = frame.time_base if frame.pts is not None else None
                now = Fraction(arrived) if told is None else (frame.pts or 0) * told
                if before is not None:  # a clock that is set back goes on
                    seconds += now - before if now > before else step
                before = now
                pixels = Image(convert_depth(decoded.rgb(frame), np.dtype(np.uint8)))
                yield Shot(number, seconds, arrived, pixels)
                number += 1

    def _frames(self, stopped: Event) -> Iterator[tuple[float, av.VideoFrame]]:
        """Frames, and when their packets came."""
        failures, packets = 0, self._container.demux(self._stream)
        while not stopped.is_set():
            try:
                packet = next(packets)
                arrived = time.monotonic()
                frames = self._stream.decode(packet)
            except StopIteration:
                return
            except FFmpegError as error:
                failures += error.errno != errno.EAGAIN  # nothing is there yet
                if failures >= PATIENCE:
                    raise PictureError(
                        f"{self._name} gives no more pictures ({fault(error)})", REMEDY
                    ) from error
                packets = self._container.demux(self._stream)
                stopped.wait(PAUSE)
                continue
            failures = 0
            for frame in frames:
                yield arrived, frame

    def _opened(
        self, system: System, address: str, size: tuple[int, int] | None, fps: float | None
    ) -> InputContainer:
        options = dict(system.options)
        if size is not None:
            options["video_size"] = f"{size[0]}x{size[1]}"
        if fps is not None:
            options["framerate"] = f"{fps:g}"
        try:
            return av.open(address, "r", format=system.format, options=options)
        except FileNotFoundError as error:
            raise PictureError(f"no {self._name} ({address})", REMEDY) from error
        except PermissionError as error:
            raise PictureError(f"no permission for {self._name}", system.allow) from error
        except (FFmpegError, ValueError, OSError) as error:
            told = WORDS.get(getattr(error, "errno", None) or 0)
            # There, a missing permission is told as any other failure.
            other = REMEDY if system.format == "v4l2" else system.allow
            why, remedy = told or (f"can't be opened ({fault(error)})", other)
            raise PictureError(f"{self._name} {why}", remedy) from error


def _address(system: System, name: str) -> str:
    """What FFmpeg calls the camera of that number, name or path."""
    if name.startswith("/"):
        return name
    if system.format == "dshow" and name.isdecimal():
        return system.address.format(_windows_name(int(name)))
    return system.address.format(name)


def _windows_name(number: int) -> str:
    """The name of a camera of Windows, which has no numbers."""
    try:
        from av.device import enumerate_input_devices  # later than the oldest PyAV that will do
    except ImportError as error:
        raise PictureError(
            f"camera {number} has a name", "give it as --device 'Integrated Camera'"
        ) from error
    found = [found for found in enumerate_input_devices("dshow") if "video" in found.media_types]
    if number >= len(found):
        raise PictureError(f"no camera {number}", REMEDY)
    return found[number].description


def _facts(name: str, stream: VideoStream) -> Facts:
    context = stream.codec_context
    return Facts(
        path=Path(name),
        width=context.width,
        height=context.height,
        orientation=1,
        sample_aspect=Fraction(1),
        time_base=stream.time_base or 1 / FALLBACK_RATE,
        average_rate=stream.average_rate or None,
        guessed_rate=stream.guessed_rate or None,
        start=0,
        duration=None,
        frames=None,
        codec=context.name,
        pixel_format=context.pix_fmt or "",
        depth=8,
        colours=Colours(LIMITED, BT709, BT709, BT709),
        index=stream.index,
        tracks=(),
        chapters=(),
        metadata={},
        stream_metadata={},
    )
