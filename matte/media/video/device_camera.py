"""Cameras that are plugged in, opened by PyAV."""

import errno
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
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
from matte.errors import PictureError
from matte.imaging.bit_depth import convert_depth
from matte.limits import MAX_UNREADABLE_PACKETS
from matte.media.video.camera_watcher import CameraFrame
from matte.media.video.colours import FrameDecoder
from matte.media.video.container import ffmpeg_error_text
from matte.media.video.facts import FALLBACK_RATE, LIMITED_RANGE, ClipFacts, ColourTags

RETRY_SECONDS = 0.005  # until a camera that had no packet is asked again
REMEDY = "plug one in, or name it with --device; a video file can play the camera"
BT709 = 1  # of ITU-T H.273
OPENING_PROBLEMS = MappingProxyType(  # error numbers, what they mean and what helps
    {
        errno.EBUSY: ("is in use", "end the program that uses it"),
        errno.EINVAL: ("refuses this", "leave --size and --fps out, or give what it can"),
    }
)


@dataclass(frozen=True, slots=True)
class CameraSystem:
    """How an operating system's cameras are opened: FFmpeg's format, and a camera's address.

    `address` has {} for a camera's number or name; `options` are those without which none opens;
    `permission` says how a program is let in.
    """

    format: str
    address: str
    permission: str
    options: tuple[tuple[str, str], ...] = ()


SYSTEMS = MappingProxyType(
    {
        "linux": CameraSystem("v4l2", "/dev/video{}", "join its group, video, and log in again"),
        "darwin": CameraSystem(
            "avfoundation",
            "{}:none",
            "allow it in System Settings, Privacy & Security, Camera",
            # Its default is 29.97, which cameras don't have.
            (("framerate", "30"),),
        ),
        "win32": CameraSystem("dshow", "video={}", "allow it in Settings, Privacy, Camera"),
    }
)


class DeviceCamera:
    """A camera that is plugged in, read by FFmpeg."""

    def __init__(
        self, name: str, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        system = SYSTEMS.get(sys.platform)
        if system is None:
            raise PictureError(f"no cameras are known on {sys.platform}", "give a video file")
        self._name = f"camera {name}"
        self._container = self._open(system, _ffmpeg_camera_name(system, name), size, fps)
        streams = self._container.streams.video
        if not streams:
            raise PictureError(f"{self._name} gives no pictures", REMEDY)
        self._stream = streams[0]
        # Threads for several frames would hold frames back.
        self._stream.thread_type = "SLICE"
        self.facts = _camera_facts(name, self._stream)

    def frames(self, stopped: Event) -> Iterator[CameraFrame]:
        """Yield the frames as they come; those that can't be decoded are left out."""
        decoder, size = FrameDecoder(), (self.facts.height, self.facts.width)
        number, seconds, previous, step = 0, Fraction(0), None, 1 / self.facts.rate
        with self._container:
            for arrived, frame in self._decode(stopped):
                if frame.is_corrupt or (frame.height, frame.width) != size:
                    continue
                clock = frame.time_base if frame.pts is not None else None
                now = Fraction(arrived) if clock is None else (frame.pts or 0) * clock
                if previous is not None:  # a clock that is set back goes on
                    seconds += now - previous if now > previous else step
                previous = now
                pixels = Image(convert_depth(decoder.decode_rgb(frame), np.dtype(np.uint8)))
                yield CameraFrame(number, seconds, arrived, pixels)
                number += 1

    def _decode(self, stopped: Event) -> Iterator[tuple[float, av.VideoFrame]]:
        """Yield frames with the time at which their packets came."""
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
                if failures >= MAX_UNREADABLE_PACKETS:
                    raise PictureError(
                        f"{self._name} gives no more pictures ({ffmpeg_error_text(error)})", REMEDY
                    ) from error
                packets = self._container.demux(self._stream)
                stopped.wait(RETRY_SECONDS)
                continue
            failures = 0
            for frame in frames:
                yield arrived, frame

    def _open(
        self, system: CameraSystem, address: str, size: tuple[int, int] | None, fps: float | None
    ) -> InputContainer:
        """Return the camera opened; raise PictureError with what helps if it can't be."""
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
            raise PictureError(f"no permission for {self._name}", system.permission) from error
        except (FFmpegError, ValueError, OSError) as error:
            known = OPENING_PROBLEMS.get(getattr(error, "errno", None) or 0)
            # Elsewhere a missing permission is reported as any other failure.
            other = REMEDY if system.format == "v4l2" else system.permission
            why, remedy = known or (f"can't be opened ({ffmpeg_error_text(error)})", other)
            raise PictureError(f"{self._name} {why}", remedy) from error


def _ffmpeg_camera_name(system: CameraSystem, name: str) -> str:
    """Return FFmpeg's name for the camera of that number, name or path."""
    if name.startswith("/"):
        return name
    if system.format == "dshow" and name.isdecimal():
        return system.address.format(_windows_camera_name(int(name)))
    return system.address.format(name)


def _windows_camera_name(number: int) -> str:
    """Return the name of a camera by its number: Windows knows names only."""
    try:
        from av.device import (
            enumerate_input_devices,  # newer than the oldest PyAV that is supported
        )
    except ImportError as error:
        raise PictureError(
            f"camera {number} has a name", "give it as --device 'Integrated Camera'"
        ) from error
    devices = enumerate_input_devices("dshow")
    cameras = [device for device in devices if "video" in device.media_types]
    if number >= len(cameras):
        raise PictureError(f"no camera {number}", REMEDY)
    return cameras[number].description


def _camera_facts(name: str, stream: VideoStream) -> ClipFacts:
    """Return the facts of a camera's stream: the size, rate and colours of its frames."""
    context = stream.codec_context
    return ClipFacts(
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
        colours=ColourTags(LIMITED_RANGE, BT709, BT709, BT709),
        index=stream.index,
        tracks=(),
        chapters=(),
        metadata={},
        stream_metadata={},
    )
