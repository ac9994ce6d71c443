"""A data set's pictures read into memory."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN, Uint8Array
from matte.datasets.colours import spread_subject_colours
from matte.datasets.masks import mask_from_grey
from matte.datasets.matlab import read_annotation
from matte.datasets.samples import Entry, Sample, UnusableError
from matte.imaging.orientation import exif_orientation, turn_upright

IGNORED_LABEL = 255  # in label maps: what belongs to no class and doesn't count
TIFF_STARTS = (b"II", b"MM")  # OpenCV turns TIFFs upright whatever its flags say
PNG_ORIENTATION_CHUNKS = (
    b"eXIf",
    b"Raw profile type",
    b"XML:com.adobe.xmp",
)  # parts that may tell it


def read_sample(entry: Entry, longest: int = 0) -> Sample:
    """Read an entry's picture and truth; with `longest` > 0 shrunk to that long side.

    Pictures and alphas are averaged when they shrink, masks take the nearest pixel. Colours
    of cut-outs are spread under their soft edges. All are upright as their EXIF orientation says.
    Raises UnusableError if it can't be used.
    """
    if entry.kind == "background":
        picture = shrink_to(_read_colours(entry.picture), longest, cv2.INTER_AREA)
        return Sample(entry.name, "background", picture, np.zeros(picture.shape[:2], np.uint8))
    if entry.kind == "cutout":
        return _read_cutout(entry, longest)
    picture = _read_colours(entry.picture)
    if entry.truth is None:
        raise UnusableError(f"{entry.picture.name} has no {entry.kind}")
    if entry.kind == "alpha":
        truth, method = _read_alpha(entry.truth), cv2.INTER_AREA
    elif entry.classes:
        truth, method = _mask_of_classes(_read_labels(entry.truth), entry), cv2.INTER_NEAREST_EXACT
    else:
        truth, method = (
            mask_from_grey(_read_grey(entry.truth), entry.truth.name),
            cv2.INTER_NEAREST_EXACT,
        )
    _refuse_other_size(entry.picture, picture, entry.truth, truth)
    picture = shrink_to(picture, longest, cv2.INTER_AREA)
    return Sample(entry.name, entry.kind, picture, shrink_to(truth, longest, method))


def _read_cutout(entry: Entry, longest: int) -> Sample:
    """Read a cut-out with its own transparency or its alpha file, its colours spread outwards."""
    if entry.truth is None:
        array = _decode(entry.picture)
        if array.ndim != 3 or array.shape[2] != 4:
            raise UnusableError(f"{entry.picture.name} has no transparency")
        picture, alpha = np.ascontiguousarray(array[:, :, :3]), array[:, :, 3].copy()
    else:
        picture, alpha = _read_colours(entry.picture), _read_alpha(entry.truth)
        _refuse_other_size(entry.picture, picture, entry.truth, alpha)
    if not alpha.any():
        raise UnusableError(f"{entry.picture.name} is transparent everywhere")
    if entry.truth is None and (alpha == SUBJECT).all():
        raise UnusableError(f"{entry.picture.name} is opaque everywhere")
    small = shrink_to(alpha, longest, cv2.INTER_AREA)
    if small.shape != alpha.shape:
        # Transparent pixels must not lend their colour, often black, to their neighbours.
        weight = np.maximum(alpha, 1)[:, :, None] / np.float32(255)
        size = small.shape[::-1]
        sums = cv2.resize(picture * weight, size, interpolation=cv2.INTER_AREA)
        share = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
        picture = np.rint(sums / share[:, :, None]).astype(np.uint8)
    return Sample(entry.name, "cutout", spread_subject_colours(picture, small), small)


def _read_alpha(path: Path) -> Uint8Array:
    """Read an alpha 0 … 255; raise for one that goes up to 1 only."""
    alpha = _read_grey(path)
    if alpha.max() == 1:
        raise UnusableError(f"{path.name} goes up to 1 only", "an alpha is grey, 0 … 255")
    return alpha


def _read_labels(path: Path) -> NDArray[Any]:
    """Read class numbers as the file stores them: the indices of a picture with a palette."""
    if path.suffix.lower() == ".mat":
        return read_annotation(path)
    indices = _palette_indices(path)
    return _read_grey(path, deep=True) if indices is None else indices


def _mask_of_classes(labels: NDArray[Any], entry: Entry) -> Uint8Array:
    """Return the mask of the entry's classes in a label map."""
    mask = np.where(np.isin(labels, entry.classes), SUBJECT, BACKGROUND).astype(np.uint8)
    if IGNORED_LABEL not in entry.classes:
        mask[labels == IGNORED_LABEL] = UNKNOWN
    return mask


