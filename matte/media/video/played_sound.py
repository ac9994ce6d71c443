"""The sound of a clip that plays a camera, for recordings that begin anywhere in it."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from av.container import OutputContainer
from av.error import ArgumentError, FFmpegError, InvalidDataError
from av.packet import Packet
from av.stream import Stream

from matte.media.video.container import discard_other_streams
from matte.media.video.facts import ClipFacts
from matte.media.video.tracks import TrackCopier

SEEK_LEAD_SECONDS = 2  # packets lie in the order of decoding: a little before their time


@dataclass(frozen=True, slots=True, eq=False)
class _PlayedPacket:
    """A packet of sound, and its time in seconds: after the clip's first frame, and recorded."""

    packet: "Packet[Stream]"
    in_clip: Fraction
    in_recording: Fraction


class PlayedSound(TrackCopier):
    """Copies a clip's sound from `begin` on, in seconds after its first frame, to the time 0.

    A clip that is played again and again counts on: then `begin` may be beyond its end. Sound is
    copied up to `end`, which is moved on with the pictures.
    """

    kinds = ("audio",)

    def __init__(
        self,
        facts: ClipFacts,
        output: OutputContainer,
        mux: Callable[["Packet[Any]"], None],
        begin: Fraction,
        loop_seconds: Callable[[], Fraction | None],
    ) -> None:
        """Open the clip; `loop_seconds` returns after how many it is played again, once known."""
        heard = tuple(track for track in facts.tracks if track.kind == "audio")
        super().__init__(replace(facts, tracks=heard), output, mux, 0, None)
        self.end = Fraction(0)
        """In seconds of the recording."""
        self._begin, self._loop_seconds = begin, loop_seconds
        self._clip_start = facts.start * facts.time_base
        self._loop_start = Fraction(0)
        self._has_sound = False
        self._packets_of_loop: Iterator[_PlayedPacket] = iter(())
        self._coming: _PlayedPacket | None = None

    def start_at(self, pts: int) -> int:
        """Begin with the first picture, which has the time 0; pictures don't move."""
        discard_other_streams(self._container, frozenset(self.outputs))
        length = self._loop_seconds()
        if length:
            self._loop_start = self._begin // length * length
        if self.outputs:
            self._begin_loop()
        return 0

    def copy_until(self, seconds: Fraction | None) -> None:
        """Copy the packets before this time; up to the `end` if it is None."""
        until = self.end if seconds is None else seconds
        while self._has_sound:
            coming, length = self._coming, self._loop_seconds()  # which may be known by now
            if coming is None:
                if length is None:
                    return
                self._loop_start += length
                self._begin_loop()
                continue
            if length is None or coming.in_clip < length:
                if coming.in_recording >= until:
                    return
                self._mux_at(coming.packet, coming.in_recording - coming.in_clip)
            self._coming = next(self._packets_of_loop, None)

    def _begin_loop(self) -> None:
        """Read the clip from its beginning, or from where the recording begins in it."""
        place = self._clip_start + max(Fraction(0), self._begin - self._loop_start)
        if place > SEEK_LEAD_SECONDS or self._loop_start > 0:
            with suppress(FFmpegError):  # what can't seek is read from where it is
                self._container.seek(int(max(Fraction(0), place - SEEK_LEAD_SECONDS) * 1_000_000))
        self._packets_of_loop = self._played_packets()
        self._coming = next(self._packets_of_loop, None)
        is_heard_whole = self._loop_start > self._begin
        self._has_sound = self._coming is not None or not is_heard_whole

    def _played_packets(self) -> "Iterator[_PlayedPacket]":
        """Yield the packets of the clip that belong into the recording."""
        streams = [self._container.streams[index] for index in self.outputs]
        for packet in self._readable_packets(streams):
            time = packet.pts if packet.pts is not None else packet.dts
            if time is None:
                continue  # says that a stream has ended
            in_clip = time * packet.time_base - self._clip_start
            in_recording = self._loop_start + in_clip - self._begin
            is_heard = in_recording >= 0 and in_clip >= 0
            if is_heard or self._begin == self._loop_start == 0:  # AAC begins before 0
                yield _PlayedPacket(packet, in_clip, in_recording)

    def _mux_at(self, packet: "Packet[Stream]", moved: Fraction) -> None:
        """Write a packet into the output, moved by so many seconds from its time in the clip."""
        shift = round((moved - self._clip_start) / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = None if packet.dts is None else packet.dts + shift
        packet.stream = self.outputs[packet.stream_index]
        try:
            self._mux(packet)
        except (InvalidDataError, ArgumentError):  # no times in order, or no frame of its codec
            self._warn_once()
