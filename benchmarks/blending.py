"""Blended as stored values or as light: which composite comes nearer to the photo it stands for.

    python benchmarks/blending.py DATA [--pictures 3] [--json benchmarks/results/blending.json]

Photos are made as a lens makes them, blended as light by alphamatting.com's alphas, from a dark or
a bright subject on a dark or a bright ground. Then each goes through the pipeline's steps, with a
trimap drawn from the truth: the refiner's alpha, estimated colours, a new ground. The truth is the
same subject photographed there. "geometric": the true alpha and colours instead of the estimated,
as from a renderer. Errors are means at truly soft pixels, in 8-bit steps; `dark` and `bright` name
the new ground, `back` the old one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row
from scenes import ALPHAMATTING, entries_of, one_thread_refiner, trimap_around

from matte.api import composite
from matte.arrays import Alpha, Image, as_alpha, as_image
from matte.compositing.blend import BLENDS
from matte.compositing.foreground import estimate_foreground
from matte.datasets.reading import read_sample

TONES = {"dark": (30, 24, 22), "bright": (235, 228, 215)}
CONTRAST = 25  # of the texture, in 8-bit steps
REACH = 12  # pixels
SEED = 5
GROUPS = ("alpha", "subject", "ground", "blend")


@dataclass(frozen=True, slots=True, eq=False)
class LensPhoto:
    """What a lens makes of a subject on a ground, and the parts."""

    image: Image
    alpha: Alpha
    subject: Image
    tone: str
    ground: str


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__)
    parser.add_argument("--pictures", type=int, default=0)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    refiner = one_thread_refiner()
    groups: dict[tuple[str, ...], list[dict[str, float]]] = {}
    for photo in lens_photos(options.data, options.pictures):
        alpha = refiner.refine(photo.image, trimap_around(photo.alpha, REACH)).alpha
        subject = estimate_foreground(photo.image, alpha)
        for label, a, f in (("refined", alpha, subject), ("geometric", photo.alpha, photo.subject)):
            for blend, errors in errors_by_blend(photo, a, f):
                groups.setdefault((label, photo.tone, photo.ground, blend), []).append(errors)
    rows: list[Row] = [
        {**dict(zip(GROUPS, group, strict=True)), **harness.means(each), "n": len(each)}
        for group, each in sorted(groups.items())
    ]
    harness.show(rows)
    harness.write(options.json, {"rows": rows})


def lens_photos(data: Path, count: int) -> Iterator[LensPhoto]:
    """Yield each alpha with dark and bright subjects on dark and bright grounds."""
    for entry in entries_of(data, ALPHAMATTING, count):
        alpha = as_alpha(read_sample(entry).truth)
        for tone in TONES:
            subject = textured(tone, alpha, 1)
            for ground in TONES:
                behind = textured(ground, alpha, 2)
                image = Image(composite(subject, alpha, behind, blend="linear"))
                yield LensPhoto(image, alpha, subject, tone, ground)


def textured(tone: str, like: Alpha, seed: int) -> Image:
    """Return a picture of about one tone, with soft spots, as no photo is plain."""
    random = np.random.default_rng([SEED, seed])
    spots = cv2.GaussianBlur(random.standard_normal(like.shape), (0, 0), 9)
    values = np.array(TONES[tone]) + CONTRAST * (spots / spots.std())[:, :, None] / 2
    return as_image(np.clip(values, 0, 255).astype(np.uint8))


def errors_by_blend(
    photo: LensPhoto, alpha: Alpha, subject: Image
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield for each way to blend the mean errors on the old ground and on new ones."""
    soft = (photo.alpha > 0) & (photo.alpha < 1)
    for blend in BLENDS:
        errors = {}
        for name, tone, seed in (("back", photo.ground, 2), *((t, t, 3) for t in TONES)):
            new = textured(tone, photo.alpha, seed)
            truth = composite(photo.subject, photo.alpha, new, blend="linear")
            made = composite(subject, alpha, new, blend=blend)
            errors[name] = float(np.abs(made[soft].astype(np.float32) - truth[soft]).mean())
        yield blend, errors


if __name__ == "__main__":
    main()
