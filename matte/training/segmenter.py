"""Training a segmenter."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.arrays import SUBJECT, UNKNOWN, Uint8Array
from matte.conversion.segmenter_export import export_segmenter
from matte.errors import SettingError
from matte.segmentation.network import (
    CheckpointInfo,
    SegmentationNetwork,
    build_network,
    save_checkpoint,
)
from matte.training.augmentation import augment, compose_cutout, letterbox_sample, plain_ground
from matte.training.collection import Collection, LineReport, collect_pictures
from matte.training.losses import segmentation_losses, summed_cross_entropy
from matte.training.machine import TrainingMachine, prepare_run
from matte.training.run import train_network
from matte.training.settings import SegmenterRecipe
from matte.training.sheets import stack_rows
from matte.training.sizes import draw_batch_size
from matte.training.start import refit_norms, start_segmenter
from matte.training.task import NOTHING_TO_VALIDATE, Batch, mean_over_sets

SHEET_PICTURES = 8  # pictures on the sheet


def train_segmenter(
    settings: SegmenterRecipe,
    data: Path,
    out: Path,
    *,
    machine: TrainingMachine | None = None,
    init: Path | None = None,
    resume: bool = False,
    progress: LineReport = lambda _: None,
) -> Path:
    """Train a segmenter and return its best checkpoint, out/best.safetensors.

    best.onnx is beside it.

    `data`: the folder that the settings' data sets lie in. `init`: weights to start from, see
    `start_segmenter`.
    """
    fabric = prepare_run(machine, settings.run, out, resume, progress)
    torch.manual_seed(settings.run.seed)
    network = build_network(settings.architecture)
    task = SegmenterTask(
        settings, network, collect_pictures(settings.data, settings.collect, data, progress)
    )
    if init is not None and not resume:
        start_segmenter(network, init)
        refit_norms(network, _to_network_input(torch.from_numpy(task.batch(0, 0)["picture"])))
    if not task.collection.validation:
        progress(NOTHING_TO_VALIDATE)
    return train_network(task, out, fabric, resume=resume, progress=progress)


@dataclass(slots=True)
class SegmenterTask:
    """A segmenter, its samples, its losses and its scores."""

    settings: SegmenterRecipe
    network: SegmentationNetwork
    collection: Collection
    score: str = "score"
    backgrounds: list[Uint8Array] = field(init=False)

    def __post_init__(self) -> None:
        self.backgrounds = [s.picture for s in self.collection.training_pictures("background")]
        if self.collection.training_pictures("cutout") and not self.backgrounds:
            raise SettingError(
                "cut-outs, but nothing to put them on", "add a set of layout backgrounds"
            )

    @property
    def encoder(self) -> nn.Module:
        """The part that starts from released weights."""
        return self.network.encoder

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """Return `picture` (N, height, width, 3) and `label` (N, height, width), uint8."""
        random = np.random.default_rng([self.settings.run.seed, step, rank])
        part = step / self.settings.run.steps
        size = draw_batch_size(self.settings.sizes, part, self.settings.aspects, random)
        if self.settings.shapes:
            height, width = random.choice(np.array(self.settings.shapes))
            size = int(height), int(width)
        pairs = [self._draw_sample(size, random) for _ in range(self.settings.run.batch)]
        return {
            "picture": np.stack([p for p, _ in pairs]),
            "label": np.stack([t for _, t in pairs]),
        }

    def _draw_sample(
        self, size: tuple[int, int], random: np.random.Generator
    ) -> tuple[Uint8Array, Uint8Array]:
        """Draw a picture (H, W, 3) of the size and its label (H, W) from a random set."""
        sets = [(d, s) for d, s in self.collection.sets if d.weight > 0]
        shares = np.array([d.weight for d, _ in sets])
        _, samples = sets[random.choice(len(sets), p=shares / shares.sum())]
        item = samples[int(random.integers(len(samples)))]
        picture, label = item.picture, item.truth
        if item.kind == "cutout":
            background = self.backgrounds[int(random.integers(len(self.backgrounds)))]
            picture, label = compose_cutout(picture, label, background, random)
        elif item.kind == "alpha":
            label = soft_label(label) if self.settings.soft else label_from_alpha(label)
        elif item.kind == "background" and random.random() < self.settings.augmentation.plain:
            picture = plain_ground(random)
            label = np.zeros(picture.shape[:2], np.uint8)
        return augment(picture, label, size, self.settings.augmentation, random)

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses that the recipe names."""
        logits = network(_to_network_input(batch["picture"]))
        if self.settings.loss == "cross-entropy":
            loss = summed_cross_entropy(logits, batch["label"], self.settings.boundary)
            return {"cross-entropy": loss}
        return segmentation_losses(logits, batch["label"], self.settings.boundary)

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the mean overlap with the truth per set, and their `mean_over_sets` as the score.

        "iou SET" is the mean over a set's pictures, or, without any subject, "false SET": the share
        of pixels mistaken for the subject; "score" is over the sets with subjects.
        """
        ious: dict[str, list[float]] = {}
        wrong: dict[str, list[float]] = {}
        for (name, _), logits, label in self._validation_logits(
            network, len(self.collection.validation)
        ):
            found, counted = logits > 0, label != UNKNOWN
            subject = label == SUBJECT
            if subject.any():
                union = ((found | subject) & counted).sum()
                ious.setdefault(name, []).append(float((found & subject).sum() / union))
            else:
                wrong.setdefault(name, []).append(
                    float(found[counted].sum() / max(1, counted.sum()))
                )
        means = {name: float(np.mean(values)) for name, values in sorted(ious.items())}
        return {
            self.score: mean_over_sets(means, ious),
            **{f"iou {name}": value for name, value in means.items()},
            **{f"false {name}": float(np.mean(v)) for name, v in sorted(wrong.items())},
        }

    def sheet(self, network: nn.Module) -> Uint8Array:
        """Draw picture, label and probability of a few validation pictures."""
        size = self.settings.size
        rows = []
        for (_, item), logits, label in self._validation_logits(network, SHEET_PICTURES):
            picture, _ = letterbox_sample(item.picture, _label_of(item.kind, item.truth), size)
            probability = np.rint(255 / (1 + np.exp(-logits))).astype(np.uint8)
            rows.append([picture, label, probability])
        return stack_rows(rows)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Write the network with its architecture, size and metrics."""
        info = CheckpointInfo(self.settings.architecture, self.settings.size, step, metrics)
        save_checkpoint(network, info, path)

    def export(self, checkpoint: Path) -> str:
        """Write the checkpoint's network as ONNX beside it."""
        return str(export_segmenter(checkpoint, checkpoint.with_suffix(".onnx")))

    def _validation_logits(
        self, network: nn.Module, count: int
    ) -> Iterator[tuple[Any, NDArray[Any], Uint8Array]]:
        """Iterate over validation pictures with their logits and labels at the network's size."""
        place = next(network.parameters()).device
        for name, item in self.collection.validation[:count]:
            picture, label = letterbox_sample(
                item.picture, _label_of(item.kind, item.truth), self.settings.size
            )
            with torch.inference_mode():
                logits = network(_to_network_input(torch.from_numpy(picture[None]).to(place)))
            yield (name, item), logits[0, 0].float().cpu().numpy(), label


def label_from_alpha(alpha: Uint8Array) -> Uint8Array:
    """Return an alpha as a label: subject from a half on."""
    return np.where(alpha >= UNKNOWN, np.uint8(SUBJECT), np.uint8(0)).astype(np.uint8)


def soft_label(alpha: Uint8Array) -> Uint8Array:
    """Return an alpha as a label that keeps its values, except the one that says "unknown"."""
    return np.where(alpha == UNKNOWN, np.uint8(UNKNOWN - 1), alpha).astype(np.uint8)


def _label_of(kind: str, truth: Uint8Array) -> Uint8Array:
    """Return a sample's label (H, W), 0, 128 and 255, from its mask or its alpha."""
    return label_from_alpha(truth) if kind == "alpha" else truth


def _to_network_input(pictures: Tensor) -> Tensor:
    """Convert uint8 (N, H, W, 3) to float 0 … 1 (N, 3, H, W), channels last in memory."""
    return pictures.permute(0, 3, 1, 2).float().div_(255)