def _read_grey(path: Path, deep: bool = False) -> NDArray[Any]:
    """Read a grey picture; of a cut-out its transparency, of colours on a palette the indices."""
    array = _decode(path, deep)
    if array.ndim == 2:
        return array
    colours = array[:, :, :3]
    grey = bool((colours == colours[:, :, :1]).all())
    if array.shape[2] == 4 and not (grey and (array[:, :, 3] == array.max()).all()):
        return np.ascontiguousarray(array[:, :, 3])
    if grey:
        return np.ascontiguousarray(colours[:, :, 0])
    indices = _palette_indices(path)
    if indices is None:
        raise UnusableError(f"{path.name} is coloured, where a grey picture belongs")
    return indices


def _palette_indices(path: Path) -> Uint8Array | None:
    """Read the indices of a picture with a palette; return None for any other."""
    try:
        with Pillow.open(path) as picture:
            if picture.mode != "P":
                return None
            return turn_upright(np.array(picture, np.uint8), exif_orientation(picture))
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise UnusableError(f"can't decode {path.name}") from error


def _read_colours(path: Path) -> Uint8Array:
    """Read a picture as RGB (H, W, 3), without its transparency."""
    array = _decode(path)
    if array.ndim == 2:
        return np.repeat(array[:, :, None], 3, axis=2)
    return np.ascontiguousarray(array[:, :, :3])


def _decode(path: Path, deep: bool = False) -> NDArray[Any]:
    """Decode a file to grey, RGB or RGBA, upright; 8 bits, or, if `deep`, as many as it has."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnusableError(f"can't read {path.name} ({error.strerror})") from error
    if not data:
        raise UnusableError(f"{path.name} is empty")
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        array: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise UnusableError(f"can't decode {path.name}") from error
    if array is None:
        raise UnusableError(f"can't decode {path.name}")
    if array.dtype == np.uint16 and not deep:
        array = np.rint(array / np.float32(257)).astype(np.uint8)
    if array.dtype not in (np.uint8, np.uint16):
        raise UnusableError(f"{path.name} is not a picture of 8 or 16 bits")
    if array.ndim == 3:
        code = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
        array = cv2.cvtColor(array, code)
    return turn_upright(np.asarray(array), _stored_orientation(path, data))


def _stored_orientation(path: Path, data: bytes) -> int:
    """Return the EXIF orientation by which OpenCV's array of the file is to be turned."""
    if data.startswith(TIFF_STARTS):
        return 1
    # Pillow would decode a whole PNG to look for what may stand behind its pixels.
    if data.startswith(b"\x89PNG") and not any(part in data for part in PNG_ORIENTATION_CHUNKS):
        return 1
    try:
        with Pillow.open(io.BytesIO(data)) as picture:
            return exif_orientation(picture)
    except Pillow.DecompressionBombError as error:
        raise UnusableError(f"{path.name} is too large", "give less than 179 megapixels") from error
    except (OSError, SyntaxError, ValueError):
        return 1


def _refuse_other_size(
    path: Path, picture: Uint8Array, truth_path: Path, truth: Uint8Array
) -> None:
    """Raise unless picture and truth have one size; say so if only the turning differs."""
    (height, width), (rows, columns) = picture.shape[:2], truth.shape
    if (height, width) == (rows, columns):
        return
    cause = f"{truth_path.name} is {columns}×{rows}, {path.name} {width}×{height}"
    if (height, width) == (columns, rows) and _stored_orientation(path, path.read_bytes()) > 4:
        raise UnusableError(
            f"{cause} turned upright", "turn the truth too, or clear the picture's EXIF orientation"
        )
    raise UnusableError(cause, "give both at one size")


def shrink_to(array: Uint8Array, longest: int, method: int) -> Uint8Array:
    """Return the array shrunk to a long side of `longest`, if that is above 0 and below its own."""
    height, width = array.shape[:2]
    scale = longest / max(height, width)
    if not 0 < scale < 1:
        return array
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(array, size, interpolation=method), np.uint8)
