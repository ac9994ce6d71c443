"""Sweeps of files: one sheet for all of them, single files for each, scores for JSON."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.configs.settings import Config, TrimapSettings
from matte.errors import MatteError, OutputError, SettingError
from matte.files import check_output, check_outputs, make_folder, write_file, write_files
from matte.media.encoding import WRITABLE, encode, encode_alpha
from matte.media.pictures import read_photo
from matte.pipeline.build import build_two_stage, max_pixels, memory_budget
from matte.pipeline.line import NetworkFactsByKind
from matte.pipeline.subject_masks import mask_paths, mask_place
from matte.stages import Progress
from matte.sweeps.run import Sweep, sweep
from matte.sweeps.scores import SettingScore, SweepChoice, choose_setting
from matte.sweeps.sheet import ComposerFor, SweepSection, compose_settings, draw_sheet, make_section

SAVED_ARRAYS = ("trimap", "alpha", "composite")  # of each setting
ENDING = ".png"


@dataclass(frozen=True, slots=True, eq=False)
class SweepOutcome:
    """What became of one picture: its scores and the files written, or the error."""

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
        """Return everything that was measured, in plain JSON values."""
        row: dict[str, Any] = {"image": str(self.file)}
        if self.choice is None:
            return {**row, "error": str(self.error)}
        row |= {"width": self.size[0], "height": self.size[1], "subject": self.subject}
        row |= {"segment_ms": self.segment_ms, **choice_as_json(self.choice, self.scores)}
        row["settings"] = [score.as_json() for score in self.scores]
        return {**row, "written": [str(path) for path in self.written]}


class SweepSheet:
    """Sweeps several pictures over the same settings, and draws them on one sheet.

    Whatever is wrong with the request as a whole is raised before the first picture is read.
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
        self._single_files = {
            file: single_files(folder, file.stem, bands) if folder else [] for file in files
        }
        self._backgrounds = backgrounds
        self._subject_masks = mask_place(config.segmentation.subject)
        self._check(self._sources(files))
        self._composer_for = composer_for
        self._line = build_two_stage(config)
        self._sections: list[SweepSection] = []
        self._scores: list[tuple[SettingScore, ...]] = []

    def run(self, progress: Progress | None = None) -> Iterator[SweepOutcome]:
        """Sweep one picture after the other; yield what became of each. A failure stops no other.

        `progress` is called with the number of settings done and of all settings of all pictures.
        """
        for place, (file, paths) in enumerate(self._single_files.items()):
            try:
                yield self._sweep_file(file, paths, self._shifted_progress(place, progress))
            except MatteError as error:
                yield SweepOutcome(file, error=error)

    @property
    def network_facts(self) -> NetworkFactsByKind:
        """The facts of the networks that run, by kind, for reports."""
        return self._line.network_facts

    def write(self) -> Path | None:
        """Write the sheet of the pictures that were run; return its path, None without any."""
        if not self._sections:
            return None
        choice, headline = choose_setting(self._scores), ""
        if len(self._sections) > 1 and choice.best is not None:
            headline = f"best for all pictures: {self._scores[0][choice.best].name}"
        data = encode(draw_sheet(self._sections, headline), self._target.suffix)
        write_file(self._target, data, self._overwrite, self._sources(self._single_files))
        return self._target

    def _sources(self, files: Iterable[Path]) -> list[Path]:
        """Return what the results of these pictures are made from."""
        masks = mask_paths(self._subject_masks, map(str, files))
        return [*files, *self._backgrounds, *masks]

    def _shifted_progress(self, place: int, progress: Progress | None) -> Progress | None:
        """Return the progress of the picture at this place, counted over all pictures."""
        if progress is None:
            return None
        before, total = place * len(self._bands), len(self._single_files) * len(self._bands)
        return lambda done, _: progress(before + done, total)

    def _sweep_file(
        self, file: Path, paths: Sequence[Path], progress: Progress | None
    ) -> SweepOutcome:
        """Sweep one picture, write its single files to `paths`, and keep its part of the sheet."""
        photo = read_photo(file, self._max_pixels)
        self._memory.check_image(photo.pixels)
        result = sweep(photo, self._bands, self._line, progress)
        data = [encode(result.mask, ENDING)] if paths else []
        composites = compose_settings(result, self._composer_for)
        if paths:
            composites = self._encode_settings(result, composites, data)
        section = make_section(result, file.name, composites)
        if self._folder and paths:
            make_folder(self._folder)
        named = list(zip(paths, data, strict=True))
        write_files(named, self._overwrite, self._sources([file]))
        self._sections.append(section)
        self._scores.append(result.scores)
        height, width = result.mask.shape
        return SweepOutcome(
            file,
            (width, height),
            result.segment_ms,
            result.subject,
            result.scores,
            result.choice,
            tuple(paths),
        )

    def _encode_settings(
        self, result: Sweep, composites: Iterable[NDArray[Any]], data: list[bytes]
    ) -> Iterator[NDArray[Any]]:
        """Yield the composites; append trimap, alpha and composite, encoded, to `data`.

        One setting after the other: composites of large pictures need much memory.
        """
        photo = result.photo
        for place, composite in enumerate(composites):
            data.append(encode(result.trimaps[place], ENDING))
            data.append(encode_alpha(result.alphas[place], ENDING))
            data.append(encode(composite, ENDING, photo.profile, photo.exif))
            yield composite

    def _check(self, sources: Sequence[Path]) -> None:
        """Raise if an output can't be written, or is a source or another output."""
        outputs = [(self._target, WRITABLE)]
        if self._folder is not None:
            if os.path.isdir(self._folder):  # noqa: PTH112  # False where pathlib raises
                outputs += [
                    (path, WRITABLE) for each in self._single_files.values() for path in each
                ]
            else:
                check_output(self._folder, False)
        check_outputs(outputs, sources, self._overwrite)
        names = [path for each in self._single_files.values() for path in each]
        if len(set(names)) < len(names):
            raise OutputError("two pictures have one name", "sweep them one after the other")


def single_files(folder: Path, stem: str, bands: Sequence[TrimapSettings]) -> list[Path]:
    """Return the files of a picture called `stem`: its mask, and three for each band.

    They are `photo-mask.png`, `photo-k7-i6-trimap.png`, `…-alpha.png` and `…-composite.png`.
    """
    names = [f"{band_token(band)}-{array}" for band in bands for array in SAVED_ARRAYS]
    return [folder / f"{stem}-{name}{ENDING}" for name in ("mask", *names)]


def band_token(band: TrimapSettings) -> str:
    """Return the band as part of a file's name: `k7-i6`, `auto`, `width-1pct`, `width-12px`."""
    if band.width:
        return f"width-{band.width.value:g}{'pct' if band.width.percent else 'px'}"
    if isinstance(band.k, str):
        return band.k
    if (band.erode, band.dilate) == (None, None):
        return f"k{band.k}-i{band.iterations}"
    erosions, dilations = band.repetitions
    return f"k{band.k}-e{erosions}-d{dilations}"


def choice_for_all(outcomes: Sequence[SweepOutcome]) -> dict[str, Any]:
    """Return the best setting for all the pictures together, and why, in plain JSON values."""
    scores = [outcome.scores for outcome in outcomes if outcome.choice is not None]
    return choice_as_json(choose_setting(scores), scores[0] if scores else ())


def choice_as_json(choice: SweepChoice, scores: Sequence[SettingScore]) -> dict[str, Any]:
    """Return the best setting in words, None if there is none, and the reason."""
    best = None if choice.best is None else scores[choice.best].name
    return {"best": best, "reason": choice.reason}
