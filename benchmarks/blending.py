"""Mixed as stored values or as light: which composite comes nearer to the photo it stands for.

    python benchmarks/blending.py --data DATA [--pictures 3] [--sheets FOLDER]
                                  [--json benchmarks/results/blending.json]

DATA is the folder that `matte train` was given. Photos are made as a lens makes them, mixed as
light by alphamatting.com's alphas, from a dark or a bright subject on a dark or a bright ground.
Then each goes the pipeline's way, with a trimap drawn from the truth: the refiner's alpha,
estimated colours, a new ground. The truth is the same subject photographed there. "geometric":
the true alpha and colours instead of the estimated, as from a renderer. Errors are means at truly
soft pixels, in 8-bit steps; `dark` and `bright` name the new ground, `back` the old one.
"""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from matte.arrays import Alpha, Image, as_alpha, as_image, as_trimap
from matte.compositing.blend import BLENDS
from matte.compositing.composer import composite
from matte.compositing.foreground import estimate_foreground
from matte.datasets.layouts import list_set
from matte.datasets.reading import read
from matte.files import write_file
from matte.media.encoding import encode
from matte.refiner.gca import Gca
from matte.runtime.opener import open_onnx_file
from matte.stages import Refiner
from matte.weights.store import find

REFINER = "gca-slim"
PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "openvino")
ALPHAS = ("matting_gt/alphamatting_lowres", "alphamatting")
TONES = {"dark": (30, 24, 22), "bright": (235, 228, 215)}
CONTRAST = 25  # of the texture, in 8-bit steps
REACH = 12
SEED = 5


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """What a lens made of a subject on a ground, and the parts."""

    image: Image
    alpha: Alpha
    subject: Image
    tone: str
    ground: str


def textured(tone: str, like: Alpha, seed: int) -> Image:
    """A picture of about one tone, with soft spots, as no photo is plain."""
    random = np.random.default_rng([SEED, seed])
    spots = cv2.GaussianBlur(random.standard_normal(like.shape), (0, 0), 9)
    values = np.array(TONES[tone]) + CONTRAST * (spots / spots.std())[:, :, None] / 2
    return as_image(np.clip(values, 0, 255).astype(np.uint8))


def photos(data: Path, pictures: int) -> Iterator[Photo]:
    """Each alpha with dark and bright subjects on dark and bright grounds."""
    for entry in list_set(data / ALPHAS[0], ALPHAS[1]).entries[: pictures or None]:
        alpha = as_alpha(read(entry).truth)
        for tone in TONES:
            subject = textured(tone, alpha, 1)
            for ground in TONES:
                behind = textured(ground, alpha, 2)
                image = composite(subject, alpha, behind, blend="linear")
                yield Photo(image, alpha, subject, tone, ground)


def refined(photo: Photo, refiner: Refiner) -> Alpha:
    """The refiner's alpha from a trimap drawn from the truth."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * REACH + 1, 2 * REACH + 1))
    trimap = np.full(photo.alpha.shape, 128, np.uint8)
    trimap[cv2.dilate(photo.alpha, kernel) < 0.02] = 0
    trimap[cv2.erode(photo.alpha, kernel) > 0.98] = 255
    return refiner.refine(photo.image, as_trimap(trimap)).alpha


def rows_of(photo: Photo, alpha: Alpha, subject: Image, label: str) -> Iterator[dict[str, Any]]:
    """A row of errors for each way to blend."""
    soft = (photo.alpha > 0) & (photo.alpha < 1)
    for blend in BLENDS:
        row: dict[str, Any] = {
            "alpha": label,
            "subject": photo.tone,
            "ground": photo.ground,
            "blend": blend,
        }
        for name, tone, seed in (("back", photo.ground, 2), *((t, t, 3) for t in TONES)):
            new = textured(tone, photo.alpha, seed)
            truth = composite(photo.subject, photo.alpha, new, blend="linear")
            made = composite(subject, alpha, new, blend=blend)
            apart = made[soft].astype(np.float32) - truth[soft]
            row[name] = float(np.abs(apart).mean())
        yield row


def draw(photo: Photo, alpha: Alpha, subject: Image) -> Image:
    """The photo, then for a dark and a bright ground the truth, sRGB and linear."""
    shown = [photo.image]
    for tone in TONES:
        new = textured(tone, photo.alpha, 3)
        shown.append(composite(photo.subject, photo.alpha, new, blend="linear"))
        shown += [composite(subject, alpha, new, blend=blend) for blend in BLENDS]
    return as_image(np.hstack(shown))


def main() -> None:
    """Measures, prints, writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    network = open_onnx_file(find("refiner", REFINER).path, "openvino", threads=1)
    refiner = Gca(network, "demo")
    rows: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for number, photo in enumerate(photos(options.data, options.pictures)):
        alpha = refined(photo, refiner)
        subject = estimate_foreground(photo.image, alpha)
        if options.sheets:
            options.sheets.mkdir(parents=True, exist_ok=True)
            path = options.sheets / f"{number:02}-{photo.tone}-on-{photo.ground}.png"
            write_file(path, encode(draw(photo, alpha, subject), path.suffix), overwrite=True)
        for row in (
            *rows_of(photo, alpha, subject, "refined"),
            *rows_of(photo, photo.alpha, photo.subject, "geometric"),
        ):
            key = tuple(row[k] for k in ("alpha", "subject", "ground", "blend"))
            rows.setdefault(key, []).append(row)
    table = []
    for key in sorted(rows):
        means = {
            k: round(statistics.mean(r[k] for r in rows[key]), 2)
            for k in ("back", "dark", "bright")
        }
        table.append({**rows[key][0], **means, "n": len(rows[key])})
        print(table[-1])
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "rows": table,
    }
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
