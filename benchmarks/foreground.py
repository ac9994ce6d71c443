"""Estimated foreground colours side by side: ours, PyMatting's multi-level, and the photo itself.

    python benchmarks/foreground.py --data DATA [--pictures 3] [--no-times] [--sheets FOLDER]
                                    [--json benchmarks/results/foreground.json]

DATA is the folder that `matte train` was given. Errors are means over soft pixels (0 < true α < 1),
then over pictures, in 8-bit steps. The scenes have known colours F on a known ground B:

- "cut-outs": cut-outs composed onto photos;
- "hair": alphamatting.com's alphas, the colours of their solid pixels spread under the soft ones
  (smoother than life), composed onto photos.

The estimators get an alpha that is true, or blurred, or uneven, or found by the refiner from a
trimap that reaches 1.5 % of the long side to both sides of the edge, as alpha is never true in
life. `black` and `white`: the composite on such a ground with that alpha, against the truth.
`back`: on the scene's own B, against the scene. `colour`: α|F̂ − F| with the true α. With a true
alpha the four are one number, up to rounding.

Of real pictures with true alpha no F and B are known, and only |I − αF̂ − (1 − α)B̂| can be told, B̂
being the same estimator's for 1 − α. That it is small proves little: taking the photo makes it 0.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matte.arrays import Alpha, Image, as_alpha, as_image, as_trimap
from matte.compositing.composer import composite
from matte.compositing.fitting import cover
from matte.compositing.foreground import estimate_foreground
from matte.datasets.colours import bled
from matte.datasets.layouts import list_set
from matte.datasets.reading import read
from matte.files import write_file
from matte.media.encoding import encode
from matte.refiner.gca import Gca
from matte.runtime.opener import open_onnx_file
from matte.stages import Refiner
from matte.weights.store import find

Estimator = Callable[[Image, Alpha], Image]
REFINER = "gca-slim"
PACKAGES = ("numpy", "opencv-python-headless", "pymatting", "numba")
CUTOUTS = ("matting_fg_rgba/davidg200", "cutouts")
HAIR = ("matting_gt/alphamatting_lowres", "alphamatting")
REAL = (HAIR, ("matting_gt/aisegment60", "alphas"))
GROUNDS = ("backgrounds/bsds", "backgrounds")
SIZES = {"512": (512, 512), "1080p": (1080, 1920), "12 MP": (3000, 4000)}
RUNS = 5
REACH = 0.015  # of the long side, from the true edge to the trimap's
SEED = 5

COLD = {  # how each is imported, and the kind of picture that it takes
    "ours": ("from matte.compositing.foreground import estimate_foreground as estimate", "u1"),
    "multi-level": ("from pymatting import estimate_foreground_ml as estimate", "f"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture whose parts are known: `image` = `alpha` `subject` + (1 − `alpha`) `ground`."""

    image: Image
    alpha: Alpha
    subject: Image
    ground: Image


def the_photo(image: Image, _alpha: Alpha) -> Image:
    """No estimate at all."""
    return image


def multi_level(image: Image, alpha: Alpha) -> Image:
    """T. Germer et al., "Fast Multi-Level Foreground Estimation", ICPR 2020, by PyMatting."""
    from pymatting import estimate_foreground_ml

    found = estimate_foreground_ml(image / np.float32(255), alpha)
    return Image(np.rint(255 * found).astype(np.uint8))


ESTIMATORS: dict[str, Estimator] = {
    "the photo": the_photo,
    "multi-level": multi_level,
    "ours": estimate_foreground,
}


