"""Pictures through a line, one after the other."""

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from matte.arrays import Alpha, Confidence, as_alpha, as_image, as_trimap, same_size
from matte.compositing.foreground import estimate_foreground
from matte.configs.settings import Config
from matte.errors import MatteWarning
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import Photo, read_alpha, read_photo, read_trimap
from matte.media.sources import Source, is_source, source_name
from matte.pipeline.line import NOTHING, Found, Given, Line
from matte.pipeline.timing import Stopwatch
from matte.runtime.memory import ALL, Memory
from matte.stages import Matte
from matte.trimap.drawing import flaw

PhotoInput = NDArray[Any] | Source | Photo  # a Source is a path, a file's bytes or an open file
MatteInput = NDArray[Any] | Source | None


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """Mattes pictures, one after the other, with networks that stay loaded."""

    line: Line
    facts: dict[str, Any]
    """What every picture's report begins with."""
    max_pixels: int
    memory: Memory = ALL
    config: Config = field(default_factory=Config)

    def __call__(
        self,
        image: PhotoInput,
        *,
        mask: MatteInput = None,
        trimap: MatteInput = None,
    ) -> Matte:
        """Return the matte of a picture.

        `image` is a file: its path, its bytes or the file open as "rb"; or a `Photo`; or RGB pixels
        (H, W, 3), uint8 or uint16. `mask`, a file or an array (H, W), is where the subject is, and
        may be soft; `trimap`, a file or an array (H, W), is what is known of the picture, and takes
        the mask's place.

        Example: pipeline(upload.read(), mask="mask.png").alpha
        """
        name = source_name(image) if is_source(image) else ""
        photo = as_photo(image, self.max_pixels)
        return self.run(photo, self.given(photo, mask, trimap), name)

    def run(self, photo: Photo, given: Given = NOTHING, name: str = "") -> Matte:
        """The matte of a photo; `name` is what warnings call it."""
        self.memory.check(photo.pixels)
        found = self.line.run(photo.pixels, given)
        alpha = photo.limit_alpha(found.alpha)
        watch = Stopwatch()
        with watch("foreground"):
            foreground = estimate_foreground(photo.pixels, alpha)
        report = self._report(alpha, found, watch)
        for doubt in _doubts(name or "the picture", found, report):
            warnings.warn(doubt, MatteWarning, stacklevel=3)
        return Matte(alpha, foreground, found.mask, found.trimap, report)

    def given(
        self,
        photo: Photo,
        mask: MatteInput = None,
        trimap: MatteInput = None,
    ) -> Given:
        """What is known of the photo beforehand, read and checked."""
        confidence = known = None
        if is_source(mask):
            confidence = Confidence(read_alpha(mask, self.max_pixels, kind="mask"))
        elif mask is not None:
            confidence = Confidence(as_alpha(mask))
        if is_source(trimap):
            known = read_trimap(trimap, self.max_pixels)
        elif trimap is not None:
            known = as_trimap(trimap)
        for name, array in (("mask", confidence), ("trimap", known)):
            if array is not None:
                same_size(("picture", photo.pixels), (name, array))
        return Given(confidence, known)

    def _report(self, alpha: Alpha, found: Found, watch: Stopwatch) -> dict[str, Any]:
        # A report is the caller's to change, and another thread may just open the fallback.
        networks = dict(self.facts.get("networks", {}))
        report = copy.deepcopy({**self.facts, "networks": networks})
        height, width = alpha.shape
        report |= {"width": width, "height": height, "subject": bool((alpha >= 0.5).any())}
        return {**report, **found.report, "ms": {**found.report["ms"], **watch.ms}}


def as_photo(image: PhotoInput, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """Return the picture as a photo: read if it is a file, checked if it is an array."""
    if isinstance(image, Photo):
        return image
    if is_source(image):
        return read_photo(image, max_pixels)
    return Photo(as_image(image))


def _doubts(name: str, found: Found, report: dict[str, Any]) -> Iterator[str]:
    """What a person should be told about the result."""
    fallback = report.get("fallback", {})
    if "error" in fallback:
        yield f"{name}: MODNet can't be asked: {fallback['error']}"
    elif fallback and "found" not in fallback:
        remedy = f" ({fallback['remedy']})" if "remedy" in fallback else ""
        yield f"{name}: {fallback['reason']}{remedy}: its matte is MODNet's"
    if not report["subject"]:
        yield f"no subject found in {name}: alpha is nowhere above one half"
    if found.mask is None and found.trimap is not None and (wrong := flaw(found.trimap)):
        yield f"{name}: {wrong}: it is used as it is"
