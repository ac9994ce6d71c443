"""Training a MODNet."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.conversion.modnet_export import export_modnet
from matte.modnet.checkpoint import load_network, save_network
from matte.modnet.network import ModnetInfo, ModnetNetwork, build_network
from matte.training.collection import Collection, LineReport, collect_pictures
from matte.training.machine import TrainingMachine, prepare_run
from matte.training.matte_scores import SCORE, matte_metrics, matte_sheet, to_modnet_input
from matte.training.modnet_losses import BranchedModnet, modnet_losses
from matte.training.modnet_settings import ModnetRecipe
from matte.training.run import train_network
from matte.training.sizes import draw_batch_size
from matte.training.start import refit_norms, start_modnet
from matte.training.synthesis.matte_samples import MatteSample, MatteSamples
from matte.training.synthesis.photometric import change_photometry
from matte.training.task import NOTHING_TO_VALIDATE, Batch

BAND_WIDTHS = (10, 20)  # the widths of the authors' band in a picture of 256 pixels


class SampleSource(Protocol):
    """A source of training samples."""

    def sample(self, size: tuple[int, int], random: np.random.Generator) -> MatteSample:
        """Draw a sample of that height and width, a function of the generator's state."""
        ...


def train_modnet(
    settings: ModnetRecipe,
    data: Path,
    out: Path,
    *,
    machine: TrainingMachine | None = None,
    init: Path | None = None,
    resume: bool = False,
    progress: LineReport = lambda _: None,
) -> Path:
    """Train a MODNet and return the best checkpoint, out/best.safetensors; best.onnx is beside it.

    `data`: the folder that the settings' data sets lie in. `init`: weights to start from, see
    `start_modnet`.
    """
    fabric = prepare_run(machine, settings.run, out, resume, progress)
    torch.manual_seed(settings.run.seed)
    info = ModnetInfo(settings.encoder, settings.context, settings.width, settings.reference)
    network = build_network(info)
    collection = collect_pictures(settings.data, settings.collect, data, progress)
    samples = MatteSamples(
        alphas=collection.training_pictures("alpha"),
        cutouts=collection.training_pictures("cutout"),
        masks=collection.training_pictures("mask"),
        backgrounds=collection.training_pictures("background"),
        mix=settings.mix,
    )
    task = ModnetTask(settings, BranchedModnet(network), samples, collection)
    if init is not None and not resume:
        start_modnet(network, init)
        pictures = to_modnet_input(torch.from_numpy(task.batch(0, 0)["picture"]))
        refit_norms(network, pictures)
    if not collection.validation:
        progress(NOTHING_TO_VALIDATE)
    return train_network(task, out, fabric, resume=resume, progress=progress)


@dataclass(slots=True)
class ModnetTask:
    """A MODNet, its samples, its losses and its scores."""

    settings: ModnetRecipe
    network: BranchedModnet
    samples: SampleSource
    collection: Collection
    score: str = field(default=SCORE, init=False)

    @property
    def encoder(self) -> nn.Module:
        """The part that starts from released weights."""
        return self.network.network.backbone

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """Return the stacked samples of a step, and a seed for what the device changes.

        `picture` is (N, H, W, 3), `alpha` and `valid` (N, H, W), uint8; `exact` (N,) bool; `reach`,
        how wide the band is on each side of the edge; `seed`.
        """
        settings = self.settings
        random = np.random.default_rng([settings.run.seed, step, rank])
        size = draw_batch_size(settings.sizes, step / settings.run.steps, settings.aspects, random)
        drawn = [self.samples.sample(size, random) for _ in range(settings.run.batch)]
        reach = min(size) / 256 * random.integers(*BAND_WIDTHS) / 2
        return {
            "picture": np.stack([s.picture for s in drawn]),
            "alpha": np.stack([s.alpha for s in drawn]),
            "valid": np.stack([s.valid for s in drawn]),
            "exact": np.array([s.exact for s in drawn]),
            "reach": np.array(max(1, round(reach))),
            "seed": np.array(random.integers(2**31)),
        }

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the losses of the three branches and of the composition."""
        picture, alpha = batch["picture"], batch["alpha"]
        flat = {
            "foreground": picture,
            "background": picture,
            "alpha": alpha,
            "layered": torch.zeros_like(batch["exact"]),
            "seed": batch["seed"],
        }
        changed, _, _ = change_photometry(flat, self.settings.light)
        return modnet_losses(
            network(changed * 2 - 1),
            changed,
            alpha[:, None].float() / 255,
            batch["valid"][:, None].float(),
            batch["exact"],
            int(batch["reach"]),
            self.settings.goal,
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the `matte_metrics` of the validation pictures."""
        assert isinstance(network, BranchedModnet)
        return matte_metrics(network, self.collection.validation, self.settings.reference)

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw the `matte_sheet` of the validation pictures."""
        assert isinstance(network, BranchedModnet)
        return matte_sheet(network, self.collection.validation, self.settings.reference)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Write the MODNet with its design and metrics."""
        save_branched(network, path, step, metrics)

    def export(self, checkpoint: Path) -> str:
        """Write the checkpoint's network as ONNX beside it."""
        return export_beside(checkpoint)


def export_beside(checkpoint: Path) -> str:
    """Write a MODNet checkpoint's network as ONNX beside it; report how well torch agrees."""
    return str(export_modnet(load_network(checkpoint), checkpoint.with_suffix(".onnx")))


def save_branched(network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
    """Write the MODNet whose branches are trained."""
    assert isinstance(network, BranchedModnet)
    inner = network.network
    assert isinstance(inner, ModnetNetwork)
    save_network(inner, path, step, metrics)
