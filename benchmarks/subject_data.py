"""Make the sets that the recipe `subject` trains on besides pictures with true masks.

    python benchmarks/subject_data.py RAW LABELS OUT

RAW holds the sets as they came, by the recipe's folders: subjects/ecssd, subjects/horse,
subjects/clothing_cc0, person_seg/voc_animal_noperson and voc_person with labels/ (VOC's classes),
backgrounds/bsds and backgrounds/coco_noperson. LABELS holds what teachers see in them:

    matte data label RAW/subjects/clothing_cc0 --teacher u2netp --out LABELS/u2netp/clothing
    matte data label RAW/subjects/clothing_cc0 --teacher isnet --out LABELS/isnet/clothing
    matte data label RAW/person_seg/voc_animal_noperson --teacher u2netp --out LABELS/u2netp/animals
    matte data label RAW/person_seg/voc_person --teacher u2netp --out LABELS/u2netp/people_animals
    matte data label RAW/backgrounds/bsds --teacher u2netp --out LABELS/u2netp/things
    matte data label RAW/backgrounds/coco_noperson --teacher u2netp --out LABELS/u2netp/things

Alphas of a teacher's that came with the pictures serve as well, as PNG or WebP. OUT becomes the
folder that `matte train` is given: links to RAW's folders, and labels/ with

- clothing: what both teachers agree on;
- animals, people_animals: VOC's classes as one mask; what the teacher sees besides, and small
  things far from the main one, do not count;
- things: pictures that the teacher is sure of; grounds: those in which it finds nothing;
- cutouts: things, horses, animals and garments cut out by their masks, in colours of their own.
"""

import argparse
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Confidence, Image
from matte.compositing.foreground import estimate_foreground
from matte.imaging.resizing import resize
from matte.media.pictures import read_alpha
from matte.training.collection import name_fraction
from matte.training.merging import FAINT, MIN_AGREEMENT, MIN_SURE_SHARE, SURE, merge_masks

Plane = NDArray[np.uint8]
ANIMALS, PERSON, VOID = (3, 8, 10, 12, 13, 17), 15, 255  # VOC's classes
# What a cut-out asks for: IoU of two teachers, of a teacher and the truth, how much is sure.
MIN_CUTOUT_AGREEMENT, MIN_TRUE_AGREEMENT, MIN_CUTOUT_SURE_SHARE = 0.93, 0.85, 0.85
MAX_GROUND_SURE_SHARE, MAX_GROUND_SHARE = 0.5, 0.01  # or there is a thing after all
MIN_SHARE = 0.02  # of a picture, that a mask covers
SMALL_SHARE, NEAR_PIXELS = 0.15, 31  # of the main part: smaller ones count only near it
# Pictures whose names' fractions lie below are held back by recipes; a little more are left out.
HELD_BACK = 0.12
MAX_SIDE_SHARE, MAX_FOOT_SHARE = 0.05, 0.35  # of a side that a cut-out may touch; of the lower one


