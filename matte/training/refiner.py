"""Training a refiner."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.arrays import UNKNOWN, Alpha, Image, Trimap, Uint8Array
from matte.conversion.refiner_export import export_refiner
from matte.datasets.samples import Sample
from matte.evaluation.blind import BlindBaseline
from matte.evaluation.trimaps import trimaps_from_alpha
from matte.refiner.checkpoint import RefinerNetwork, save_network
from matte.refiner.network import GcaDesign, GcaNetwork, with_spectral_norm, without_spectral_norm
from matte.refiner.protocols import MULTIPLE
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.training.collection import Collection, LineReport, collect_pictures
from matte.training.losses import absolute_loss, gradient_loss, laplacian_loss
from matte.training.machine import TrainingMachine, prepare_run
from matte.training.run import train_network
from matte.training.settings import RefinerRecipe
from matte.training.sheets import stack_rows
from matte.training.sizes import draw_batch_size
from matte.training.start import refit_norms, start_refiner
from matte.training.synthesis.photometric import change_photometry
from matte.training.synthesis.refiner_samples import RefinerSamples
from matte.training.task import NOTHING_TO_VALIDATE, Batch, mean_over_sets

SHEET_PICTURES = 8  # pictures on the sheet
BAND_PIXELS = 15  # mean width of the trimaps that are validated on, in pixels


def train_refiner(
    settings: RefinerRecipe,
    data: Path,
    out: Path,
    *,
    machine: TrainingMachine | None = None,
    init: Path | None = None,
    resume: bool = False,
    progress: LineReport = lambda _: None,
) -> Path:
    """Train a refiner and return the best checkpoint, out/best.safetensors; best.onnx is beside it.

    `data`: the folder that the settings' data sets lie in. `init`: weights to start from, see
    `start_refiner`.
    """
    fabric = prepare_run(machine, settings.run, out, resume, progress)
    torch.manual_seed(settings.run.seed)
    network = build_refiner_network(settings)
    task = RefinerTask(
        settings, network, collect_pictures(settings.data, settings.collect, data, progress)
    )
    if init is not None and not resume:
        start_refiner(network, init)
        refit_norms(network, *_network_inputs(_to_tensors(task.batch(0, 0))))
    if isinstance(network, GcaNetwork):
        task.network = with_spectral_norm(network)
    if not task.validation:
        progress(NOTHING_TO_VALIDATE)
    return train_network(task, out, fabric, resume=resume, progress=progress)


@dataclass(slots=True)
class RefinerTask:
    """A refiner, its samples, its losses and its scores."""

    settings: RefinerRecipe
    network: RefinerNetwork
    collection: Collection
    score: str = "score"
    samples: RefinerSamples = field(init=False)
    validation: list[tuple[str, Sample, Trimap]] = field(init=False)

    def __post_init__(self) -> None:
        pictures = self.collection.training_pictures
        self.samples = RefinerSamples(
            pictures("alpha"),
            pictures("cutout"),
            pictures("mask"),
            pictures("background"),
            self.settings.mix,
        )
        draw = trimaps_from_alpha(BAND_PIXELS).draw
        self.validation = [
            (name, s, draw(s.name, Image(s.picture), _alpha_of(s)))
            for name, s in self.collection.validation
            if s.kind == "alpha"
        ]

    @property
    def encoder(self) -> nn.Module | None:
        """The part that starts from released weights."""
        return self.network.encoder if isinstance(self.network, SlimNetwork) else None

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of `RefinerSample`, stacked, and a seed for the device's light."""
        run = self.settings.run
        random = np.random.default_rng([run.seed, step, rank])
        part = step / run.steps
        size = draw_batch_size(self.settings.sizes, part, self.settings.aspects, random)
        drawn = [self.samples.sample(size, random) for _ in range(run.batch)]
        names = ("picture", "foreground", "background", "alpha", "trimap", "valid")
        return {
            **{name: np.stack([getattr(s, name) for s in drawn]) for name in names},
            "layered": np.array([s.layered for s in drawn]),
            "seed": np.array(random.integers(2**31)),
        }

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted losses over the unknown region, where the sample counts."""
        picture, foreground, background = change_photometry(batch)
        alpha, trimap = (batch[name][:, None].float() / 255 for name in ("alpha", "trimap"))
        counts = (batch["valid"][:, None] > 0).float()
        region = (batch["trimap"][:, None] == UNKNOWN).float() * counts
        found = network(picture.contiguous(memory_format=torch.channels_last), trimap).float()
        goal = self.settings.goal
        losses = {
            "alpha": goal.alpha * absolute_loss(found, alpha, region),
            "laplacian": goal.laplacian * laplacian_loss(found, alpha, region),
            "gradient": goal.gradient * gradient_loss(found, alpha, region),
        }
        layered = region * batch["layered"][:, None, None, None]
        composed = found * foreground + (1 - found) * background
        losses["composition"] = goal.composition * absolute_loss(composed, picture, layered)
        return losses

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the errors in the unknown region per set, and their score over all sets.

        "sad SET" is the mean sum of absolute differences in thousands, "blind SET" that error over
        that of a guess without the picture; "score" is one minus the latter's `mean_over_sets`.
        """
        sads: dict[str, list[float]] = {}
        blinds: dict[str, list[float]] = {}
        for name, sample, trimap, alpha in self._validation_alphas(network, len(self.validation)):
            truth = sample.truth.astype(np.float32) / 255
            unknown = trimap == UNKNOWN
            sads.setdefault(name, []).append(float(np.abs(alpha - truth)[unknown].sum() / 1000))
            guess = BlindBaseline().refine(Image(sample.picture), trimap).alpha
            blinds.setdefault(name, []).append(float(np.abs(guess - truth)[unknown].sum() / 1000))
        ratios = {name: sum(sads[name]) / max(1e-9, sum(blinds[name])) for name in sorted(sads)}
        return {
            self.score: 1 - mean_over_sets(ratios, sads) if ratios else 0.0,
            **{f"sad {name}": float(np.mean(values)) for name, values in sorted(sads.items())},
            **{f"blind {name}": value for name, value in ratios.items()},
        }

    def sheet(self, network: nn.Module) -> Uint8Array:
        """Draw picture, trimap, truth and alpha of a few validation pictures."""
        rows = []
        for _, sample, trimap, alpha in self._validation_alphas(network, SHEET_PICTURES):
            found = np.rint(alpha * 255).astype(np.uint8)
            rows.append([sample.picture, trimap, sample.truth, found])
        return stack_rows(rows)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Write the network with its design."""
        assert isinstance(network, GcaNetwork | SlimNetwork)
        plain = without_spectral_norm(network) if isinstance(network, GcaNetwork) else network
        save_network(plain, path)

    def export(self, checkpoint: Path) -> str:
        """Write the checkpoint's network as ONNX beside it."""
        return str(export_refiner(checkpoint, checkpoint.with_suffix(".onnx")))

    def _validation_alphas(
        self, network: nn.Module, count: int
    ) -> Iterator[tuple[str, Sample, Trimap, NDArray[np.float32]]]:
        """Iterate over validation pictures with their trimaps and the network's alphas."""
        place = next(network.parameters()).device
        for name, sample, trimap in self.validation[:count]:
            height, width = trimap.shape
            below, beside = -height % MULTIPLE, -width % MULTIPLE
            picture = np.pad(sample.picture, ((0, below), (0, beside), (0, 0)), mode="reflect")
            known = np.pad(trimap, ((0, below), (0, beside)), mode="reflect")
            with torch.inference_mode():
                alpha = network(
                    torch.from_numpy(picture).to(place).permute(2, 0, 1)[None].float() / 255,
                    torch.from_numpy(known).to(place)[None, None].float() / 255,
                )
            yield name, sample, trimap, alpha[0, 0, :height, :width].float().cpu().numpy()


def _alpha_of(sample: Sample) -> Alpha:
    """Return a sample's truth as alpha (H, W), 0 … 1."""
    return Alpha((sample.truth / 255).astype(np.float32))


def build_refiner_network(settings: RefinerRecipe) -> RefinerNetwork:
    """Build the network of a recipe, with random weights."""
    if settings.architecture == "gca-slim":
        return SlimNetwork(SlimDesign(settings.attention))
    return GcaNetwork(GcaDesign(settings.attention, width=settings.width))


def _to_tensors(batch: dict[str, NDArray[Any]]) -> Batch:
    """Convert a batch's arrays to tensors, by name."""
    return {name: torch.from_numpy(np.asarray(values)) for name, values in batch.items()}


def _network_inputs(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return pictures with random changes of light and colour, and their trimaps, both 0 … 1."""
    return change_photometry(batch)[0], batch["trimap"][:, None].float() / 255
