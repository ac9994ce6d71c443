"""Clothing Co-Parsing (CCP): label maps of garments, and which labels are the subject.

W. Yang, P. Luo, L. Lin, "Clothing Co-Parsing by Joint Image Segmentation and Labeling", CVPR 2014.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matte.datasets.finding import FoundFiles, find_files, find_subfolder, pair_files
from matte.datasets.folders import require_subfolder
from matte.datasets.matlab import require_scipy
from matte.datasets.samples import Listing
from matte.errors import SettingError
from matte.registry import nearest

CLOTHING = "clothing"
# CCP's labels from 0, in its authors' order.
_NAMES = (
    "null accessories bag belt blazer blouse bodysuit boots bra bracelet cape cardigan clogs coat "
    "dress earrings flats glasses gloves hair hat heels hoodie intimate jacket jeans jumper "
    "leggings loafers necklace panties pants pumps purse ring romper sandals scarf shirt shoes "
    "shorts skin skirt sneakers socks stockings suit sunglasses sweater sweatshirt swimwear "
    "t-shirt tie tights top vest wallet watch wedges"
)
CCP_LABELS = tuple(_NAMES.split())
_OTHERS = (
    "null background skin hair face accessories bag bracelet earrings glasses necklace purse ring "
    "sunglasses wallet watch"
)
NOT_GARMENTS = frozenset(_OTHERS.split())


def list_ccp(folder: Path, classes: Sequence[str] = ()) -> Listing:
    """List images/ or photos/, and labels/*.png with the class numbers that labels.txt names.

    Instead of labels/, annotations/pixel-level/*.mat as CCP is published; photos that have only
    tags there are left out. Without `classes` whatever is labelled, skin and hair too, is the
    subject.
    """
    pictures = find_files([require_subfolder(folder, "images", "photos")])
    subject = class_labels(classes, _read_label_names(folder))
    labels = find_subfolder(folder, "labels")
    if labels is not None:
        return pair_files("mask", pictures, find_files([labels]), subject)
    require_scipy()
    annotations = require_subfolder(folder, "annotations")
    tagged = find_files([find_subfolder(annotations, "image-level")], (".mat",)).files
    drawn = find_files([require_subfolder(annotations, "pixel-level")], (".mat",))
    usable = {n: p for n, p in pictures.files.items() if n in drawn.files or n not in tagged}
    return pair_files("mask", FoundFiles(usable, pictures.broken), drawn, subject)


def class_labels(classes: Sequence[str], names: Mapping[str, int]) -> tuple[int, ...]:
    """Return the labels of classes: by name, by number, or "clothing" for all garments."""
    if not classes:
        return tuple(sorted(label for label in names.values() if label))
    labels: set[int] = set()
    for word in classes:
        if word == CLOTHING and word not in names:
            labels |= {label for name, label in names.items() if name not in NOT_GARMENTS}
        elif word in names:
            labels.add(names[word])
        elif word.isdecimal():
            labels.add(int(word))
        else:
            raise SettingError(f"no class {word!r}", nearest(word, {*names, CLOTHING}))
    return tuple(sorted(labels))


def _read_label_names(folder: Path) -> dict[str, int]:
    """Return the labels by name: from labels.txt, lines such as `14 dress`, or CCP's own."""
    path = folder / "labels.txt"
    if not path.is_file():
        return {name: label for label, name in enumerate(CCP_LABELS)}
    names: dict[str, int] = {}
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"can't read {path}", "save it as UTF-8") from error
    for at, line in enumerate(lines, 1):
        number, _, name = line.strip().partition(" ")
        if not line.strip():
            continue
        if not (number.isdecimal() and name.strip()):
            raise SettingError(f"{path}, line {at}: {line.strip()!r}", "write '14 dress'")
        names[name.strip()] = int(number)
    return names