def listed(data: Path, name: tuple[str, str], pictures: int) -> list[Any]:
    """The set's entries, or `pictures` of them, evenly taken."""
    entries = list_set(data / name[0], name[1]).entries
    step = max(1, len(entries) // pictures) if pictures else 1
    return list(entries[::step][: pictures or None])


def scenes(data: Path, name: tuple[str, str], pictures: int) -> Iterator[Scene]:
    """The set's subjects, with a frame around them, on photos."""
    grounds = listed(data, GROUNDS, 0)
    for i, entry in enumerate(listed(data, name, pictures)):
        sample = read(entry)
        colours, opacity = sample.picture, sample.truth
        if name == HAIR:
            solid = np.where(opacity > 250, opacity, np.minimum(opacity, 100))
            colours = bled(colours, solid.astype(np.uint8))
        framed = cv2.copyMakeBorder(colours, 40, 0, 40, 40, cv2.BORDER_REPLICATE)
        subject = as_image(framed)
        alpha = as_alpha(cv2.copyMakeBorder(opacity, 40, 0, 40, 40, cv2.BORDER_CONSTANT))
        photo = read(grounds[7 * i % len(grounds)]).picture
        ground = cover(Image(photo), *alpha.shape)
        yield Scene(composite(subject, alpha, ground), alpha, subject, ground)


def given_alphas(scene: Scene, refiner: Refiner) -> Iterator[tuple[str, Alpha]]:
    """The true alpha, and what may be taken for it."""
    truth = scene.alpha
    yield "true", truth
    yield "blurred", Alpha(np.asarray(cv2.GaussianBlur(truth, (0, 0), 2), np.float32))
    random = np.random.default_rng(SEED)
    noise = cv2.GaussianBlur(random.standard_normal(truth.shape).astype(np.float32), (0, 0), 2)
    band = cv2.GaussianBlur(((truth > 0) & (truth < 1)).astype(np.float32), (0, 0), 1)
    yield "uneven", Alpha(np.clip(truth + band * noise * (0.15 / noise.std()), 0, 1))
    side = 2 * round(REACH * max(truth.shape)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    trimap = np.full(truth.shape, 128, np.uint8)
    trimap[cv2.dilate(truth, kernel) < 0.02] = 0
    trimap[cv2.erode(truth, kernel) > 0.98] = 255
    yield "refined", refiner.refine(scene.image, as_trimap(trimap)).alpha


def errors(scene: Scene, alpha: Alpha, found: Image) -> dict[str, float]:
    """Mean errors in 8-bit steps at the truly soft pixels."""
    soft = (scene.alpha > 0) & (scene.alpha < 1)
    weight = scene.alpha[soft][:, None]

    def off(ground: Any) -> float:
        made = composite(found, alpha, ground)[soft].astype(np.float32)
        return float(np.abs(made - composite(scene.subject, scene.alpha, ground)[soft]).mean())

    apart = np.abs(found[soft].astype(np.float32) - scene.subject[soft])
    return {
        "colour": float((weight * apart).mean()),
        "black": off("black"),
        "white": off("white"),
        "back": off(scene.ground),
    }


def accuracy(data: Path, pictures: int, refiner: Refiner) -> list[dict[str, Any]]:
    """A row for each set, alpha and estimator."""
    rows = []
    for label, name in (("cut-outs", CUTOUTS), ("hair", HAIR)):
        table: dict[tuple[str, str], list[dict[str, float]]] = {}
        for scene in scenes(data, name, pictures):
            for kind, alpha in given_alphas(scene, refiner):
                for method, estimate in ESTIMATORS.items():
                    found = estimate(scene.image, alpha)
                    table.setdefault((kind, method), []).append(errors(scene, alpha, found))
        for (kind, method), each in table.items():
            means = {k: round(statistics.mean(e[k] for e in each), 2) for k in each[0]}
            rows.append({"set": label, "alpha": kind, "method": method, **means, "n": len(each)})
            print(rows[-1], flush=True)
    return rows


def residuals(data: Path, pictures: int) -> list[dict[str, Any]]:
    """|I − αF̂ − (1 − α)B̂| of real pictures with true alphas, in 8-bit steps."""
    rows = []
    for name in REAL:
        found: dict[str, list[float]] = {}
        for entry in listed(data, name, pictures):
            sample = read(entry)
            image, alpha = Image(sample.picture), as_alpha(sample.truth)
            soft = (alpha > 0) & (alpha < 1)
            for method, estimate in ESTIMATORS.items():
                fore, back = estimate(image, alpha), estimate(image, Alpha(1 - alpha))
                apart = composite(fore, alpha, back)[soft].astype(np.float32) - image[soft]
                found.setdefault(method, []).append(float(np.abs(apart).mean()))
        means = {method: round(statistics.mean(each), 2) for method, each in found.items()}
        rows.append({"set": name[0], "n": len(found["ours"]), **means})
        print(rows[-1], flush=True)
    return rows


def portrait(height: int, width: int) -> tuple[Image, Alpha]:
    """A made-up portrait: a body with a fringe of strands, a tenth of the pixels soft."""
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


def seconds(call: Callable[[], Any], runs: int = RUNS) -> dict[str, float]:
    """Median and quartiles on the wall, after a call that isn't counted."""
    call()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    low, middle, high = statistics.quantiles(found, n=4)
    return {"median": round(middle, 4), "from": round(low, 4), "to": round(high, 4)}


def times() -> list[dict[str, Any]]:
    """Seconds for each size and method."""
    rows = []
    for label, size in SIZES.items():
        image, alpha = portrait(*size)
        soft = float(((alpha > 0) & (alpha < 1)).mean())
        for method in ("ours", "multi-level"):
            spent = seconds(partial(ESTIMATORS[method], image, alpha))
            rows.append({"size": label, "soft": round(soft, 3), "method": method, "s": spent})
            print(rows[-1], flush=True)
    return rows


def cold() -> dict[str, float]:
    """Seconds of a process that imports the estimator and runs it on 512 × 512.

    `first` is the first ever, with an empty cache for what is compiled; else the best of 3.
    """
    use = "estimate(np.ones((512, 512, 3), 'f').astype(kind), np.full((512, 512), .5, 'f'))"
    found = {}
    for method, (code, kind) in COLD.items():
        command = [sys.executable, "-c", f"import numpy as np; kind = {kind!r}; {code}; {use}"]
        spent = []
        with tempfile.TemporaryDirectory() as cache:
            for _ in range(4):
                start = time.perf_counter()
                subprocess.run(command, check=True, env={**os.environ, "NUMBA_CACHE_DIR": cache})
                spent.append(time.perf_counter() - start)
        found[f"{method}, first"], found[method] = round(spent[0], 2), round(min(spent[1:]), 2)
    print("cold", found, flush=True)
    return found


def draw(scene: Scene, alpha: Alpha) -> NDArray[np.uint8]:
    """The truth and each estimate, on black above and on white below."""
    rows = []
    for ground in ("black", "white"):
        made = [composite(f(scene.image, alpha), alpha, ground) for f in ESTIMATORS.values()]
        rows.append(np.hstack([composite(scene.subject, scene.alpha, ground), *made]))
    return np.vstack(rows)


def draw_sheets(data: Path, folder: Path, pictures: int, refiner: Refiner) -> None:
    """A sheet for each scene with the refiner's alpha: truth, the photo, multi-level, ours."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (CUTOUTS, HAIR):
        for i, scene in enumerate(scenes(data, name, pictures)):
            sheet = draw(scene, dict(given_alphas(scene, refiner))["refined"])
            path = folder / f"{name[1]}{i}.png"
            write_file(path, encode(sheet, path.suffix), overwrite=True)


def main() -> None:
    """Measures, prints, writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=24, help="of each set; 0: all")
    parser.add_argument("--no-times", action="store_true")
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    network = open_onnx_file(find("refiner", REFINER).path, "openvino", threads=1)
    refiner = Gca(network, "demo")
    if options.sheets:
        draw_sheets(options.data, options.sheets, options.pictures, refiner)
        return
    result = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, one used",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "errors": accuracy(options.data, options.pictures, refiner),
        "residuals": residuals(options.data, options.pictures),
    }
    if not options.no_times:
        result |= {"times": times(), "cold_s": cold()}
    if options.json:
        options.json.parent.mkdir(exist_ok=True)
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
