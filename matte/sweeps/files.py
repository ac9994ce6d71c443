"""What sweeps of one or more pictures leave behind: a sheet, single files, numbers."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.configs.settings import Config, TrimapSettings
from matte.errors import MatteError, OutputError, SettingError
from matte.files import check_output, check_outputs, make_folder, write_file
from matte.media.encoding import WRITABLE, encode, encode_alpha
from matte.media.pictures import read_photo
from matte.pipeline.build import build_two_stage, max_pixels, memory_budget
from matte.pipeline.line import Networks
from matte.sweeps.run import Progress, Sweep, sweep
from matte.sweeps.scores import SettingScore, SweepChoice, choose_setting
from matte.sweeps.sheet import ComposerFor, Section, composites, draw_sheet, show

PARTS = ("trimap", "alpha", "composite")
ENDING = ".png"


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """What is kept of a picture's sweep: no pictures, but their files; or the error."""

    file: Path
    size: tuple[int, int] = (0, 0)
    """Width and height."""
    segment_ms: float = 0
    subject: bool = False
    scores: tuple[SettingScore, ...] = ()
    choice: SweepChoice | None = None
    written: tuple[Path, ...] = ()
    error: MatteError | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything that was measured, in plain values."""
        told: dict[str, Any] = {"image": str(self.file)}
        if self.choice is None:
            return {**told, "error": str(self.error)}
        told |= {"width": self.size[0], "height": self.size[1], "subject": self.subject}
        told |= {"segment_ms": self.segment_ms, **choice_as_json(self.choice, self.scores)}
        told["settings"] = [score.as_json() for score in self.scores]
        return {**told, "written": [str(path) for path in self.written]}


class SweepSheet:
    """Pictures swept alike onto one sheet. Whatever is wrong with the request as a whole is raised
    before the first of them is read.
    """

    def __init__(
        self,
        files: Sequence[Path],
        bands: Sequence[TrimapSettings],
        config: Config,
        composer_for: ComposerFor,
        target: Path,
        folder: Path | None = None,
        overwrite: bool = False,
        *,
        backgrounds: Sequence[Path] = (),
    ) -> None:
        """`composer_for` a photo puts its subject on the background read from `backgrounds`.

        `target` is the sheet's file; `folder` takes the single files, and is made if need be.
        """
        self._target, self._folder, self._overwrite = target, folder, overwrite
        self._bands, self._max_pixels = bands, max_pixels(config)
        self._memory = memory_budget(config)
        if len(set(files)) < len(files):
            raise SettingError("a picture is named twice", "name each IMAGE once")
        self._singles = {
            file: single_files(folder, file.stem, bands) if folder else [] for file in files
        }
        self._check([*files, *backgrounds])
        self._composer_for = composer_for
        self._line = build_two_stage(config)
        self._sections: list[Section] = []
        self._scores: list[tuple[SettingScore, ...]] = []

    def run(self, watch: Progress | None = None) -> Iterator[Swept]:
        """What became of each picture, in their order; one that fails stops no other.

        `watch` is told how many settings are done, of all pictures.
        """
        for place, (file, singles) in enumerate(self._singles.items()):
            try:
                yield self._swept(file, singles, self._part(place, watch))
            except MatteError as error:
                yield Swept(file, error=error)

    @property
    def networks(self) -> Networks:
        """The networks that run, for reports."""
        return self._line.networks

    def write(self) -> Path | None:
        """Writes the sheet of the pictures that were run; None if there is none."""
        if not self._sections:
            return None
        choice, headline = choose_setting(self._scores), ""
        if len(self._sections) > 1 and choice.best is not None:
            headline = f"best for all pictures: {self._scores[0][choice.best].name}"
        data = encode(draw_sheet(self._sections, headline), self._target.suffix)
        write_file(self._target, data, self._overwrite)
        return self._target

    def _part(self, place: int, watch: Progress | None) -> Progress | None:
        """What is told by the sweep of the picture at that place."""
        if watch is None:
            return None
        before, total = place * len(self._bands), len(self._singles) * len(self._bands)
        return lambda done, _: watch(before + done, total)

    def _swept(self, file: Path, singles: Sequence[Path], watch: Progress | None) -> Swept:
        photo = read_photo(file, self._max_pixels)
        self._memory.check_image(photo.pixels)
        found = sweep(photo, self._bands, self._line, watch)
        data = [encode(found.mask, ENDING)] if singles else []
        pictures = self._kept(found, data) if singles else composites(found, self._composer_for)
        section = show(found, file.name, pictures)
        if self._folder and singles:
            make_folder(self._folder)
        for path, content in zip(singles, data, strict=True):
            write_file(path, content, self._overwrite)
        self._sections.append(section)
        self._scores.append(found.scores)
        height, width = found.mask.shape
        return Swept(
            file,
            (width, height),
            found.segment_ms,
            found.subject,
            found.scores,
            found.choice,
            tuple(singles),
        )

    def _kept(self, found: Sweep, data: list[bytes]) -> Iterator[NDArray[Any]]:
        """The composites, one by one; on their way they are encoded with what belongs to them."""
        photo = found.photo
        for place, composite in enumerate(composites(found, self._composer_for)):
            data.append(encode(found.trimaps[place], ENDING))
            data.append(encode_alpha(found.alphas[place], ENDING))
            data.append(encode(composite, ENDING, photo.profile, photo.exif))
            yield composite

    def _check(self, sources: Sequence[Path]) -> None:
        outputs = [(self._target, WRITABLE)]
        if self._folder is not None:
            if os.path.isdir(self._folder):  # noqa: PTH112  # False where pathlib raises
                outputs += [(path, WRITABLE) for each in self._singles.values() for path in each]
            else:
                check_output(self._folder, False)
        check_outputs(outputs, sources, self._overwrite)
        names = [path for each in self._singles.values() for path in each]
        if len(set(names)) < len(names):
            raise OutputError("two pictures have one name", "sweep them one after the other")


def single_files(folder: Path, stem: str, bands: Sequence[TrimapSettings]) -> list[Path]:
    """The files of a picture called `stem`: its mask (`photo-mask.png`), and for each band trimap,
    alpha and composite (`photo-k7-i6-trimap.png`).
    """
    names = [f"{band_token(band)}-{part}" for band in bands for part in PARTS]
    return [folder / f"{stem}-{name}{ENDING}" for name in ("mask", *names)]


def band_token(band: TrimapSettings) -> str:
    """The band as part of a file's name: `k7-i6`, `auto`, `width-1pct`, `width-12px`."""
    if band.width:
        return f"width-{band.width.value:g}{'pct' if band.width.percent else 'px'}"
    if band.k == "auto":
        return "auto"
    if (band.erode, band.dilate) == (None, None):
        return f"k{band.k}-i{band.iterations}"
    inwards, outwards = band.repetitions
    return f"k{band.k}-e{inwards}-d{outwards}"


def over_all(swept: Sequence[Swept]) -> dict[str, Any]:
    """The best setting for all the pictures together, in plain values; and why."""
    scores = [each.scores for each in swept if each.choice is not None]
    return choice_as_json(choose_setting(scores), scores[0] if scores else ())


def choice_as_json(choice: SweepChoice, scores: Sequence[SettingScore]) -> dict[str, Any]:
    """The best setting's words, None if there is none, and the reason."""
    best = None if choice.best is None else scores[choice.best].name
    return {"best": best, "reason": choice.reason}
