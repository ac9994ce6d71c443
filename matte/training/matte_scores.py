"""Metrics and sample sheets of a MODNet's mattes of whole pictures."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from matte.arrays import SUBJECT, UNKNOWN, Alpha, Mask, Trimap, Uint8Array, as_alpha
from matte.datasets.samples import Sample
from matte.imaging.resizing import resize
from matte.metrics.masks import subject_iou
from matte.metrics.mattes import mad, mse
from matte.modnet.adapter import network_size
from matte.training.modnet_losses import BranchedModnet
from matte.training.sheets import stack_rows

SCORE = "score"
SHEET_PICTURES = 8  # pictures on the sheet


def matte_metrics(
    network: BranchedModnet, pictures: Sequence[tuple[str, Sample]], side: int
) -> dict[str, float]:
    """Return mean metrics over all pictures, and over each set's, run at short side `side`.

    "mad" and "mse" over the whole picture at its own size, where there are alphas; per set
    "mad SET", for masks "iou SET" at a half, and without a subject "false SET", the mean alpha.
    "score": −MAD; without alphas, IoU − 1, without masks 0.
    """
    errors: dict[str, list[tuple[float, float]]] = {}
    overlaps: dict[str, list[float]] = {}
    wrong: dict[str, list[float]] = {}
    for name, item in pictures:
        alpha = Alpha(branch_maps(network, item.picture, side)[2])
        if item.kind == "alpha":
            truth, everywhere = as_alpha(item.truth), np.ones(alpha.shape, bool)
            both = (mad(alpha, truth, everywhere), mse(alpha, truth, everywhere))
            errors.setdefault(name, []).append(both)
        elif (item.truth == SUBJECT).any():
            mask = Mask(np.where(alpha >= 0.5, SUBJECT, 0).astype(np.uint8))
            overlaps.setdefault(name, []).append(subject_iou(mask, Trimap(item.truth)))
        else:
            counted = item.truth != UNKNOWN
            mean = float(alpha[counted].sum() / max(1, np.count_nonzero(counted)))
            wrong.setdefault(name, []).append(mean)
    metrics = {SCORE: 0.0}
    if overlaps:
        metrics[SCORE] = float(np.mean([v for values in overlaps.values() for v in values])) - 1
    if errors:
        every = [pair for values in errors.values() for pair in values]
        metrics["mad"], metrics["mse"] = (float(mean) for mean in np.mean(every, axis=0))
        metrics[SCORE] = -metrics["mad"]
    for name, pairs in sorted(errors.items()):
        metrics[f"mad {name}"] = float(np.mean(pairs, axis=0)[0])
    for word, sets in (("iou", overlaps), ("false", wrong)):
        metrics |= {f"{word} {name}": float(np.mean(v)) for name, v in sorted(sets.items())}
    return metrics


def matte_sheet(
    network: BranchedModnet, pictures: Sequence[tuple[str, Sample]], side: int
) -> Uint8Array:
    """Draw a sheet (H, W, 3): each of the first pictures, its truth, branch maps and matte."""
    rows = []
    for _, item in pictures[:SHEET_PICTURES]:
        maps = (np.rint(m * 255).astype(np.uint8) for m in branch_maps(network, item.picture, side))
        rows.append([item.picture, item.truth, *maps])
    return stack_rows(rows)


def branch_maps(
    network: BranchedModnet, picture: Uint8Array, side: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return semantic, detail and matte of a picture (H, W, 3) at its size, 0 … 1."""
    height, width = picture.shape[:2]
    place = next(network.parameters()).device
    image = to_modnet_input(
        torch.from_numpy(resize(picture, *network_size(height, width, side))[None])
    )
    with torch.inference_mode():
        maps = network(image.to(place))
    semantic, detail, matte = (
        np.clip(resize(m[0, 0].float().cpu().numpy(), height, width), 0, 1) for m in maps
    )
    return semantic, detail, matte


def to_modnet_input(pictures: torch.Tensor) -> torch.Tensor:
    """Convert uint8 (N, H, W, 3) to float −1 … 1 (N, 3, H, W), channels last in memory."""
    return pictures.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
