"""Labels from a teacher: what a network sees in pictures that nobody has cut out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from matte.arrays import Alpha
from matte.datasets.finding import find_files, find_subfolder
from matte.errors import OutputError, PictureError
from matte.files import make_folder, write_file
from matte.media.encoding import encode_alpha
from matte.media.pictures import read_image
from matte.stages import Segmenter


@dataclass(frozen=True, slots=True)
class LabelledPictures:
    """The names of the pictures that were labelled now, or before; and the unusable with why."""

    written: tuple[str, ...]
    present: tuple[str, ...]
    skipped: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{len(self.written)} labelled, {len(self.present)} there before,"
            f" {len(self.skipped)} unusable"
        )


def pictures_to_label(folder: Path) -> Mapping[str, Path]:
    """Return a folder's pictures by name: those of its images/ where it has one, else all."""
    found = find_files([find_subfolder(folder, "images") or folder]).files
    if not found:
        raise PictureError(f"no pictures in {folder}", "name a folder of pictures")
    return found


def label_file(folder: Path, name: str) -> Path:
    """Return where the label of a picture lies."""
    return folder / f"{name}.png"


def label_pictures(
    teacher: Segmenter, folder: Path, out: Path, progress: Callable[[str], None]
) -> LabelledPictures:
    """Write the teacher's confidence of each picture in `folder` as out/NAME.png, 0 … 255.

    What is there already stays, so that an interrupted run can be repeated. `progress` is told a
    line for each picture.
    """
    pictures = pictures_to_label(folder)
    if out.resolve() in {path.parent.resolve() for path in pictures.values()}:
        raise OutputError(f"{out} holds the pictures themselves", "write into another folder")
    written, present, skipped = [], [], []
    for done, (name, path) in enumerate(pictures.items(), 1):
        target = label_file(out, name)
        if target.is_file():
            present.append(name)
            continue
        try:
            picture = read_image(path)
        except PictureError as error:
            skipped.append(f"{path}: {error.cause}")
            progress(f"skipped {skipped[-1]}")
            continue
        confidence = teacher.segment(picture).confidence
        make_folder(target.parent)
        write_file(target, encode_alpha(Alpha(confidence), ".png"))
        written.append(name)
        progress(f"{done} of {len(pictures)}: {name}")
    found = LabelledPictures(tuple(written), tuple(present), tuple(skipped))
    progress(str(found))
    return found
