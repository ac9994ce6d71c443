"""Estimated foreground colours side by side: ours, PyMatting's multi-level, and the photo itself.

    python benchmarks/foreground.py DATA [--pictures 3] [--no-times]
                                    [--json benchmarks/results/foreground.json]

Errors are means over soft pixels (0 < true α < 1), then over pictures, in 8-bit steps. The scenes
have known colours F on a known ground B:

- "cut-outs": cut-outs composed onto photos;
- "hair": alphamatting.com's alphas, the colours of their solid pixels spread under the soft ones
  (smoother than life), composed onto photos.

The estimators get an alpha that is true, or blurred, or uneven, or found by the refiner from a
trimap that reaches 1.5 % of the long side to both sides of the edge, as alpha is never true in
life. `black` and `white`: the composite on such a ground with that alpha, against the truth.
`back`: on the scene's own B, against the scene. `colour`: α|F̂ − F| with the true α. With a true
alpha the four are one number, up to rounding.

Of real pictures with true alpha no F and B are known, and only |I − αF̂ − (1 − α)B̂| can be measured,
B̂ being the same estimator's for 1 − α. That it is small proves little: the photo itself makes it 0.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row
from scenes import (
    ALPHAMATTING,
    CUTOUTS,
    PORTRAITS,
    Scene,
    entries_of,
    one_thread_refiner,
    scenes,
    trimap_around,
)

from matte.api import composite
from matte.arrays import Alpha, Image, as_alpha
from matte.compositing.foreground import estimate_foreground
from matte.datasets.reading import read_sample
from matte.stages import Refiner

SIZES = {"512": (512, 512), "1080p": (1080, 1920), "12 MP": (3000, 4000)}
REACH_SHARE = 0.015  # of the long side, from the true edge to the trimap's
SEED = 5
COLD = {  # how each is imported, and the kind of picture that it takes
    "ours": ("from matte.compositing.foreground import estimate_foreground as estimate", "u1"),
    "multi-level": ("from pymatting import estimate_foreground_ml as estimate", "f"),
}


def photo_itself(image: Image, _alpha: Alpha) -> Image:
    """Return the photo: no estimate at all."""
    return image


def multi_level(image: Image, alpha: Alpha) -> Image:
    """Return PyMatting's estimate (Germer et al., "Fast Multi-Level Foreground …", ICPR 2020)."""
    from pymatting import estimate_foreground_ml

    found = estimate_foreground_ml(image / np.float32(255), alpha)
    return Image(np.rint(255 * found).astype(np.uint8))


