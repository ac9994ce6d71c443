"""The files that a video leaves behind: the composite, and its matte and foreground beside it."""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.clips.frames import VideoFrame
from matte.errors import MatteWarning, OutputError, SettingError
from matte.files import RESULT_SUFFIX, Output, check_names
from matte.imaging.bit_depth import quantise_alpha
from matte.media.video.animations import ANIMATIONS, AnimationWriter
from matte.media.video.clip import Clip
from matte.media.video.codecs import CODECS, FORMATS, default_codec
from matte.media.video.facts import ClipFacts
from matte.media.video.sequences import (
    SequenceWriter,
    first_file,
    is_sequence,
)
from matte.media.video.unfinished import FrameWriter, OutputBlock
from matte.media.video.writer import ClipWriter

EXACT = ("prores", "ffv1")  # codecs that are for editing, not for players: mattes get 16 bits
KEPT = (".m4v", ".mkv", ".mov")  # endings that a composite takes over


def default_output(source: Path, transparent: bool) -> Path:
    """Where a video's composite goes if nobody says: beside it, as NAME-matte.

    A cut-out is a .mov, which editors open; others end as the video does, so that all of its tracks
    find their place, or in .mp4.
    """
    suffix = source.suffix.lower()
    ending = ".mov" if transparent else suffix if suffix in KEPT else ".mp4"
    return source.with_name(f"{source.stem}{RESULT_SUFFIX}{ending}")


@dataclass(frozen=True, slots=True)
class Files:
    """What is written of a video: clips, GIFs, animated WebPs, or numbered PNGs by a folder or a
    pattern, each as its name says. None where it is not wanted.
    """

    composite: Path | None
    alpha: Path | None = None
    foreground: Path | None = None
    transparent: bool = False
    """Whether the composite has an alpha channel."""
    codec: str | None = None
    """The composite's, and that of the others where their endings take it; None: by the ending."""
    crf: int | None = None
    """The composite's quality; the others have what is good for them."""
    bitrate: int | None = None
    """The composite's, in bits for each second."""
    overwrite: bool = False

    def paths(self) -> Iterator[Path]:
        """All that are wanted."""
        for path in (self.composite, self.alpha, self.foreground):
            if path is not None:
                yield path

    def within(self, folder: Path) -> "Files":
        """The same, in a folder that is empty."""
        composite, alpha, foreground = (
            None if path is None else folder / f"{number}-{path.name}"
            for number, path in enumerate((self.composite, self.alpha, self.foreground))
        )
        return replace(self, composite=composite, alpha=alpha, foreground=foreground)

    def check(self, sources: Iterable[Path]) -> None:
        """Raises unless every name says what to write, none is a source, and none comes twice."""
        names: list[Output] = []
        for path in self.paths():
            if is_sequence(path):
                names.append((first_file(path), (".png",)))
            elif path.suffix.lower() == ".png":
                remedy = f"number them: {path.stem}%05d.png"
                raise OutputError(f"{path.name} is one picture, a video has many", remedy)
            else:
                names.append((path, (*FORMATS, *ANIMATIONS)))
        check_names(names, sources)


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """A writer, what it gets of a frame, and whether it brings times to the range by itself."""

    writer: FrameWriter
    pixels: Callable[[VideoFrame], NDArray[Any]]
    moves: bool = False


