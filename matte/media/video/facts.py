"""What a video file says of itself: size, times, colours, and what lies beside the pictures."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matte.media.video.hdr_metadata import light_parameters

# Codes of ITU-T H.273, which containers, codecs and FFmpeg share.
RGB, UNSPECIFIED = 0, 2
LIMITED_RANGE, FULL_RANGE = 1, 2  # AVColorRange; 0 is unknown
FALLBACK_RATE = Fraction(25)
# A display matrix's signs of a, b, c and d, and the EXIF orientation that turns alike.
ORIENTATIONS: dict[tuple[int, ...], int] = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}


@dataclass(frozen=True, slots=True)
class ColourTags:
    """How samples mean colours: numbers of ITU-T H.273, 2 where nothing is said.

    `range` is 1 for limited, 2 for full, 0 where nothing is said.
    """

    range: int = 0
    matrix: int = UNSPECIFIED
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED


@dataclass(frozen=True, slots=True)
class Track:
    """A stream that is not the pictures: "audio", "subtitle", "video", "data", "attachment"."""

    index: int
    kind: str
    codec: str
    language: str | None = None

    def __str__(self) -> str:
        """Return codec, kind and language: "aac audio (eng)"."""
        language = f" ({self.language})" if self.language not in (None, "und") else ""
        return f"{self.codec} {self.kind}{language}"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a clip in seconds, on the clip's own clock."""

    start: Fraction
    end: Fraction
    metadata: dict[str, str]


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """A clip's picture stream and what lies around it.

    Width, height and the sample's aspect ratio are those of the upright frame; `orientation` is
    what the file says (EXIF's numbers; 1: as stored). PTS are whole numbers of `time_base` seconds,
    `start` is the first picture's. `duration` is in seconds; it and `frames` are what the container
    says, None where it does not, and may be wrong.
    """

    path: Path
    width: int
    height: int
    orientation: int
    sample_aspect: Fraction
    time_base: Fraction
    average_rate: Fraction | None
    guessed_rate: Fraction | None
    start: int
    duration: Fraction | None
    frames: int | None
    codec: str
    pixel_format: str
    depth: int
    colours: ColourTags
    index: int
    tracks: tuple[Track, ...]
    chapters: tuple[Chapter, ...]
    metadata: dict[str, str]
    stream_metadata: dict[str, str]
    light_parameters: str = ""
    """HDR10's static metadata, in x265's words."""

    @property
    def rate(self) -> Fraction:
        """Frames for each second, as well as it is known."""
        return self.average_rate or self.guessed_rate or FALLBACK_RATE

    @property
    def deep(self) -> bool:
        """Whether there are more than 8 bits for each sample."""
        return self.depth > 8


def read_clip_facts(
    path: Path, container: InputContainer, stream: VideoStream, first: VideoFrame, start: int
) -> ClipFacts:
    """Return the facts of an open container; `first` is the stream's first picture, at `start`."""
    orientation = display_orientation(first)
    aspect = stream.sample_aspect_ratio or Fraction(1)
    width, height = first.width, first.height
    if orientation >= 5:
        width, height, aspect = height, width, 1 / aspect
    time_base = stream.time_base or 1 / FALLBACK_RATE
    return ClipFacts(
        path=path,
        width=width,
        height=height,
        orientation=orientation,
        sample_aspect=aspect,
        time_base=time_base,
        average_rate=stream.average_rate or None,
        guessed_rate=stream.guessed_rate or None,
        start=start,
        duration=_duration(container, stream, time_base),
        frames=stream.frames or None,
        codec=stream.codec_context.name,
        pixel_format=first.format.name,
        depth=max(component.bits for component in first.format.components),
        colours=ColourTags(
            first.color_range, first.colorspace, first.color_primaries, first.color_trc
        ),
        index=stream.index,
        tracks=tuple(
            Track(other.index, other.type, _codec_name(other), other.language)
            for other in container.streams
            if other.index != stream.index and not _names_chapters(container, other)
        ),
        chapters=tuple(
            Chapter(
                part["start"] * Fraction(part["time_base"] or 0),
                part["end"] * Fraction(part["time_base"] or 0),
                dict(part["metadata"]),
            )
            for part in container.chapters()
        ),
        metadata=dict(container.metadata),
        stream_metadata=dict(stream.metadata),
        light_parameters=light_parameters(first),
    )


def display_orientation(frame: VideoFrame) -> int:
    """Return the EXIF orientation of the frame's display matrix; 1 if it turns in another way."""
    kinds: Any = frame.side_data  # by type, which its stub does not know
    found = kinds.get(Type.DISPLAYMATRIX)
    if found is None:
        return 1
    try:
        a, b, _, c, d = struct.unpack("=5i", bytes(found)[:20])
    except struct.error:
        return 1
    largest = max(abs(a), abs(b), abs(c), abs(d))
    signs = tuple((n > 0) - (n < 0) if abs(n) * 2 > largest else 0 for n in (a, b, c, d))
    return ORIENTATIONS.get(signs, 1)


def _duration(
    container: InputContainer, stream: VideoStream, time_base: Fraction
) -> Fraction | None:
    """Return the pictures' duration in seconds, as the stream or the container says."""
    if stream.duration:
        return stream.duration * time_base
    return Fraction(container.duration, 1_000_000) if container.duration else None


def _names_chapters(container: InputContainer, stream: Any) -> bool:
    """Return whether this is MP4's stream of chapter titles, which are read as chapters."""
    return bool(stream.type == "data" and stream.name == "bin_data" and container.chapters())


def _codec_name(stream: Any) -> str:
    """Return what FFmpeg calls a stream's codec; "unknown" if it knows none."""
    context = getattr(stream, "codec_context", None)
    if context is not None:
        return str(context.name)
    return getattr(stream, "name", None) or "unknown"  # sound of an unknown kind has no name
