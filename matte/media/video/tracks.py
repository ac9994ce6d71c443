"""The streams beside the pictures, copied packet by packet."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.error import ArgumentError, FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Stream

from matte.errors import MatteWarning
from matte.limits import MAX_UNREADABLE_PACKETS
from matte.media.video.container import demux_packets, discard_other_streams, open_container
from matte.media.video.facts import ClipFacts

COPIED_KINDS = ("audio", "subtitle", "attachment")
CONTAINER_NAMES = {"mp4": "MP4", "mov": "MOV", "matroska": "MKV", "webm": "WebM"}
EMPTY_SUBTITLE = b"\0\0"
# Beginnings of metadata about how the file was made, which would be wrong in a copy.
STALE_METADATA = ("DURATION", "ENCODER", "NUMBER_OF_", "BPS", "_STATISTICS", "ENCODED_BY")


class TrackCopier:
    """Copies a clip's sound, subtitles and attachments into another container.

    Packets that begin in the range are copied bit for bit; pictures of further video streams are
    not, for they show what the first may no longer show.
    """

    kinds: tuple[str, ...] = COPIED_KINDS

    def __init__(
        self,
        facts: ClipFacts,
        output: OutputContainer,
        mux: Callable[["Packet[Any]"], None],
        start: float,
        end: float | None,
    ) -> None:
        """Open the clip; `mux` writes a packet into the output."""
        self._time_base, self._first = facts.time_base, facts.start
        self._from = Fraction(start) if start > 0 else None
        self._end = None if end is None else facts.start * facts.time_base + Fraction(end)
        self._shift = Fraction(0)
        self._path, self._damaged = facts.path, False
        self._output, self._mux = output, mux
        self._input = open_container(facts.path)
        self._container: InputContainer = self._input.__enter__()
        self.outputs: dict[int, Any] = {}
        problems = {each.index: self._add_output(each) for each in self._container.streams}
        left_out = [
            f"{track} ({problems[track.index]})" for track in facts.tracks if problems[track.index]
        ]
        if left_out:
            warnings.warn(f"left out: {', '.join(left_out)}", MatteWarning, stacklevel=4)
        self._packets: Iterator[Packet[Stream]] | None = None
        self._next: Packet[Stream] | None = None

    def start_at(self, pts: int) -> int:
        """Begin at the first picture's time; return by how much pictures move, in the time base."""
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
        discard_other_streams(self._container, frozenset(self.outputs))
        self._packets = self._packets_in_range()
        self._next = next(self._packets, None)
        return moved

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy the packets before this time; all remaining ones if it is None."""
        if self._packets is None:
            return
        while self._next is not None:
            packet = self._next
            time = packet.dts if packet.dts is not None else packet.pts
            if seconds is not None and (time or 0) * packet.time_base > seconds:
                return
            try:
                self._mux(packet)
            except (InvalidDataError, ArgumentError):  # no times in order, or no frame of its codec
                self._warn_once()
            self._next = next(self._packets, None)

    def _warn_once(self) -> None:
        """Warn of packets that can't be copied, the first time."""
        if not self._damaged:
            text = f"{self._path} has damaged sound or subtitles: such parts are left out"
            warnings.warn(text, MatteWarning, stacklevel=5)
        self._damaged = True

    def close(self) -> None:
        """Close the source clip."""
        self._input.__exit__(None, None, None)

    def _packets_in_range(self) -> Iterator["Packet[Stream]"]:
        """Yield the packets that begin in the range, moved to their output's times."""
        streams = [self._container.streams[index] for index in self.outputs]
        if not streams:
            return
        for packet in self._readable_packets(streams):
            if packet.dts is None and packet.pts is None:
                continue  # says that a stream has ended
            if packet.size == 2 and bytes(packet) == EMPTY_SUBTITLE:
                continue  # between MP4's subtitles; the muxer makes its own
            time = packet.pts if packet.pts is not None else packet.dts
            assert time is not None  # one of the two
            seconds = time * packet.time_base
            if (self._from is not None and seconds < self._from) or (
                self._end is not None and seconds >= self._end
            ):
                continue
            moved = round(self._shift / packet.time_base)
            if packet.pts is not None:
                packet.pts -= moved
            if packet.dts is not None:
                packet.dts -= moved
            packet.stream = self.outputs[packet.stream_index]
            yield packet

    def _readable_packets(self, streams: list[Stream]) -> "Iterator[Packet[Stream]]":
        """Yield the streams' packets, going on behind those that can't be read."""
        failures, packets = 0, demux_packets(self._container, *streams)
        while failures < MAX_UNREADABLE_PACKETS:
            try:
                yield next(packets)
                failures = 0
            except StopIteration:
                return
            except FFmpegError:  # another pass goes on behind what can't be read
                failures, packets = failures + 1, demux_packets(self._container, *streams)

    def _add_output(self, stream: Stream) -> str:
        """Add the stream to the output; return "", or why it can't be added."""
        if stream.type not in self.kinds:
            return (
                "only the first pictures are written"
                if stream.type == "video"
                else "data of an unknown kind"
            )
        name = self._output.format.name
        if not _can_hold(name, stream):
            return f"{CONTAINER_NAMES.get(name, name)} can't hold it"
        copy = self._output.add_stream_from_template(stream)
        copy.metadata.update(lasting_metadata(stream.metadata))
        copy.disposition = stream.disposition
        self.outputs[stream.index] = copy
        return ""


def lasting_metadata(metadata: dict[str, str]) -> dict[str, str]:
    """Return the metadata that stays true in a copy."""
    return {
        key: value
        for key, value in metadata.items()
        if not key.upper().startswith(STALE_METADATA)
        and not key.lower().endswith(("_brand", "_brands"))
        and key.lower() != "minor_version"
    }


def _can_hold(name: str, stream: Stream) -> bool:
    """Return whether a container of this format takes the stream: it is tried in memory."""
    try:
        with av.open(io.BytesIO(), "w", format=name) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (FFmpegError, ValueError):
        return False
    return True
