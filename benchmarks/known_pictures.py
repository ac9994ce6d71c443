"""Pictures of six kinds with true alpha, of any size, for what is compared setting by setting."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scenes import ALPHAMATTING, CUTOUTS, PORTRAITS, entries_of, scenes

from matte.api import composite
from matte.arrays import Alpha, Image, as_alpha
from matte.compositing.fitting import cover
from matte.compositing.foreground import estimate_foreground
from matte.datasets.reading import read_sample
from matte.imaging.resizing import resize
from matte.media.pictures import read_alpha, read_image

DEMOS = "matting_gt/author_demos"
KINDS = {"p3": "people", "am": "animals", "ai": "things"}  # by the first letters of a demo's name
GROUNDS = "backgrounds/bsds"
COUNT = 18  # of portraits, and of cut-outs
Known = tuple[str, str, Image, Alpha]  # kind, name, picture, true alpha


def known_pictures(data: Path, side: int) -> Iterator[Known]:
    """Yield the pictures with true alpha, no larger than `side`."""
    for entry in entries_of(data, PORTRAITS, COUNT):
        sample = read_sample(entry)
        yield shrunk("portrait", entry.name, Image(sample.picture), as_alpha(sample.truth), side)
    demos = list(demo_pictures(data, side))
    yield from demos
    for scene in scenes(data, ALPHAMATTING):
        yield shrunk("things", scene.name, scene.image, scene.alpha, side)
    for scene in scenes(data, CUTOUTS, COUNT):
        yield shrunk("cut-outs", scene.name, scene.image, scene.alpha, side)
    grounds = sorted((data / GROUNDS).rglob("*.jpg"))
    for number, (_, name, image, truth) in enumerate(demos):
        if number % 3 < 2:
            ground = cover(read_image(grounds[(37 * number + 5) % len(grounds)]), *truth.shape)
            subject = estimate_foreground(image, truth)
            yield "composites", name, Image(composite(subject, truth, ground)), truth


def demo_pictures(data: Path, side: int) -> Iterator[Known]:
    """Yield the demos of the authors of P3M, GFM and AIM."""
    for path in sorted((data / DEMOS / "gt").glob("*.png")):
        (photo,) = (data / DEMOS / "input").glob(f"{path.stem}.*")
        image, truth = read_image(photo), read_alpha(path)
        truth = Alpha(np.clip(resize(truth, *image.shape[:2]), 0, 1))
        yield shrunk(KINDS[path.stem[:2]], path.stem, image, truth, side)


def shrunk(kind: str, name: str, image: Image, truth: Alpha, side: int) -> Known:
    """Return a picture whose long side is at most `side`."""
    height, width = truth.shape
    scale = side / max(height, width)
    if scale >= 1:
        return kind, name, image, truth
    size = max(1, round(height * scale)), max(1, round(width * scale))
    small = Image(np.ascontiguousarray(resize(image, *size)))
    return kind, name, small, Alpha(np.clip(resize(truth, *size), 0, 1))
