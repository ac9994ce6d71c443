"""What is shown, written to files while it is shown."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from matte.arrays import Image
from matte.errors import OutputError
from matte.media.video.facts import ClipFacts
from matte.media.video.writer import ClipWriter

TICK = Fraction(1, 90_000)  # seconds; the clock of MPEG


class Recorder:
    """Writes one file after another: pictures as they come, each until the next.

    `like` is what is known of the camera. Files are named after `path`: it itself, or with numbers.
    """

    def __init__(self, like: ClipFacts, path: Path) -> None:
        self.path = path
        self._like = replace(
            like,
            time_base=TICK,
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
    def writing(self) -> Path | None:
        """The file that is being written, if one is."""
        return None if self._writer is None else self._writer.path

    def start(self, path: Path | None = None, overwrite: bool = False) -> None:
        """Begins a file: the next with a number, unless one is given."""
        self._writer = ClipWriter(path or free(self.path), self._like, overwrite=overwrite)
        self._began = self._held = None

    def write(self, picture: Image, seconds: Fraction) -> None:
        """Adds a picture, RGB, shown from `seconds` on; of no use while no file is written."""
        if self._writer is None:
            return
        self._began = seconds if self._began is None else self._began
        pts = round((seconds - self._began) / TICK)
        if self._held is not None:
            pts = max(pts, self._held[1] + 1)
            self._put(pts - self._held[1])
        self._held = picture, pts

    def stop(self) -> Path | None:
        """Ends the file and returns its name; None if none has pictures.

        What the camera gave is whole, however it ended.
        """
        if self._writer is None:
            return None
        if self._held is not None:
            self._put(max(1, round(1 / (self._like.rate * TICK))))
        writer, self._writer = self._writer, None
        if self._held is None:
            writer.close()
            return None
        with writer:  # whose end finishes the file
            return writer.path

    def _put(self, duration: int) -> None:
        """Writes the picture that is held; if it can't be, what was written is kept aside."""
        assert self._writer is not None
        assert self._held is not None
        try:
            self._writer.write(*self._held, duration)
        except OutputError as error:
            writer, self._writer = self._writer, None
            writer.keep_partial()
            writer.close()
            partial = writer.partial
            if partial is not None:
                cause = f"{error.cause}; what was done is {partial}"
                raise OutputError(cause, error.remedy) from error
            raise


def free(path: Path, suffix: str = "") -> Path:
    """The first of NAME-1.EXT, NAME-2.EXT, … that is not there; `suffix` takes EXT's place."""
    number = 1
    while True:
        found = path.with_name(f"{path.stem}-{number}{suffix or path.suffix}")
        if not (found.exists() or found.is_symlink()):
            return found
        number += 1
