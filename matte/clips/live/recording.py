"""Recordings of a live picture: files written while it is shown."""

import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matte.arrays import Image
from matte.errors import OutputError
from matte.interrupts import held_interrupts
from matte.media.video.camera import ClipCamera
from matte.media.video.facts import ClipFacts
from matte.media.video.played_sound import PlayedSound
from matte.media.video.writer import ClipWriter

TICK_SECONDS = Fraction(1, 90_000)  # the clock of MPEG


class Recorder:
    """Records pictures as they come, each shown until the next, into one file after another.

    Files have numbers after the name of `path`, unless start() names one.
    """

    def __init__(self, camera: ClipFacts, path: Path, played: ClipCamera | None = None) -> None:
        """Prepare recordings of pictures that have the size and rate of the `camera`.

        They have the sound of the clip that is `played` in its place, if one is.
        """
        self.path = path
        self._played = played
        self._sound: PlayedSound | None = None
        self._facts = replace(
            camera,
            time_base=TICK_SECONDS,
            start=0,
            orientation=1,
            depth=8,
            tracks=(),
            chapters=(),
            metadata={},
            stream_metadata={},
        )
        self._writer: ClipWriter | None = None
        self._began: Fraction | None = None
        self._held: tuple[Image, int] | None = None

    @property
    def open_path(self) -> Path | None:
        """The file that is being written, if one is."""
        return None if self._writer is None else self._writer.path

    def start(self, path: Path | None = None, overwrite: bool = False) -> None:
        """Begin a recording: in the next free file with a number, unless a `path` is named."""
        path = path or next_free_path(self.path)
        self._writer = ClipWriter(path, self._facts, overwrite=overwrite)
        self._began = self._held = self._sound = None

    def write(self, picture: Image, seconds: Fraction) -> None:
        """Add a picture, RGB, shown from `seconds` on; it is ignored while nothing is recorded."""
        if self._writer is None:
            return
        if self._began is None:
            self._began = seconds
            if self._played is not None:
                played = self._played
                self._sound = self._writer.copy_sound(
                    played.facts, seconds, lambda: played.loop_seconds
                )
        pts = round((seconds - self._began) / TICK_SECONDS)
        if self._held is not None:
            pts = max(pts, self._held[1] + 1)
            self._write_held(pts - self._held[1])
        self._held = picture, pts

    def stop(self) -> Path | None:
        """Finish the recording and return its file; None if there is none, or it has no pictures.

        The file is complete even if the camera failed.
        """
        if self._writer is None:
            return None
        with held_interrupts():
            if self._held is not None:
                self._write_held(max(1, round(1 / (self._facts.rate * TICK_SECONDS))))
            writer, self._writer = self._writer, None
            if self._held is None:
                writer.close()
                return None
            try:
                with writer:  # whose end finishes the file
                    return writer.path
            except OutputError as error:
                raise _with_partial(error, writer) from error

    def _write_held(self, duration: int) -> None:
        """Write the held picture; if that fails, keep what was written as a .partial file."""
        assert self._writer is not None
        assert self._held is not None
        if self._sound is not None:
            self._sound.end = (self._held[1] + duration) * TICK_SECONDS
        try:
            self._writer.write(*self._held, duration)
        except OutputError as error:
            writer, self._writer = self._writer, None
            writer.keep_partial()
            writer.close()
            raise _with_partial(error, writer) from error


def _with_partial(error: OutputError, writer: ClipWriter) -> OutputError:
    """Return the error that stopped a recording, and what was kept of that."""
    if writer.partial is None:
        return error
    kept = f"{writer.partial_frames} frames are kept in {writer.partial}"
    return OutputError(f"{error.cause}; {kept}", error.remedy)


def next_free_path(path: Path, suffix: str = "") -> Path:
    """Return the first of NAME-1.EXT, NAME-2.EXT, … that is not there yet.

    `suffix`, if there is one, takes EXT's place.
    """
    number = 1
    while True:
        found = path.with_name(f"{path.stem}-{number}{suffix or path.suffix}")
        if not os.path.lexists(found):
            return found
        number += 1
