"""Teaching a trained segmenter where the subject's edge is soft; its masks stay as they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.arrays import Image, Uint8Array
from matte.conversion.segmenter_export import export_segmenter
from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.imaging.letterbox import letterbox
from matte.segmentation.deeplab_unet import DeepLabUnet
from matte.segmentation.network import (
    CheckpointInfo,
    SegmentationNetwork,
    build_network,
    save_checkpoint,
)
from matte.training.band_settings import BandRecipe
from matte.training.collection import Collection, LineReport, collect_pictures
from matte.training.freezing import weighted_layers
from matte.training.losses import focal_loss
from matte.training.machine import TrainingMachine, prepare_run
from matte.training.run import train_network
from matte.training.sheets import stack_rows
from matte.training.sizes import draw_batch_size
from matte.training.start import start_segmenter
from matte.training.synthesis.matte_samples import MatteSamples
from matte.training.synthesis.photometric import change_photometry
from matte.training.task import NOTHING_TO_VALIDATE, Batch

ARCHITECTURE = "deeplab-unet-band"
LEAST_ALPHA, MOST_ALPHA = 5, 250  # of 255: between them an edge is soft
SHEET_PICTURES = 8  # pictures on the sheet
SAMPLE_ARRAYS = ("picture", "alpha", "valid")
MapT = TypeVar("MapT", Tensor, NDArray[Any])


def train_band(
    settings: BandRecipe,
    data: Path,
    out: Path,
    *,
    machine: TrainingMachine | None = None,
    init: Path | None = None,
    resume: bool = False,
    progress: LineReport = lambda _: None,
) -> Path:
    """Train a segmenter's band and return the best checkpoint; best.onnx is beside it.

    `data`: the folder that the settings' data sets lie in. `init`: the segmenter, a "deeplab-unet"
    of matte's, of which all but the band stays as it is.
    """
    if init is None:
        raise SettingError("a band is learnt by a trained segmenter", "name it with --init")
    network = build_network(ARCHITECTURE)
    start_segmenter(network, init)
    frozen = replace(settings.run, freeze=_layers_before_band(network))
    settings = replace(settings, run=frozen)
    fabric = prepare_run(machine, settings.run, out, resume, progress)
    torch.manual_seed(settings.run.seed)
    collection = collect_pictures(settings.data, settings.collect, data, progress)
    if not collection.validation:
        progress(NOTHING_TO_VALIDATE)
    return train_network(
        BandTask(settings, network, collection), out, fabric, resume=resume, progress=progress
    )


@dataclass(slots=True)
class BandTask:
    """A segmenter with a band, its samples, its loss and its score."""

    settings: BandRecipe
    network: SegmentationNetwork
    collection: Collection
    score: str = "score"
    samples: MatteSamples = field(init=False)

    def __post_init__(self) -> None:
        pictures = self.collection.training_pictures
        self.samples = MatteSamples(
            pictures("alpha"), pictures("cutout"), (), pictures("background"), self.settings.mix
        )

    @property
    def encoder(self) -> None:
        """None: the encoder does not change."""

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """Return `picture` (N, H, W, 3), `alpha` and `valid` (N, H, W), uint8, and a `seed`."""
        settings = self.settings
        random = np.random.default_rng([settings.run.seed, step, rank])
        size = draw_batch_size(settings.sizes, step / settings.run.steps, settings.aspects, random)
        drawn = [self.samples.sample(size, random) for _ in range(settings.run.batch)]
        return {
            **{name: np.stack([getattr(s, name) for s in drawn]) for name in SAMPLE_ARRAYS},
            "seed": np.array(random.integers(2**31)),
        }

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the band's loss where the samples count."""
        picture, alpha = batch["picture"], batch["alpha"]
        nowhere = torch.zeros(len(alpha), dtype=torch.bool, device=alpha.device)
        flat = {"foreground": picture, "background": picture, "alpha": alpha, "layered": nowhere}
        changed, _, _ = change_photometry({**flat, "seed": batch["seed"]}, self.settings.light)
        band = network(changed)[:, 1].float()
        return {"band": focal_loss(band, _is_soft(alpha), batch["valid"] > 0)}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the overlap of the band with the soft edge, per set, and their mean as the score.

        "soft SET" is the mean over a set's pictures of sum of minima over sum of maxima.
        """
        overlaps: dict[str, list[float]] = {}
        for name, _, found, soft in self._validation_bands(
            network, len(self.collection.validation)
        ):
            if soft.any():
                overlap = np.minimum(found, soft).sum() / np.maximum(found, soft).sum()
                overlaps.setdefault(name, []).append(float(overlap))
        means = {name: float(np.mean(values)) for name, values in sorted(overlaps.items())}
        score = float(np.mean(list(means.values()))) if means else 0.0
        return {self.score: score, **{f"soft {name}": value for name, value in means.items()}}

    def sheet(self, network: nn.Module) -> Uint8Array:
        """Draw picture, soft edge and band of a few validation pictures."""
        rows = [
            [picture, *(np.rint(255 * each).astype(np.uint8) for each in (soft, found))]
            for _, picture, found, soft in self._validation_bands(network, SHEET_PICTURES)
        ]
        return stack_rows(rows)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Write the network with its architecture, size and metrics."""
        info = CheckpointInfo(ARCHITECTURE, self.settings.sizes[-1], step, metrics)
        save_checkpoint(network, info, path)

    def export(self, checkpoint: Path) -> str:
        """Write the checkpoint's network as ONNX beside it."""
        return str(export_segmenter(checkpoint, checkpoint.with_suffix(".onnx")))

    def _validation_bands(
        self, network: nn.Module, count: int
    ) -> Iterator[tuple[str, Uint8Array, NDArray[Any], NDArray[Any]]]:
        """Iterate over validation pictures: set, picture, its band 0 … 1, and where it is soft."""
        place = next(network.parameters()).device
        size = self.settings.sizes[-1]
        alphas = [pair for pair in self.collection.validation if pair[1].kind == "alpha"]
        for name, item in alphas[:count]:
            box = letterbox(Image(item.picture), size, size)
            blob = torch.from_numpy(np.ascontiguousarray(box.pixels.transpose(2, 0, 1))[None])
            with torch.inference_mode():
                band = network(blob.to(place))[0, 1].float().sigmoid().cpu().numpy()
            inside = (slice(box.height), slice(box.width))
            picture = np.rint(box.pixels[inside] * 255).astype(np.uint8)
            yield name, picture, band[inside], _soft_in(item, box.height, box.width)


def _layers_before_band(network: SegmentationNetwork) -> int:
    """Return how many of the network's layers come before its band."""
    assert isinstance(network.network, DeepLabUnet)
    assert network.network.band is not None
    band = sum(1 for _ in weighted_layers(network.network.band))
    return sum(1 for _ in weighted_layers(network)) - band


def _soft_in(item: Sample, height: int, width: int) -> NDArray[np.float32]:
    """Return 1 where a picture's alpha, shrunk to a size, is soft, else 0."""
    alpha = cv2.resize(item.truth, (width, height), interpolation=cv2.INTER_AREA)
    return _is_soft(np.asarray(alpha)).astype(np.float32)


def _is_soft(alpha: MapT) -> MapT:
    """Return where alphas, 0 … 255, are soft."""
    return (alpha > LEAST_ALPHA) & (alpha < MOST_ALPHA)
