"""The files that a video becomes: their names and kinds, checked before the work begins."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matte.configs.amounts import parse_bitrate
from matte.errors import OutputError
from matte.files import RESULT_SUFFIX, STREAM, Output, check_names, check_output
from matte.media.video.animations import ANIMATIONS
from matte.media.video.codecs import FORMATS
from matte.media.video.sequences import PICTURE_ENDINGS, first_picture_path, is_sequence

COMPOSITE_ENDINGS = (".m4v", ".mkv", ".mov")  # that a composite may have as its source does


def default_output(source: Path, transparent: bool) -> Path:
    """Return where a video's composite goes if no file is named: beside it, as NAME-matte.

    A cut-out is a .mov, which editors open; others end as the video does, so that all of its tracks
    find their place, or in .mp4.
    """
    suffix = source.suffix.lower()
    ending = ".mov" if transparent else suffix if suffix in COMPOSITE_ENDINGS else ".mp4"
    return source.with_name(f"{source.stem}{RESULT_SUFFIX}{ending}")


@dataclass(frozen=True, slots=True)
class VideoFiles:
    """What is written of a video: clips, GIFs, animated WebPs, numbered PNGs or OpenEXR files.

    The name of each says which: a folder or a pattern such as name%05d.png stands for PNGs,
    name%05d.exr for OpenEXR. None where it is not wanted.
    """

    composite: Path | None
    alpha: Path | None = None
    foreground: Path | None = None
    transparent: bool = False
    """Whether the composite has an alpha channel."""
    codec: str | None = None
    """Of the composite, and of the others where their endings allow it; None: by the ending."""
    crf: int | None = None
    """The composite's quality; the other files have their codecs' defaults."""
    bitrate: int | None = None
    """The composite's, in bits for each second."""
    overwrite: bool = False
    report: Path | None = None
    """What was done, in JSON; it is written with the others."""
    review: Path | None = None
    """A sheet of the moments in which following a subject was doubtful, written with them, too."""

    def paths(self) -> Iterator[Path]:
        """Yield the files that frames are written to, as they are wanted."""
        for path in (self.composite, self.alpha, self.foreground):
            if path is not None:
                yield path

    def in_folder(self, folder: Path) -> "VideoFiles":
        """Return the same files in another, empty folder, without report and review."""
        composite, alpha, foreground = (
            None if path is None else folder / f"{number}-{path.name}"
            for number, path in enumerate((self.composite, self.alpha, self.foreground))
        )
        return replace(
            self,
            composite=composite,
            alpha=alpha,
            foreground=foreground,
            report=None,
            review=None,
        )

    def check(self, sources: Iterable[Path]) -> None:
        """Raise OutputError unless every name says what to write, and is none of the sources'.

        No name may come twice.
        """
        names: list[Output] = []
        for path in self.paths():
            if path == STREAM:
                raise OutputError("a video can't go to standard output", "name a file")
            if is_sequence(path):
                names.append((first_picture_path(path), PICTURE_ENDINGS))
            elif path.suffix.lower() in PICTURE_ENDINGS:
                remedy = f"number them: {path.stem}%05d{path.suffix}"
                raise OutputError(f"{path.name} is one picture, a video has many", remedy)
            else:
                names.append((path, (*FORMATS, *ANIMATIONS)))
        aside = [(each, "json") for each in (self.report,) if each is not None]
        aside += [(each, "png") for each in (self.review,) if each is not None]
        names += [(each, (f".{ending}",)) for each, ending in aside]
        check_names(names, sources)
        for each, _ in aside:
            check_output(each, self.overwrite)


def files_from_options(source: Path, transparent: bool, options: Mapping[str, Any]) -> VideoFiles:
    """Return the files that options of `matte video` ask for; the options are by their names."""
    output, bitrate = options.get("output"), options.get("bitrate")
    others = {
        name: Path(options[name])
        for name in ("alpha", "foreground", "report", "review")
        if options.get(name) is not None
    }
    return VideoFiles(
        Path(output) if output else default_output(source, transparent),
        transparent=transparent,
        codec=options.get("codec"),
        crf=options.get("crf"),
        bitrate=None if bitrate is None else parse_bitrate(bitrate),
        overwrite=options.get("overwrite", False),
        **others,
    )