ESTIMATORS: dict[str, Callable[[Image, Alpha], Image]] = {
    "the photo": photo_itself,
    "multi-level": multi_level,
    "ours": estimate_foreground,
}


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__)
    parser.add_argument("--pictures", type=int, default=24, help="of each set; 0: all")
    parser.add_argument("--no-times", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    report: Row = {
        "errors": colour_errors(options.data, options.pictures, one_thread_refiner()),
        "residuals": residuals(options.data, options.pictures),
    }
    if not options.no_times:
        report |= {"times": times(), "cold_s": cold_seconds()}
    for name, rows in report.items():
        harness.show(rows if isinstance(rows, list) else [rows], name)
    harness.write(options.json, report)


def colour_errors(data: Path, count: int, refiner: Refiner) -> list[Row]:
    """Return a row for each set, alpha and estimator."""
    rows: list[Row] = []
    for label, name in (("cut-outs", CUTOUTS), ("hair", ALPHAMATTING)):
        found: dict[tuple[str, str], list[dict[str, float]]] = {}
        for scene in scenes(data, name, count):
            for kind, alpha in alphas_of(scene, refiner):
                for method, estimate in ESTIMATORS.items():
                    errors = scene_errors(scene, alpha, estimate(scene.image, alpha))
                    found.setdefault((kind, method), []).append(errors)
        for (kind, method), each in found.items():
            head = {"set": label, "alpha": kind, "method": method}
            rows.append({**head, **harness.means(each), "n": len(each)})
    return rows


def alphas_of(scene: Scene, refiner: Refiner) -> Iterator[tuple[str, Alpha]]:
    """Yield the true alpha, and alphas that are wrong in the ways of real ones."""
    truth = scene.alpha
    yield "true", truth
    yield "blurred", Alpha(np.asarray(cv2.GaussianBlur(truth, (0, 0), 2), np.float32))
    random = np.random.default_rng(SEED)
    noise = cv2.GaussianBlur(random.standard_normal(truth.shape).astype(np.float32), (0, 0), 2)
    band = cv2.GaussianBlur(((truth > 0) & (truth < 1)).astype(np.float32), (0, 0), 1)
    yield "uneven", Alpha(np.clip(truth + band * noise * (0.15 / noise.std()), 0, 1))
    trimap = trimap_around(truth, round(REACH_SHARE * max(truth.shape)))
    yield "refined", refiner.refine(scene.image, trimap).alpha


def scene_errors(scene: Scene, alpha: Alpha, found: Image) -> dict[str, float]:
    """Return mean errors in 8-bit steps at the truly soft pixels."""
    soft = (scene.alpha > 0) & (scene.alpha < 1)
    weight = scene.alpha[soft][:, None]

    def composite_error(ground: Image | str) -> float:
        made = composite(found, alpha, ground)[soft].astype(np.float32)
        return float(np.abs(made - composite(scene.subject, scene.alpha, ground)[soft]).mean())

    apart = np.abs(found[soft].astype(np.float32) - scene.subject[soft])
    return {
        "colour": float((weight * apart).mean()),
        "black": composite_error("black"),
        "white": composite_error("white"),
        "back": composite_error(scene.ground),
    }


def residuals(data: Path, count: int) -> list[Row]:
    """Return |I − αF̂ − (1 − α)B̂| of real pictures with true alphas, in 8-bit steps."""
    rows: list[Row] = []
    for name in (ALPHAMATTING, PORTRAITS):
        found = []
        for entry in entries_of(data, name, count):
            sample = read_sample(entry)
            image, alpha = Image(sample.picture), as_alpha(sample.truth)
            soft = (alpha > 0) & (alpha < 1)
            errors = {}
            for method, estimate in ESTIMATORS.items():
                fore, back = estimate(image, alpha), estimate(image, Alpha(1 - alpha))
                apart = composite(fore, alpha, back)[soft].astype(np.float32) - image[soft]
                errors[method] = float(np.abs(apart).mean())
            found.append(errors)
        rows.append({"set": name[0], "n": len(found), **harness.means(found)})
    return rows


def times() -> list[Row]:
    """Return seconds for each size and method, in turns."""
    rows: list[Row] = []
    for label, size in SIZES.items():
        image, alpha = drawn_portrait(*size)
        soft = round(float(((alpha > 0) & (alpha < 1)).mean()), 3)
        methods = ("ours", "multi-level")
        calls = {method: partial(ESTIMATORS[method], image, alpha) for method in methods}
        for method, ms in harness.time_in_turns(calls).items():
            seconds = {"median": ms.median / 1000, "from": ms.low / 1000, "to": ms.high / 1000}
            rows.append({"size": label, "soft": soft, "method": method, "s": seconds})
    return rows


def drawn_portrait(height: int, width: int) -> tuple[Image, Alpha]:
    """Return a made-up portrait: a body with a fringe of strands, a tenth of the pixels soft."""
    random = np.random.default_rng(SEED)
    noise = random.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    image = Image(np.asarray(cv2.resize(noise, (width, height)), np.uint8))
    body = np.zeros((height, width), np.float32)
    middle, radius = (width // 2, int(0.55 * height)), int(0.33 * height)
    cv2.circle(body, middle, radius, 1.0, -1)
    for angle in random.uniform(0, 2 * np.pi, 600):
        far = radius * random.uniform(1, 1.25)
        end = (int(middle[0] + far * np.cos(angle)), int(middle[1] + far * np.sin(angle)))
        cv2.line(body, middle, end, 1.0, max(1, height // 1000), cv2.LINE_AA)
    alpha = cv2.GaussianBlur(body, (0, 0), height / 500)
    alpha[alpha < 1e-3], alpha[alpha > 1 - 1e-3] = 0, 1
    return image, Alpha(np.asarray(alpha, np.float32))


def cold_seconds() -> dict[str, float]:
    """Return the seconds of a process that imports the estimator and runs it on 512 × 512.

    `first` is the first ever, with an empty cache for what is compiled; else the best of 3.
    """
    use = "estimate(np.ones((512, 512, 3), 'f').astype(kind), np.full((512, 512), .5, 'f'))"
    found = {}
    for method, (code, kind) in COLD.items():
        command = [sys.executable, "-c", f"import numpy as np; kind = {kind!r}; {code}; {use}"]
        seconds = []
        with tempfile.TemporaryDirectory() as cache:
            for _ in range(4):
                start = time.perf_counter()
                subprocess.run(command, check=True, env={**os.environ, "NUMBA_CACHE_DIR": cache})
                seconds.append(time.perf_counter() - start)
        found[f"{method}, first"] = round(seconds[0], 2)
        found[method] = round(min(seconds[1:]), 2)
    return found


if __name__ == "__main__":
    main()
