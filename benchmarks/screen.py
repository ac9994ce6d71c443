"""How good alpha is in front of a green screen, by the networks alone and mended by its colour.

    python benchmarks/screen.py DATA [--preset NAME …] [--json FILE]

Cut-outs whose alpha is known (matting_fg_rgba/davidg200 in DATA; every fourth, none that it was
tuned on) stand before a screen that is lit unevenly and throws its light on them; then come noise
and JPEG. Written are the mean absolute differences of alpha in thousandths, the paired interval,
and milliseconds a picture of what `--screen green` adds. The segmenters have learnt these people
before other grounds, so that what the networks reach alone is rather too good.
"""

import time
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row
from numpy.typing import NDArray

import matte
from matte.arrays import FloatArray, Image
from matte.compositing.screen_key import key_screen
from matte.metrics.intervals import mean_interval

HEIGHT, WIDTH, TALL = 540, 960, 460
FIRST, EVERY = 2, 4
SPILL = np.array([5, 60, 12], np.float32)
NOISE, QUALITY = 2.5, 85


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "screen.json")
    parser.add_argument("--preset", nargs="+", default=["fast", "balanced"])
    options = parser.parse_args()
    files = sorted((options.data / "matting_fg_rgba/davidg200").rglob("*.png"))[FIRST::EVERY]
    rows = [{"preset": preset, **measure(files, preset)} for preset in options.preset]
    harness.show(rows, "alpha before a green screen, MAD in thousandths")
    harness.write(options.json, {"pictures": len(files), "rows": rows})


def measure(files: list[Path], preset: str) -> Row:
    """Return the differences of a preset's alphas, without and with the screen's colour."""
    pipeline, random = matte.load(preset), np.random.default_rng(2)
    errors, times = [], []
    for file in files:
        picture, truth = before_screen(file, random)
        alpha = pipeline(picture).alpha
        start = time.perf_counter()
        keyed = key_screen(picture, alpha, "green")
        times.append(1000 * (time.perf_counter() - start))
        errors.append([1000 * np.abs(found - truth).mean() for found in (alpha, keyed)])
    plain, mended = np.array(errors).T
    change = mean_interval([float(each) for each in mended - plain])
    return {
        "networks": round(float(plain.mean()), 2),
        "with the screen": round(float(mended.mean()), 2),
        "difference": f"{change.low:.2f} … {change.high:.2f}",
        "better": f"{int((mended < plain).sum())} of {len(files)}",
        "ms": round(float(np.median(times)), 1),
    }


def before_screen(file: Path, random: np.random.Generator) -> tuple[Image, FloatArray]:
    """Return the cut-out before a screen, and its true alpha (H, W)."""
    rgba = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    assert rgba is not None
    wide = round(rgba.shape[1] * TALL / rgba.shape[0])
    rgba = cv2.resize(rgba, (wide, TALL), interpolation=cv2.INTER_AREA).astype(np.float32)
    frame = screen(random)
    left, top = int(random.uniform(0, max(1, WIDTH - wide))), int(random.uniform(20, HEIGHT - TALL))
    part = slice(top, top + TALL), slice(left, min(WIDTH, left + wide))
    rgba = rgba[:, : part[1].stop - left]
    alpha = rgba[:, :, 3:] / 255
    edge = 1 - cv2.GaussianBlur(alpha[:, :, 0], (0, 0), 12)[:, :, None]
    colours = rgba[:, :, 2::-1]
    lit = colours + (0.6 * edge + 0.04) * SPILL * colours.mean(2, keepdims=True) / 128
    frame[part] += alpha * (lit - frame[part])
    truth = np.zeros((HEIGHT, WIDTH), np.float32)
    truth[part] = alpha[:, :, 0]
    noisy = np.clip(frame + random.normal(0, NOISE, frame.shape), 0, 255).astype(np.uint8)
    _, stream = cv2.imencode(".jpg", noisy[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return Image(np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR_RGB))), truth


def screen(random: np.random.Generator) -> NDArray[np.float32]:
    """Return a green screen (H, W, 3) with a lamp somewhere before it."""
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    light = 1 - 2 * (x - random.uniform(0.3, 0.7)) ** 2 - (y - 0.5) ** 2
    return np.stack([30 + 20 * x, 140 + 70 * light, 60 + 10 * y], axis=2).astype(np.float32)


if __name__ == "__main__":
    main()
