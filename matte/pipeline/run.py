"""Pictures through a line, one after the other."""

import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from matte.arrays import Alpha, Confidence, as_alpha, as_image, as_trimap, same_size
from matte.compositing.foreground import estimate_foreground
from matte.configs.settings import Config
from matte.errors import MatteWarning
from matte.limits import DEFAULT_MAX_PIXELS
from matte.media.pictures import Photo, read_alpha, read_photo, read_trimap
from matte.pipeline.line import NOTHING, Found, Given, Line
from matte.pipeline.timing import Stopwatch
from matte.runtime.memory import ALL, Memory
from matte.stages import Matte
from matte.trimap.drawing import flaw

Picture = NDArray[Any] | str | Path | Photo


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
        image: Picture,
        *,
        mask: NDArray[Any] | str | Path | None = None,
        trimap: NDArray[Any] | str | Path | None = None,
    ) -> Matte:
        """The matte of a picture: a path, a `Photo`, or RGB as uint8 or uint16 (H, W, 3).

        `mask` tells where the subject is, and may be soft; `trimap` tells what is known, and takes
        the mask's place.
        """
        named = isinstance(image, str | Path)
        photo = as_photo(image, self.max_pixels)
        return self.run(photo, self.given(photo, mask, trimap), str(image) if named else "")

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
        mask: NDArray[Any] | str | Path | None = None,
        trimap: NDArray[Any] | str | Path | None = None,
    ) -> Given:
        """What is known of the photo beforehand, read and checked."""
        confidence = known = None
        if isinstance(mask, str | Path):
            confidence = Confidence(read_alpha(Path(mask), self.max_pixels))
        elif mask is not None:
            confidence = Confidence(as_alpha(mask))
        if isinstance(trimap, str | Path):
            known = read_trimap(Path(trimap), self.max_pixels)
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


def as_photo(image: Picture, max_pixels: int = DEFAULT_MAX_PIXELS) -> Photo:
    """The picture, read if it is a path, checked if it is an array."""
    if isinstance(image, Photo):
        return image
    if isinstance(image, str | Path):
        return read_photo(Path(image), max_pixels)
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
