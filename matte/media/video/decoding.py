"""A stream's pictures in the order in which they are shown, and the gaps between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matte.errors import PictureError
from matte.media.video.opening import demuxed, fault, opened, read_only

PATIENCE = 64  # packets in a row that can't be read before the rest is given up
HIDING = ("vp8", "vp9")  # have packets without a picture
SLACK = 1  # seconds by which containers may overrate their length
DAMAGED = "damaged"
ENDS_EARLY = "the file ends here, before its time"  # where no picture is missing for sure


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's time, and what could be decoded of it.

    `frame` is None where nothing could; `fault` says what is wrong, and is "" if nothing is.
    """

    pts: int
    frame: VideoFrame | None
    fault: str = ""


def pictures(path: Path, index: int, start: int | None = None) -> Iterator[Picture]:
    """The stream's pictures; from the one shown at `start` or an earlier one, if it is given."""
    if start is None:
        yield from _Run(path, index).pictures()
        return
    back = 0
    while True:
        run = _Run(path, index, start - back)
        found = run.pictures()
        first = next(found, None)
        if run.from_beginning or (first is not None and first.pts <= start):
            break
        # Seeking is by the time of decoding, which may be behind.
        back = max(2 * back, int(1 / run.time_base))
    if first is not None:
        yield first
        yield from found


class _Run:
    """One pass over the file, from its beginning or from the key frame before a time."""

    def __init__(
        self, path: Path, index: int, start: int | None = None, threaded: bool = True
    ) -> None:
        self.time_base = Fraction(1)
        self.from_beginning = start is None
        self._path, self._index, self._start = path, index, start
        self._threaded = threaded
        self._waiting: set[int] = set()  # times of packets whose pictures have not come
        self._gone: set[int] = set()  # of those that were said to be missing
        self._last: int | None = None
        self._fault = ""  # what went wrong last

    def pictures(self) -> Iterator[Picture]:
        with opened(self._path) as container:
            stream = container.streams[self._index]
            assert isinstance(stream, VideoStream)  # open_clip chose it
            self.time_base = stream.time_base or Fraction(1)
            self._step = max(1, round(1 / ((stream.guessed_rate or 25) * self.time_base)))
            if self._threaded:
                stream.thread_type = "AUTO"
            else:
                stream.thread_count = 1
            self._seek(container, stream)
            yield from self._decoded(container, stream)

    def _seek(self, container: InputContainer, stream: VideoStream) -> None:
        if self._start is None:
            return
        if stream.start_time is not None and self._start <= stream.start_time:
            self.from_beginning = True
            return
        try:
            container.seek(self._start, stream=stream)
        except FFmpegError:  # can't seek, and has not moved
            self.from_beginning = True

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[Picture]:
        failures, packets = 0, demuxed(container)
        reached = Fraction(0)
        while failures < PATIENCE:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except FFmpegError as error:  # another pass goes on behind what can't be read
                self._fault = fault(error)
                failures, packets = failures + 1, demuxed(container)
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
                self._fault = fault(error)
                continue
            failures = 0
            for frame in frames:
                yield from self._shown(frame, stream)
        if self._waiting and self._threaded and (self._fault or not self._hides(stream)):
            yield from self._once_more()  # an error at the end takes what other threads held along
            return
        yield from self._missing(stream, None)
        told = Fraction(
            container.duration or 0, 1_000_000
        )  # some count from 0, some from the start
        if failures or reached < told - SLACK:
            pts = 0 if self._last is None else self._last + self._step
            yield Picture(pts, None, ENDS_EARLY)

    def _shown(self, frame: VideoFrame, stream: VideoStream) -> Iterator[Picture]:
        """The picture, behind those before it that should have come and have not."""
        pts = frame.pts
        if pts is None:
            pts = 0 if self._last is None else self._last + self._step
        self._waiting.discard(pts)
        if pts in self._gone:  # too late
            return
        if frame.interlaced_frame and not self._fault:  # a field's packet has no picture
            self._waiting -= {time for time in self._waiting if time < pts}
        yield from self._missing(stream, pts)
        self._last = pts
        yield Picture(pts, frame, DAMAGED if frame.is_corrupt else "")

    def _missing(self, stream: VideoStream, before: int | None) -> Iterator[Picture]:
        gone = sorted(time for time in self._waiting if before is None or time < before)
        self._waiting.difference_update(gone)
        # Without a fault, pictures before the first are those that no key frame leads to.
        said = self._fault or (self._last is not None and not self._hides(stream))
        for time in gone:
            if said and (self._last is None or time > self._last):
                self._gone.add(time)
                yield Picture(time, None, self._fault or "nothing to decode")
        if gone and not self._waiting:
            self._fault = ""

    def _hides(self, stream: VideoStream) -> bool:
        return stream.codec_context.name in HIDING

    def _once_more(self) -> Iterator[Picture]:
        """The pictures behind the last, decoded by one thread, which keeps errors apart."""
        again = _Run(self._path, self._index, self._last, threaded=False)
        for picture in again.pictures():
            if self._last is None or picture.pts > self._last:
                yield picture


def first_picture(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[VideoFrame, int]:
    """The first frame that can be decoded, and the time at which the pictures begin.

    It is that frame's, unless damaged ones are before it. Raises PictureError if there is none.
    """
    read_only(container, frozenset({stream.index}))
    stream.thread_type = "AUTO"
    said, times = "", []
    try:
        for packet in demuxed(container, stream):
            if packet.pts is not None and not packet.is_discard:
                times.append(packet.pts)
            try:
                for frame in stream.decode(packet):
                    first = frame.pts or 0
                    return frame, min([first, *times]) if said else first
            except FFmpegError as error:
                said = fault(error)
    except FFmpegError as error:
        said = fault(error)
    why = f" that can be decoded ({said})" if said else ""
    raise PictureError(f"{path} has no frames{why}", "give a whole video file")
