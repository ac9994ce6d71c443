"""The streams beside the pictures, copied packet by packet."""

import io
import warnings
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.error import ArgumentError, FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Stream

from matte.errors import MatteWarning
from matte.media.video.decoding import PATIENCE
from matte.media.video.facts import Facts
from matte.media.video.opening import demuxed, opened, read_only

KINDS = ("audio", "subtitle", "attachment")
NAMES = {"mp4": "MP4", "mov": "MOV", "matroska": "MKV", "webm": "WebM"}
NO_WORDS = b"\0\0"
# What players tell a file's own past by; it would be wrong in a copy.
STALE = ("DURATION", "ENCODER", "NUMBER_OF_", "BPS", "_STATISTICS", "ENCODED_BY")


class Tracks:
    """A clip's sound, subtitles and attachments on their way into another container.

    Packets that begin in the range are copied bit for bit; pictures of further video streams are
    not, for they show what the first may no longer show.
    """

    def __init__(
        self, facts: Facts, output: OutputContainer, start: float, end: float | None
    ) -> None:
        self._time_base, self._first = facts.time_base, facts.start
        self._from = Fraction(start) if start > 0 else None
        self._end = None if end is None else facts.start * facts.time_base + Fraction(end)
        self._shift = Fraction(0)
        self._path, self._damaged = facts.path, False
        self._output = output
        self._input = opened(facts.path)
        self._container: InputContainer = self._input.__enter__()
        self.outputs: dict[int, Any] = {}
        lost = {stream.index: self._refused(stream) for stream in self._container.streams}
        said = [f"{track} ({lost[track.index]})" for track in facts.tracks if lost[track.index]]
        if said:
            warnings.warn(f"left out: {', '.join(said)}", MatteWarning, stacklevel=4)
        self._packets: Iterator[Packet[Stream]] | None = None
        self._next: Packet[Stream] | None = None

    def begin(self, pts: int) -> int:
        """Fixes the range by the first picture's time; returns by how much pictures move."""
        moved = 0
        if self._from is not None:
            moved = pts - self._first
            self._shift = moved * self._time_base
            begin = pts * self._time_base
            # Packets lie in the order of decoding: a little before.
            back = max(Fraction(0), begin - 2)
            with suppress(FFmpegError):  # what can't seek is read from its beginning
                self._container.seek(int(back * 1_000_000))
            self._from = begin
        read_only(self._container, frozenset(self.outputs))
        self._packets = self._wanted()
        self._next = next(self._packets, None)
        return moved

    def until(self, seconds: Fraction | None) -> None:
        """Hands on the packets before this time; all that are left if there is none."""
        if self._packets is None:
            return
        while self._next is not None:
            packet = self._next
            time = packet.dts if packet.dts is not None else packet.pts
            if seconds is not None and (time or 0) * packet.time_base > seconds:
                return
            try:
                self._output.mux_one(packet)
            except (InvalidDataError, ArgumentError):  # no times in order, or no frame of its codec
                self._tell_damaged()
            self._next = next(self._packets, None)

    def _tell_damaged(self) -> None:
        if not self._damaged:
            text = f"{self._path} has damaged sound or subtitles: such parts are left out"
            warnings.warn(text, MatteWarning, stacklevel=5)
        self._damaged = True

    def close(self) -> None:
        """Closes the clip."""
        self._input.__exit__(None, None, None)

    def _wanted(self) -> Iterator["Packet[Stream]"]:
        chosen = [self._container.streams[index] for index in self.outputs]
        if not chosen:
            return
        for packet in self._readable(chosen):
            if packet.dts is None and packet.pts is None:
                continue  # says that a stream has ended
            if packet.size == 2 and bytes(packet) == NO_WORDS:
                continue  # between MP4's words; the muxer makes its own
            time = packet.pts if packet.pts is not None else packet.dts
            assert time is not None  # one of the two
            at = time * packet.time_base
            if (self._from is not None and at < self._from) or (
                self._end is not None and at >= self._end
            ):
                continue
            moved = round(self._shift / packet.time_base)
            if packet.pts is not None:
                packet.pts -= moved
            if packet.dts is not None:
                packet.dts -= moved
            packet.stream = self.outputs[packet.stream_index]
            yield packet

    def _readable(self, chosen: list[Stream]) -> "Iterator[Packet[Stream]]":
        failures, packets = 0, demuxed(self._container, *chosen)
        while failures < PATIENCE:
            try:
                yield next(packets)
                failures = 0
            except StopIteration:
                return
            except FFmpegError:  # another pass goes on behind what can't be read
                failures, packets = failures + 1, demuxed(self._container, *chosen)

    def _refused(self, stream: Stream) -> str:
        """Adds the stream to the output, or says why not."""
        if stream.type not in KINDS:
            return (
                "only the first pictures are written"
                if stream.type == "video"
                else "data of an unknown kind"
            )
        name = self._output.format.name
        if not _holds(name, stream):
            return f"{NAMES.get(name, name)} can't hold it"
        copy = self._output.add_stream_from_template(stream)
        copy.metadata.update(kept(stream.metadata))
        copy.disposition = stream.disposition
        self.outputs[stream.index] = copy
        return ""


def kept(metadata: dict[str, str]) -> dict[str, str]:
    """The metadata that stays true in a copy."""
    return {
        key: value
        for key, value in metadata.items()
        if not key.upper().startswith(STALE)
        and not key.lower().endswith(("_brand", "_brands"))
        and key.lower() != "minor_version"
    }


def _holds(name: str, stream: Stream) -> bool:
    """Whether a container of this format takes the stream: tried in memory."""
    try:
        with av.open(io.BytesIO(), "w", format=name) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True
