"""The part of serving.py about strokes of a brush: their time, and what they leave as it was."""

import time

import cv2
import numpy as np
from harness import Row
from numpy.typing import NDArray
from serving_bench import MAX_PIXELS, Bench, jpeg, pixels, stage_ms

from matte.arrays import UNKNOWN, Alpha, Trimap
from matte.media.pictures import Photo, decode_photo
from matte.server.cache import StepCache
from matte.server.networks import SharedNetworks
from matte.server.steps import PictureSource, PictureSteps
from matte.server.strokes import parse_strokes

SHARE = 0.02  # of the band that a stroke touches
STEP = 2 / 255
TILE = 160  # pixels of a tile's side: so far a stroke may be seen


def brush(bench: Bench) -> Row:
    """Time strokes on a part of the band against all of it, and compare with refining anew."""
    data = jpeg(bench.large(bench.options.megapixels).image)
    photo = decode_photo(data, "photo.jpg", MAX_PIXELS)
    place = bench.upload(data)
    bench.get(f"{place}/mask")
    begin = time.perf_counter()
    answer = bench.get(f"{place}/alpha")
    whole_ms, whole = 1000 * (time.perf_counter() - begin), stage_ms(answer, "refine")
    before = pixels(bench.get(f"{place}/trimap").content)
    rows: list[Row] = []
    strokes: list[Row] = []
    for value, number in zip(("subject", "unknown", "background"), range(3), strict=True):
        strokes.append(stroke_on(before, value, number))
        sent = bench.client.put(f"{place}/strokes", json={"strokes": strokes})
        sent.raise_for_status()
        begin = time.perf_counter()
        answer = bench.get(f"{place}/alpha", bits=16)
        spent = 1000 * (time.perf_counter() - begin)
        trimap = Trimap(pixels(bench.get(f"{place}/trimap").content))
        anew = refined_anew(bench, photo, strokes)
        changed = trimap != before
        rows.append(
            {
                "value": value,
                "touched": round(touched(before, strokes[-1]), 4),
                "ms": round(spent),
                "refine_ms": round(stage_ms(answer, "refine")),
                "refine_ratio": round(stage_ms(answer, "refine") / whole, 3),
                "request_ratio": round(spent / whole_ms, 3),
                **apart(answer.content, anew, changed),
            }
        )
    return {
        "megapixels": bench.options.megapixels,
        "whole_ms": round(whole_ms),
        "whole_refine_ms": round(whole),
        "strokes": rows,
        "targets": {"refine_ratio": 0.15, "outside_share": 0},
    }


def refined_anew(bench: Bench, photo: Photo, strokes: list[Row]) -> Alpha:
    """Return the alpha with these strokes where nothing is known of the one before them."""
    height, width = photo.pixels.shape[:2]
    drawn = parse_strokes({"strokes": strokes}, width, height)
    source = PictureSource("anew", "photo.jpg", lambda: photo, drawn)
    settings = bench.pipeline.merged
    networks = SharedNetworks(settings.config.runtime)
    return PictureSteps(source, settings, False, networks, StepCache(1 << 30)).found().alpha


def stroke_on(trimap: NDArray[np.uint8], value: str, number: int) -> Row:
    """Return a stroke around a place of the band that covers about SHARE of it."""
    band = np.argwhere(trimap == UNKNOWN)
    y, x = band[(2 * number + 1) * len(band) // 6]
    distances = np.hypot(band[:, 0] - y, band[:, 1] - x)
    radius = max(
        1.0, float(np.partition(distances, int(SHARE * len(band)))[int(SHARE * len(band))])
    )
    return {"value": value, "radius": min(2000.0, radius), "points": [[int(x), int(y)]]}


def touched(trimap: NDArray[np.uint8], stroke: Row) -> float:
    """Return the share of the band that a stroke of one point covers."""
    band = np.argwhere(trimap == UNKNOWN)
    (x, y), radius = stroke["points"][0], stroke["radius"]
    return float(np.mean(np.hypot(band[:, 0] - y, band[:, 1] - x) <= radius))


def apart(served: bytes, anew: Alpha, changed: NDArray[np.bool_]) -> Row:
    """Return how far the server's alpha is from another, near the strokes and elsewhere."""
    gap = np.abs(pixels(served) / np.float32(65535) - anew)
    near = cv2.dilate(changed.astype(np.uint8), np.ones((2 * TILE + 1, 2 * TILE + 1), np.uint8)) > 0
    outside = gap[~near]
    return {
        "largest": round(float(gap.max()), 4),
        "outside_largest": round(float(outside.max()), 4),
        "outside_share": float(f"{(outside > STEP).sum() / max(1, (anew > 0).sum()):.3g}"),
        "near_share": float(f"{(gap[near] > STEP).sum() / max(1, near.sum()):.3g}"),
    }
