"""A video stream decoded: its pictures in the order in which they are shown, and missing ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matte.errors import PictureError
from matte.limits import MAX_UNREADABLE_PACKETS
from matte.media.video.container import (
    demux_packets,
    discard_other_streams,
    ffmpeg_error_text,
    open_container,
)

CODECS_WITH_HIDDEN_FRAMES = ("vp8", "vp9")  # some of their packets have no picture
MAX_DURATION_ERROR_SECONDS = 1  # by which containers may overrate their length
DAMAGED = "damaged"
ENDS_EARLY = "the file ends here, before its time"  # where no picture is missing for sure


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """A picture's time, and what could be decoded of it.

    `frame` is None where nothing could; `fault` says what is wrong, and is "" if nothing is.
    """

    pts: int
    frame: VideoFrame | None
    fault: str = ""


def decode_pictures(
    path: Path, index: int, start: int | None = None, gpu: int | None = None
) -> Iterator[DecodedPicture]:
    """Yield a stream's pictures, from the one shown at `start`, or an earlier one, on.

    `gpu` is the number of the one that decodes them; None: the processor does.
    """
    if start is None:
        yield from _DecodingPass(path, index, gpu=gpu).pictures()
        return
    back = 0
    while True:
        attempt = _DecodingPass(path, index, start - back, gpu=gpu)
        found = attempt.pictures()
        first = next(found, None)
        if attempt.from_beginning or (first is not None and first.pts <= start):
            break
        # Seeking is by the time of decoding, which may be behind.
        back = max(2 * back, int(1 / attempt.time_base))
    if first is not None:
        yield first
        yield from found


class _DecodingPass:
    """One pass over the file, from its beginning or from the key frame before a time."""

    def __init__(
        self,
        path: Path,
        index: int,
        start: int | None = None,
        threaded: bool = True,
        gpu: int | None = None,
    ) -> None:
        self.time_base = Fraction(1)
        self.from_beginning = start is None
        self._path, self._index, self._start = path, index, start
        self._threaded, self._gpu = threaded, gpu
        self._waiting: set[int] = set()  # times of packets whose pictures have not come
        self._reported: set[int] = set()  # of those reported as missing
        self._last: int | None = None
        self._fault = ""  # the last error that FFmpeg reported

    def pictures(self) -> Iterator[DecodedPicture]:
        """Yield this pass's pictures; a missing one has its time, but no frame."""
        with open_container(self._path, self._gpu) as container:
            stream = container.streams[self._index]
            assert isinstance(stream, VideoStream)  # open_clip chose it
            self.time_base = stream.time_base or Fraction(1)
            self._step = max(1, round(1 / ((stream.guessed_rate or 25) * self.time_base)))
            if self._threaded:
                stream.thread_type = "AUTO"
            else:
                stream.thread_count = 1
            self._seek(container, stream)
            yield from self._decode(container, stream)

    def _seek(self, container: InputContainer, stream: VideoStream) -> None:
        """Go to the key frame before the start, or note that the pass is from the beginning."""
        if self._start is None:
            return
        if stream.start_time is not None and self._start <= stream.start_time:
            self.from_beginning = True
            return
        try:
            container.seek(self._start, stream=stream)
        except FFmpegError:  # can't seek, and has not moved
            self.from_beginning = True

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[DecodedPicture]:
        """Yield what the packets hold, in the order of showing, and then what is missing."""
        failures, packets = 0, demux_packets(container)
        reached = Fraction(0)
        while failures < MAX_UNREADABLE_PACKETS:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except FFmpegError as error:  # another pass goes on behind what can't be read
                self._fault = ffmpeg_error_text(error)
                failures, packets = failures + 1, demux_packets(container)
                continue
            times = [time for time in (packet.pts, packet.dts) if time is not None]
            if times:  # of whatever stream: they tell how far the file goes
                reached = max(reached, (max(times) + (packet.duration or 0)) * packet.time_base)
            if packet.stream_index != self._index:
                continue
            if packet.pts is not None and not packet.is_discard:
                self._waiting.add(packet.pts)
            try:
                frames = stream.decode(packet)
            except FFmpegError as error:
                self._fault = ffmpeg_error_text(error)
                continue
            failures = 0
            for frame in frames:
                yield from self._fill_before(frame, stream)
        if self._waiting and self._threaded and (self._fault or not self._may_hide_frames(stream)):
            # An error at the end loses what other threads were decoding.
            yield from self._decode_rest_in_one_thread()
            return
        yield from self._missing_frames(stream, None)
        # Some containers count from 0, some from the start.
        duration = Fraction(container.duration or 0, 1_000_000)
        if failures or reached < duration - MAX_DURATION_ERROR_SECONDS:
            pts = 0 if self._last is None else self._last + self._step
            yield DecodedPicture(pts, None, ENDS_EARLY)

    def _fill_before(self, frame: VideoFrame, stream: VideoStream) -> Iterator[DecodedPicture]:
        """Yield the frame as a picture; before it, one without a frame for each missing time."""
        pts = frame.pts
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
        self._waiting.discard(pts)
        if pts in self._reported:  # too late
            return
        if frame.interlaced_frame and not self._fault:  # a field's packet has no picture
            self._waiting -= {time for time in self._waiting if time < pts}
        yield from self._missing_frames(stream, pts)
        self._last = pts
        yield DecodedPicture(pts, frame, DAMAGED if frame.is_corrupt else "")

    def _missing_frames(self, stream: VideoStream, before: int | None) -> Iterator[DecodedPicture]:
        """Yield a picture without a frame for each time missing before `before`, or at the end."""
        missing = sorted(time for time in self._waiting if before is None or time < before)
        self._waiting.difference_update(missing)
        # Without a fault, pictures before the first are those that no key frame leads to.
        report = self._fault or (self._last is not None and not self._may_hide_frames(stream))
        for time in missing:
            if report and (self._last is None or time > self._last):
                self._reported.add(time)
                yield DecodedPicture(time, None, self._fault or "nothing to decode")
        if missing and not self._waiting:
            self._fault = ""

    def _may_hide_frames(self, stream: VideoStream) -> bool:
        """Return whether the codec has packets without a picture, which are not missing."""
        return stream.codec_context.name in CODECS_WITH_HIDDEN_FRAMES

    def _decode_rest_in_one_thread(self) -> Iterator[DecodedPicture]:
        """Yield the pictures not yet yielded, decoded by one thread so that errors hit only one."""
        again = _DecodingPass(self._path, self._index, self._last, threaded=False)
        for picture in again.pictures():
            if self._last is None or picture.pts > self._last:
                yield picture


def first_decodable_frame(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[VideoFrame, int]:
    """Return the first frame that can be decoded, and the time at which the pictures begin.

    It is that frame's, unless damaged ones are before it. Raises PictureError if there is none.
    """
    discard_other_streams(container, frozenset({stream.index}))
    stream.thread_type = "AUTO"
    problem, times = "", []
    try:
        for packet in demux_packets(container, stream):
            if packet.pts is not None and not packet.is_discard:
                times.append(packet.pts)
            try:
                for frame in stream.decode(packet):
                    first = frame.pts or 0
                    return frame, min([first, *times]) if problem else first
            except FFmpegError as error:
                problem = ffmpeg_error_text(error)
    except FFmpegError as error:
        problem = ffmpeg_error_text(error)
    why = f" that can be decoded ({problem})" if problem else ""
    raise PictureError(f"{path} has no frames{why}", "give a whole video file")
