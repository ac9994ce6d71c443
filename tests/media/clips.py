"""Small video files, made by PyAV, and small questions about them."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matte.media.video.clip import Clip, Frame, open_clip
from matte.media.video.writer import ClipWriter

RATE = Fraction(24000, 1001)
BASE = Fraction(1, 24000)
STEP = 1001
CFR = tuple(range(0, 20 * STEP, STEP))
VFR = (0, 1001, 1501, 4004, 4005, 9000, 9100, 12012, 20020, 20521, 30030, 30031)


def still(at: int, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A smooth picture, RGB, that differs from frame to frame."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    red = 128 + 100 * np.sin(x / 20 + at / 3)
    green = 128 + 100 * np.cos(y / 15 + at / 5)
    blue = 40 + 170 * (x + y) / (height + width)
    return np.asarray(np.rint(np.stack([red, green, blue], -1)), np.uint8)


def clip(
    path: Path,
    times: Sequence[int] = CFR,
    *,
    base: Fraction = BASE,
    rate: Fraction = RATE,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (64, 48),
    sound: str | None = None,  # a layout such as "stereo"
    offset: Fraction = Fraction(0),  # of the sound
    degrees: int | None = None,
    flipped: bool = False,
    colours: tuple[int, int, int, int] = (1, 1, 1, 1),  # range, matrix, primaries, transfer
    aspect: Fraction | None = None,
    second: bool = False,
    text: bool = False,
    chapters: bool = False,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
    index_first: bool = False,  # in MP4
) -> Path:
    """Writes a clip whose n-th frame is `still(n)`, shown at the n-th of `times`."""
    clock = {}
    if path.suffix in (".mp4", ".mov"):
        clock = {"movie_timescale": "48000", "video_track_timescale": str(base.denominator)}
    if index_first:
        clock["movflags"] = "faststart"
    with av.open(str(path), "w", container_options=clock) as output:
        streams = [
            _pictures(output, base, rate, codec, pixel_format, size, options)
            for _ in range(1 + second)
        ]
        for stream in streams:
            _tag(stream.codec_context, colours)
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
        if degrees is not None or flipped:
            streams[0].set_display_rotation(degrees or 0, hflip=flipped)
        audio = _sound(output, sound) if sound else None
        words = _words(output, path) if text else None
        output.metadata.update(metadata or {})
        if chapters:
            output.set_chapters([_chapter(number) for number in range(2)])
        for at, time in enumerate(times):
            for stream in streams:
                frame = _frame(at, size, pixel_format, colours)
                frame.pts, frame.time_base = time, base
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
        if audio is not None:
            seconds = float((times[-1] - times[0]) * base) + 0.2
            for heard in _tone(audio, seconds, offset):
                output.mux(audio.encode(heard))
            output.mux(audio.encode(None))
        if words is not None:
            for number in range(2):
                output.mux(_subtitle(number, words, path))
    return path


def _words(output: OutputContainer, path: Path) -> Any:
    """A stream of subtitles."""
    stream = output.add_mux_stream("mov_text" if _is_mp4(path) else "subrip")
    stream.time_base = Fraction(1, 1000)
    return stream


def _subtitle(number: int, stream: Any, path: Path) -> "av.Packet[Any]":
    """Words that are shown for 0.2 seconds."""
    packet = av.Packet(_said(f"words {number}", path))
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = 100 + 300 * number
    packet.duration = 200
    return packet


def _chapter(number: int) -> Any:
    """A chapter of 0.3 seconds."""
    return {
        "id": number,
        "start": number * 300,
        "end": (number + 1) * 300,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": f"Part {number}"},
    }


def _frame(
    at: int, size: tuple[int, int], pixel_format: str, colours: tuple[int, int, int, int]
) -> VideoFrame:
    """The frame that shows `still(at)`, with its colours' tags."""
    width, height = size
    frame = VideoFrame.from_ndarray(still(at, height, width), format="rgb24").reformat(
        format=pixel_format,
        src_colorspace=_matrix(colours),
        dst_colorspace=_matrix(colours),
        src_color_range=2,
        dst_color_range=2 if colours[0] == 2 else 1,
    )
    _tag(frame, colours)
    return frame


def packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """Time and bytes of every packet of the first stream of this kind."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [
            (Fraction(packet.pts or 0) * packet.time_base, bytes(packet))
            for packet in container.demux(stream)
            if packet.size
        ]


def transparent(path: Path) -> list[NDArray[np.uint8]]:
    """The frames as RGBA, by the decoder that knows of alpha."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder: Any = stream.codec_context
        if decoder.name == "vp9":
            decoder = av.CodecContext.create("libvpx-vp9", "r")
        found = []
        for packet in container.demux(stream):
            for frame in decoder.decode(packet if packet.size else None):
                found.append(frame.reformat(format="rgba").to_ndarray())
        return found


def damaged(path: Path, at: int, to: Path, keep: int = 0) -> Path:
    """A copy of the clip in which the bytes of the picture packet `at` are noise."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = [packet for packet in container.demux(stream) if packet.size]
        place, length = found[at].pos, found[at].size
    assert place is not None
    keep, data = min(keep, length // 2), bytearray(path.read_bytes())
    noise = np.random.default_rng(1).integers(0, 256, length - keep, np.uint8).tobytes()
    data[place + keep : place + length] = noise
    to.write_bytes(data)
    return to


def names(folder: Path) -> list[str]:
    """The names of what lies in it, hidden or not."""
    return sorted(file.name for file in folder.iterdir())


def _pictures(
    output: OutputContainer,
    base: Fraction,
    rate: Fraction,
    codec: str,
    pixel_format: str,
    size: tuple[int, int],
    options: dict[str, str] | None,
) -> VideoStream:
    stream: Any = output.add_stream(codec, rate=rate, options=options or {"crf": "10"})
    stream.width, stream.height = size
    stream.pix_fmt = pixel_format
    stream.time_base = stream.codec_context.time_base = base
    return stream  # type: ignore[no-any-return]  # add_stream's overloads know no variable


def _sound(output: OutputContainer, layout: str) -> AudioStream:
    stream: Any = output.add_stream(
        "libopus" if output.name.endswith("webm") else "aac", rate=48000
    )
    stream.layout = layout
    return stream  # type: ignore[no-any-return]  # as above


def _tone(stream: AudioStream, seconds: float, offset: Fraction) -> list[AudioFrame]:
    found = []
    layout = stream.codec_context.layout
    for first in range(0, int(seconds * 48000), 960):
        wave = np.sin((np.arange(960) + first) * 0.06).astype(np.float32) * 0.3
        sound = np.repeat(wave[:, None], layout.nb_channels, 1).reshape(1, -1)
        frame = AudioFrame.from_ndarray(sound, format="flt", layout=layout.name)
        frame.sample_rate = 48000
        frame.pts, frame.time_base = first + int(offset * 48000), Fraction(1, 48000)
        found.append(frame)
    return found


def _said(text: str, path: Path) -> bytes:
    return (len(text).to_bytes(2, "big") if _is_mp4(path) else b"") + text.encode()


def _is_mp4(path: Path) -> bool:
    return path.suffix == ".mp4"


def _matrix(colours: tuple[int, int, int, int]) -> int:
    return {6: 5, 2: 5}.get(colours[1], colours[1])


def _tag(target: Any, colours: tuple[int, int, int, int]) -> None:
    target.color_range, target.colorspace, target.color_primaries, target.color_trc = colours


def mean_error(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The mean difference in levels of 8 bits, so that codecs' noise is not all that is seen."""
    scale = 257 if one.dtype == np.uint16 else 1
    return float(cv2.absdiff(one, other).mean()) / scale


def copied_clip(found: Clip, path: Path, **options: Any) -> Clip:
    """The clip, written as it is."""
    with ClipWriter(path, found.facts, **options) as writer:
        writer.copy_from(found)
        for frame in found.frames():
            assert isinstance(frame, Frame)
            writer.write(frame.pixels, frame.pts, frame.duration)
    assert writer.partial is None
    return open_clip(path)


def frame_times(found: Clip) -> list[Fraction]:
    """When each frame is shown, in seconds."""
    return [frame.pts * found.facts.time_base for frame in found.frames()]