class Passes(OutputBlock):
    """Writes a video's files together, within a `with` block.

    What can't be written is said before the first frame, and then nothing is made. All files are
    whole before the first gets its name: then they are `written`. If the block is left by an
    exception, or one of them can't be ended, what was done is kept aside, as `partial`.
    """

    def __init__(
        self,
        files: Files,
        clip: Clip,
        sources: Iterable[Path] = (),
        start: float = 0,
        end: float | None = None,
    ) -> None:
        """Of the clip's frames from `start` to `end`; `sources` are other files that are read.

        Sound, subtitles, chapters and metadata go with the composite.
        """
        files.check([clip.path, *sources])
        self.written: list[Path] = []
        self.partial: list[Path] = []
        self._first = clip.facts.start
        self._moved = None if start > 0 else 0
        self._passes: list[_Pass] = []
        with ExitStack() as unfinished:
            unfinished.callback(self.close)
            self._open_composite(files, clip, start, end)
            self._open_others(files, clip.facts)
            unfinished.pop_all()

    def write(self, frame: VideoFrame) -> None:
        """Adds a frame to each of them."""
        if self._moved is None:
            self._moved = frame.pts - self._first
        for each in self._passes:
            pts = frame.pts if each.moves else frame.pts - self._moved
            each.writer.write(each.pixels(frame), pts, frame.duration)

    def finish(self) -> None:
        """Ends all files."""
        for each in self._passes:
            each.writer.finish()

    def publish(self) -> None:
        """Gives all of them their names."""
        for each in self._passes:
            each.writer.publish()
            self.written.append(each.writer.path)

    def keep_partial(self) -> None:
        """Keeps aside what has no name yet."""
        for each in self._passes:
            each.writer.keep_partial()
            if each.writer.partial is not None:
                self.partial.append(each.writer.partial)

    def close(self) -> None:
        """Lets everything go; what is neither placed nor kept is removed."""
        with ExitStack() as every:
            for each in self._passes:
                every.callback(each.writer.close)

    def _open_composite(self, files: Files, clip: Clip, start: float, end: float | None) -> None:
        if files.composite is None:
            return
        channels = 4 if files.transparent else 3
        writer = _writer(
            files.composite, clip.facts, channels, files, files.codec, files.crf, files.bitrate
        )
        takes_along = isinstance(writer, ClipWriter)
        self._passes.append(_Pass(writer, lambda frame: frame.composite, takes_along))
        if isinstance(writer, ClipWriter):
            writer.copy_from(clip, start, end)
        elif sounds := [track for track in clip.facts.tracks if track.kind == "audio"]:
            text = f"left out: {sounds[0]} ({files.composite.name} can't hold sound)"
            warnings.warn(text, MatteWarning, stacklevel=4)

    def _open_others(self, files: Files, facts: ClipFacts) -> None:
        if files.alpha is not None:
            codec = _fitting(files.codec, files.alpha)
            dtype = np.uint16 if _is_exact(files.alpha, codec) else np.uint8
            writer = _writer(files.alpha, facts, 1, files, codec, deep=dtype == np.uint16)
            self._passes.append(_Pass(writer, lambda frame: quantise_alpha(frame.alpha, dtype)))
        if files.foreground is not None:
            codec = _fitting(files.codec, files.foreground)
            writer = _writer(files.foreground, facts, 3, files, codec)
            self._passes.append(_Pass(writer, lambda frame: frame.foreground))


def _writer(
    path: Path,
    facts: ClipFacts,
    channels: int,
    files: Files,
    codec: str | None,
    crf: int | None = None,
    bitrate: int | None = None,
    deep: bool | None = None,
) -> FrameWriter:
    """What writes a file of this name."""
    if not is_sequence(path) and path.suffix.lower() in FORMATS:
        return ClipWriter(
            path,
            facts,
            channels=channels,
            deep=deep,
            codec=codec,
            crf=crf,
            bitrate=bitrate,
            overwrite=files.overwrite,
        )
    if codec is not None or crf is not None or bitrate is not None:
        cause = f"{path.name} has neither codec nor quality to choose"
        raise SettingError(cause, "leave --codec, --crf and --bitrate out, or name a clip")
    writer = SequenceWriter if is_sequence(path) else AnimationWriter
    return writer(path, facts, overwrite=files.overwrite)


def _fitting(codec: str | None, path: Path) -> str | None:
    """The codec that was asked for, if a file that ends so can have it."""
    if codec is None or codec not in CODECS:
        return None
    return codec if path.suffix.lower() in CODECS[codec].endings else None


def _is_exact(path: Path, codec: str | None) -> bool:
    """Whether a matte there keeps more than the 8 bits that everything plays."""
    if is_sequence(path):
        return True
    suffix = path.suffix.lower()
    return suffix in FORMATS and (codec or default_codec(suffix, "grey")) in EXACT