@dataclass
class SubjectData:
    """Writes the sets, and counts what it wrote."""

    raw: Path
    labels: Path
    out: Path
    counts: Counter[str] = field(default_factory=Counter)

    def make_all(self) -> None:
        """Link RAW's folders and write all sets."""
        for folder in self.raw.iterdir():
            link = self.out / folder.name
            if folder.is_dir() and not link.exists():
                link.symlink_to(folder.resolve())
        self.make_clothing()
        self.make_things()
        self.make_animals("animals", "voc_animal_noperson", ANIMALS)
        self.make_animals("people_animals", "voc_person", (*ANIMALS, PERSON))
        for name in ("horse", "ecssd"):
            folder = self.raw / "subjects" / name
            for source, picture in _pictures(folder / "images"):
                mask = cv2.imread(str(folder / "masks" / f"{source.stem}.png"), 0)
                self.cut_out(f"{name}_{source.stem}", picture, np.asarray(mask == SUBJECT))

    def make_clothing(self) -> None:
        """Write the garments on which both teachers agree."""
        for source, picture in _pictures(self.raw / "subjects/clothing_cc0/images"):
            seen = [self.teacher(name, "clothing", source, picture) for name in ("u2netp", "isnet")]
            if any(each is None for each in seen):
                continue
            one, other = (np.asarray(each) > 0.5 for each in seen)
            agreement = _overlap(one, other)
            if agreement < MIN_AGREEMENT or (one & other).mean() < MIN_SHARE:
                self.counts["clothing, dropped"] += 1
                continue
            self.keep("clothing", source, merge_masks([each for each in seen if each is not None]))
            if agreement > MIN_CUTOUT_AGREEMENT:
                self.cut_out(f"clothing_{source.stem}", picture, other)

    def make_things(self) -> None:
        """Write pictures with a thing of which the teacher is sure, and those without any."""
        for folder in ("backgrounds/bsds", "backgrounds/coco_noperson"):
            for source, picture in _pictures(self.raw / folder):
                seen = self.teacher("u2netp", "things", source, picture)
                if seen is None:
                    continue
                sure = (seen > SURE).sum() / max(1, (seen > FAINT).sum())
                share = (seen > 0.5).mean()
                if sure >= MIN_SURE_SHARE and share >= MIN_SHARE:
                    self.keep("things", source, merge_masks([seen]))
                    if sure >= MIN_CUTOUT_SURE_SHARE:
                        self.cut_out(f"thing_{source.stem}", picture, seen > 0.5)
                elif sure < MAX_GROUND_SURE_SHARE or share < MAX_GROUND_SHARE:
                    self.copy("grounds", source)

    def make_animals(self, name: str, folder: str, classes: tuple[int, ...]) -> None:
        """Write VOC's classes as one mask."""
        for source, picture in _pictures(self.raw / "person_seg" / folder / "images"):
            classed = self.raw / "person_seg" / folder / "labels" / f"{source.stem}.png"
            label = cv2.imread(str(classed), cv2.IMREAD_UNCHANGED)
            seen = self.teacher("u2netp", name, source, picture)
            if label is None or seen is None:
                continue
            subject = np.isin(label, classes)
            if subject.mean() < MIN_SHARE:
                continue
            mask = np.where(subject, SUBJECT, np.where((label == VOID) | (seen > 0.4), UNKNOWN, 0))
            mask[_far_crumbs(subject)] = UNKNOWN
            self.keep(name, source, mask)
            is_clean = _overlap(np.asarray(seen > 0.5), subject) > MIN_TRUE_AGREEMENT
            if name == "animals" and is_clean:
                self.cut_out(f"animal_{source.stem}", picture, subject)

    def teacher(self, name: str, kind: str, source: Path, picture: Plane) -> Confidence | None:
        """Return a teacher's confidence (H, W), 0 … 1, of a picture; None if there is none."""
        for suffix in (".png", ".webp"):
            path = self.labels / name / kind / f"{source.stem}{suffix}"
            if path.is_file():
                return Confidence(resize(read_alpha(path), *picture.shape[:2]))
        return None

    def keep(self, name: str, source: Path, mask: NDArray[Any]) -> None:
        """Write a picture and its mask into a set."""
        self.copy(f"{name}/images", source)
        target = self.out / "labels" / name / "masks" / f"{source.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), mask.astype(np.uint8))

    def copy(self, folder: str, source: Path) -> None:
        """Copy a picture into a folder of the labels."""
        target = self.out / "labels" / folder / source.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
        self.counts[folder] += 1

    def cut_out(self, name: str, picture: Plane, subject: NDArray[np.bool_]) -> None:
        """Write a cut-out of a subject that lies whole in its picture, unless it is held back."""
        if name_fraction(name.partition("_")[2]) < HELD_BACK or subject.mean() < MIN_SHARE:
            return
        top, bottom, left, right = (
            side.mean() for side in (subject[0], subject[-1], subject[:, 0], subject[:, -1])
        )
        if max(top, left, right) > MAX_SIDE_SHARE or bottom > MAX_FOOT_SHARE:
            self.counts["cut off"] += 1
            return
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        inner = cv2.erode(subject.astype(np.uint8), disc).astype(np.float32)
        alpha = Alpha(np.asarray(cv2.GaussianBlur(inner, (0, 0), 0.8), np.float32))
        colours = estimate_foreground(Image(picture), alpha)
        rows, columns = (np.flatnonzero(subject.any(axis=axis)) for axis in (1, 0))
        box = (
            slice(max(0, rows[0] - 4), rows[-1] + 5),
            slice(max(0, columns[0] - 4), columns[-1] + 5),
        )
        target = self.out / "labels/cutouts" / f"{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        whole = np.dstack([colours, np.rint(255 * alpha)]).astype(np.uint8)
        cv2.imwrite(str(target), whole[box])
        self.counts["cutouts"] += 1


def main() -> None:
    """Write the sets, and print how many pictures each has."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("raw", "labels", "out"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    data = SubjectData(options.raw, options.labels, options.out)
    data.make_all()
    for name, count in sorted(data.counts.items()):
        print(f"{count:6} {name}")


def _pictures(folder: Path) -> Iterator[tuple[Path, Plane]]:
    """Yield a folder's pictures in BGR, in the order of their names."""
    for source in sorted(folder.glob("*.*")) if folder.is_dir() else ():
        picture = cv2.imread(str(source), cv2.IMREAD_COLOR)
        if picture is not None:
            yield source, np.asarray(picture, np.uint8)


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the intersection over union of two masks (h, w)."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def _far_crumbs(subject: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the small parts of a subject (h, w) that are not near its largest one."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(subject.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    main = int(areas.argmax()) + 1
    near = cv2.dilate((parts == main).astype(np.uint8), np.ones((NEAR_PIXELS, NEAR_PIXELS)))
    far = [
        number
        for number in range(1, count)
        if areas[number - 1] < SMALL_SHARE * areas.max() and not near[parts == number].any()
    ]
    return np.asarray(np.isin(parts, far))


if __name__ == "__main__":
    main()
