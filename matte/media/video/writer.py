"""Video files written frame by frame."""

import os
import warnings
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from math import lcm
from pathlib import Path
from typing import Any

import numpy as np
from av.codec.codec import UnknownCodecError
from av.codec.context import Flags
from av.container import OutputContainer
from av.container import open as open_container
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matte.errors import MatteWarning, OutputError
from matte.files import check_outputs
from matte.imaging.bit_depth import convert_depth
from matte.media.video.clip import Clip
from matte.media.video.codecs import FORMATS, choose_codec, encoder_options, pixel_format
from matte.media.video.colours import FrameEncoder, output_colour_tags
from matte.media.video.container import count_frames, ffmpeg_error_text
from matte.media.video.facts import ClipFacts, ColourTags
from matte.media.video.played_sound import PlayedSound
from matte.media.video.reserve import DiskReserve
from matte.media.video.tracks import TrackCopier, lasting_metadata
from matte.media.video.unfinished import FrameWriter, UnfinishedOutput

MAX_DECODING_LEAD_SECONDS = 1_000_000  # longer than any film
MAX_CLOCK_RATE = 2**31 - 1  # ticks a second that MP4 can count


class ClipWriter(FrameWriter):
    """Writes a video file with a clip's times, colour tags and pixel aspect, and its metadata.

    Frames are grey (H, W), RGB (H, W, 3) or straight RGBA (H, W, 4) by `channels`, uint8 or, if
    `deep`, uint16; they are upright, so the file turns nothing. More than 8 bits are kept where
    the codec has them, else rounded. Sizes stay what they are: chroma has half the size (4:2:0,
    which everything plays), but in H.264 and H.265 of odd sizes it is whole (4:4:4), which fewer
    players open; VP9 and AV1 halve it in any size.

    Written under a temporary name, then renamed. If the `with` block is left by an exception, what
    was done is finished and kept as `partial`, NAME.partial.EXT; nothing else is touched.

    MP4 and MOV keep every time exactly. MKV and WebM count milliseconds: times are rounded to them.
    """

    def __init__(
        self,
        path: Path,
        like: ClipFacts,
        *,
        channels: int = 3,
        deep: bool | None = None,
        size: tuple[int, int] | None = None,
        codec: str | None = None,
        crf: int | None = None,
        bitrate: int | None = None,
        overwrite: bool = False,
    ) -> None:
        check_outputs([(path, FORMATS)], [like.path], overwrite)
        kind = {1: "grey", 3: "rgb", 4: "rgba"}[channels]
        deep = like.deep if deep is None else deep
        self._codec, kind = choose_codec(path, codec, f"{kind}-deep" if deep else kind)
        self.path = path
        self._like = like
        self._tracks: TrackCopier | None = None
        self._end: float | None = None
        self._width, self._height = size or (like.width, like.height)
        self._last: int | None = None
        self._moved: int | None = None
        self._out_of_order = False
        self._encoder_failed = False  # FFmpeg may crash if it is given more after it failed
        encoding = encoder_options(self._codec, codec or self._codec.encoder, kind, crf, bitrate)
        if like.light_parameters and self._codec.encoder == "libx265" and kind == "rgb-deep":
            encoding["x265-params"] += f":repeat-headers=1:hdr10=1:{like.light_parameters}"
        if like.sample_aspect != 1 and self._codec.square_pixels_only and _is_matroska(path):
            text = f"{path.suffix} can't say with this codec that pixels are not square"
            warnings.warn(f"{text} ({like.sample_aspect})", MatteWarning, stacklevel=2)
        self._unfinished = UnfinishedOutput(path, [like.path], overwrite)
        self._shape = (self._height, self._width, channels)[: 2 if channels == 1 else 3]
        self._dtype = np.dtype(np.uint16 if kind.endswith("-deep") else np.uint8)
        name = pixel_format(self._codec, kind, self._width, self._height)
        self._colours = output_colour_tags(like.colours, name)
        self._encoder = FrameEncoder(name, self._colours, self._width, self._height)
        self._reserve = DiskReserve(self._unfinished.temporary)
        try:
            self._output = self._open_output()
            self._stream = self._add_stream(name, encoding, bitrate)
        except (FFmpegError, ValueError, OSError) as error:
            self._reserve.close()
            self._unfinished.discard()
            raise self._error(error) from error

    def copy_from(self, clip: Clip, start: float = 0, end: float | None = None) -> None:
        """Copy the clip's sound, subtitles, attachments, chapters and metadata, too.

        Call it before the first frame. With a range, in seconds after the clip's first frame,
        packets and chapters are cut to it, and everything is moved so that the first frame written
        has the time of the clip's first. What the container can't hold is warned of.
        """
        self._tracks = TrackCopier(clip.facts, self._output, self._mux_one, start, end)
        self._clip, self._end = clip.facts, end

    def copy_sound(
        self, clip: ClipFacts, begin: Fraction, loop_seconds: Callable[[], Fraction | None]
    ) -> PlayedSound:
        """Copy a clip's sound from `begin` on, as it is played, and return what does so.

        Call it before the first frame, whose time must be 0.
        """
        self._clip = self._like
        self._tracks = PlayedSound(clip, self._output, self._mux_one, begin, loop_seconds)
        return self._tracks

    def write(self, pixels: NDArray[Any], pts: int, duration: int = 0) -> None:
        """Add a frame, shown at `pts` of the clip's time base for `duration`, until the next."""
        if pixels.shape != self._shape:
            raise ValueError(f"a frame is {pixels.shape}, not {self._shape}")
        if self._last is not None and pts <= self._last:
            pts = self._move_behind(pts, self._last)
        try:
            if self._moved is None:
                self._moved = self._start_file(pts)
            frame = self._encoder.encode(convert_depth(pixels, self._dtype))
            frame.pts, frame.time_base = pts - self._moved, self._like.time_base
            frame.duration = duration
            _set_colour_tags(frame, self._colours)  # some encoders read the one, some the other
            self._mux(self._encode(frame))
            if self._tracks is not None:
                self._tracks.copy_until(frame.pts * self._like.time_base)
        except (FFmpegError, ValueError, OSError) as error:
            raise self._error(error) from error
        self._last = pts

    def _move_behind(self, pts: int, last: int) -> int:
        """Return the first time after the last frame's; warn once that frames are not in order."""
        if not self._out_of_order:
            text = f"times of frames are not in order ({pts} after {last}): those frames are later"
            warnings.warn(text, MatteWarning, stacklevel=3)
            self._out_of_order = True
        return last + 1

    def _start_file(self, pts: int) -> int:
        """Prepare the file for the first frame; return by how much times are moved."""
        moved = self._tracks.start_at(pts) if self._tracks is not None else 0
        if self._tracks is not None:
            self._copy_descriptions(moved)
        if self._output.format.name in ("mp4", "mov"):
            # Offsets at the beginning are counted by the file's clock: one that holds all others.
            clock = self._like.time_base.denominator
            for stream in (self._tracks.outputs if self._tracks is not None else {}).values():
                clock = lcm(clock, (stream.time_base or Fraction(1)).denominator)
            if clock <= MAX_CLOCK_RATE:
                self._output.container_options["movie_timescale"] = str(clock)
        return moved

    def _open_output(self) -> OutputContainer:
        """Return the container under its temporary name; MP4 counts in the clip's time base."""
        name = FORMATS[self.path.suffix.lower()]
        container_options = {"avoid_negative_ts": "disabled"}
        base = self._like.time_base
        if name in ("mp4", "mov") and base.denominator <= MAX_CLOCK_RATE:
            container_options["video_track_timescale"] = str(base.denominator)
        return open_container(
            f"file:{self._unfinished.temporary}",
            "w",
            format=name,
            container_options=container_options,
        )

    def _add_stream(self, name: str, encoding: dict[str, str], bitrate: int | None) -> VideoStream:
        """Return the output's stream of pictures in the pixel format `name`, its encoder open."""
        like = self._like
        os.environ.setdefault("SVT_LOG", "0")  # so that it prints nothing: what fails is raised
        stream: VideoStream = self._output.add_stream(  # type: ignore[assignment]  # of video
            self._codec.encoder, rate=like.rate.limit_denominator(1_000_000), options=encoding
        )
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = self._width, self._height, name
        context.time_base = stream.time_base = like.time_base
        context.sample_aspect_ratio = like.sample_aspect
        _set_colour_tags(context, self._colours)
        context.flags |= Flags.frame_duration
        if bitrate is not None:
            context.bit_rate = bitrate
        if self._codec.tag and self._output.format.name in ("mp4", "mov"):
            context.codec_tag = self._codec.tag
        context.open()
        stream.metadata.update(lasting_metadata(like.stream_metadata))
        return stream

    def _copy_descriptions(self, moved: int) -> None:
        """Copy chapters, cut to the range and moved, and the metadata that stays true."""
        shift = moved * self._clip.time_base
        first = self._clip.start * self._clip.time_base
        last = None if self._end is None else first + Fraction(self._end) - shift
        chapters: list[Any] = []  # of a TypedDict that only the stubs have
        for number, part in enumerate(self._clip.chapters):
            begin = max(part.start - shift, min(first, part.start))
            until = part.end - shift if last is None else min(part.end - shift, last)
            if until > begin:
                base = Fraction(1, 1_000_000)
                chapters.append(
                    {
                        "id": number,
                        "start": round(begin / base),
                        "end": round(until / base),
                        "time_base": base,
                        "metadata": dict(part.metadata),
                    }
                )
        self._output.set_chapters(chapters)
        self._output.metadata.update(lasting_metadata(self._clip.metadata))

    def _encode(self, frame: VideoFrame | None) -> "list[Packet[Any]]":
        """Return the packets that the encoder has after this frame; after None, all the others."""
        try:
            return self._stream.encode(frame)
        except (FFmpegError, ValueError, OSError) as error:
            self._encoder_failed = not isinstance(error, EOFError)
            raise

    def _mux(self, packets: list["Packet[Any]"]) -> None:
        """Write encoded packets into the container."""
        for packet in packets:
            if packet.pts is not None and packet.dts is not None:
                # Of one or two frames x265 reports times of decoding that it never set.
                lead = (packet.pts - packet.dts) * packet.time_base
                packet.dts = packet.dts if 0 <= lead <= MAX_DECODING_LEAD_SECONDS else packet.pts
            self._mux_one(packet)

    def _mux_one(self, packet: "Packet[Any]") -> None:
        """Write a packet into the container, if the disk has room for it and for the file's end."""
        self._reserve.add_packet(packet.size)
        self._output.mux_one(packet)

    def _end_file(self) -> None:
        """Empty the encoder, copy the remaining sound, and end the file."""
        if self._last is None:
            raise OutputError(f"no frames for {self.path}", "choose another range")
        try:
            self._mux(self._encode(None))
            if self._tracks is not None:
                self._tracks.copy_until(None)
            self._output.close()
            self._reserve.close()
        except (FFmpegError, ValueError, OSError) as error:
            raise self._error(error) from error

    def _salvage(self) -> None:
        """End the file where it is: on a full disk in the room that is kept for that."""
        if not self._encoder_failed:
            # It was emptied before if its end was interrupted; then it raises EOFError.
            with suppress(FFmpegError, ValueError, OSError):
                self._mux(self._encode(None))
        with suppress(FFmpegError, ValueError, OSError):  # what stopped the work is being raised
            self._output.close()

    def _count_frames(self) -> int:
        """Return how many frames there are in the file as it is on the disk."""
        return 0 if self._last is None else count_frames(self._unfinished.temporary)

    def close(self) -> None:
        """Close the output; remove what still has its temporary name."""
        if self._tracks is not None:
            self._tracks.close()
        with suppress(FFmpegError, ValueError, OSError):  # reported before
            self._output.close()
        self._reserve.close()
        super().close()

    def _error(self, error: Exception) -> OutputError:
        """Return the error to raise for what the encoder or the container raised."""
        name = self._codec.encoder
        if isinstance(error, UnknownCodecError):
            return OutputError(f"the encoder {name} is missing", "choose another --codec")
        cause = f"can't write {self.path} with {name} ({ffmpeg_error_text(error)})"
        needed = self._codec.hardware
        remedy = f"it needs {needed}; " if needed else ""
        return OutputError(cause, f"{remedy}choose another place or another --codec")


def _is_matroska(path: Path) -> bool:
    """Return whether the file's container is Matroska, of which WebM is a part."""
    return path.suffix.lower() in (".mkv", ".webm")


def _set_colour_tags(target: VideoFrame | VideoCodecContext, colours: ColourTags) -> None:
    """Tag a frame or an encoder with how its samples mean colours."""
    target.color_range, target.colorspace = colours.range, colours.matrix
    target.color_primaries, target.color_trc = colours.primaries, colours.transfer
