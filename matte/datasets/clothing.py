"""Clothing Co-Parsing (CCP): label maps of garments, and which labels are the subject.

W. Yang, P. Luo, L. Lin, "Clothing Co-Parsing by Joint Image Segmentation and Labeling", CVPR 2014.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matte.datasets.finding import Found, found, paired, subfolder
from matte.datasets.folders import required
from matte.datasets.matlab import needs_scipy
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
NAMES = tuple(_NAMES.split())
_OTHERS = (
    "null background skin hair face accessories bag bracelet earrings glasses necklace purse ring "
    "sunglasses wallet watch"
)
NO_GARMENTS = frozenset(_OTHERS.split())


def ccp(folder: Path, classes: Sequence[str] = ()) -> Listing:
    """images/ or photos/, and labels/*.png with the class numbers that labels.txt names.

    Instead of labels/, annotations/pixel-level/*.mat as CCP is published; photos that have only
    tags there are left out. Without `classes` whatever is labelled, skin and hair too, is the
    subject.
    """
    pictures = found([required(folder, "images", "photos")])
    subject = chosen(classes, _names(folder))
    labels = subfolder(folder, "labels")
    if labels is not None:
        return paired("mask", pictures, found([labels]), subject)
    needs_scipy()
    annotations = required(folder, "annotations")
    tagged = found([subfolder(annotations, "image-level")], (".mat",)).files
    drawn = found([required(annotations, "pixel-level")], (".mat",))
    usable = {n: p for n, p in pictures.files.items() if n in drawn.files or n not in tagged}
    return paired("mask", Found(usable, pictures.broken), drawn, subject)


def chosen(classes: Sequence[str], names: Mapping[str, int]) -> tuple[int, ...]:
    """The labels that classes mean: by name, by number, or "clothing" for all garments."""
    if not classes:
        return tuple(sorted(label for label in names.values() if label))
    labels: set[int] = set()
    for word in classes:
        if word == CLOTHING and word not in names:
            labels |= {label for name, label in names.items() if name not in NO_GARMENTS}
        elif word in names:
            labels.add(names[word])
        elif word.isdecimal():
            labels.add(int(word))
        else:
            raise SettingError(f"no class {word!r}", nearest(word, {*names, CLOTHING}))
    return tuple(sorted(labels))


def _names(folder: Path) -> dict[str, int]:
    """The labels by name: from labels.txt, lines such as `14 dress`, or CCP's own."""
    path = folder / "labels.txt"
    if not path.is_file():
        return {name: label for label, name in enumerate(NAMES)}
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
