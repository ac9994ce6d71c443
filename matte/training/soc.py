"""Adapting a MODNet to pictures without truth: its branches are to agree.

Z. Ke et al., "MODNet: Real-Time Trimap-Free Portrait Matting via Objective Decomposition", 2022,
section on self-supervision by sub-objectives' consistency (SOC).

Agreement is no truth: it mends details where the semantic branch is right, and spreads its error
where it is not. So what counts is a validation on mattes of the same kind.
"""

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matte.datasets.samples import Sample
from matte.errors import SettingError
from matte.imaging.resizing import resize
from matte.modnet.adapter import network_size
from matte.modnet.checkpoint import metrics_of
from matte.modnet.network import KIND, Branches, ModnetNetwork
from matte.training.collection import LineReport, collect_pictures
from matte.training.machine import TrainingMachine, prepare_run
from matte.training.matte_scores import SCORE, matte_metrics, matte_sheet, to_modnet_input
from matte.training.modnet import export_beside, save_branched
from matte.training.modnet_losses import BranchedModnet, edge_band, semantic_target
from matte.training.modnet_settings import SocRecipe
from matte.training.run import train_network
from matte.training.settings import DataSet
from matte.training.start import load_stored_network
from matte.training.task import Batch

BAND_SHARE = 7.5 / 256  # of the short side: the band around the frozen copy's soft edge
AGREEMENT_PICTURES = 20  # to measure the branches' agreement on where there is no truth


def adapt_modnet(
    settings: SocRecipe,
    network: Path,
    pictures: Path,
    out: Path,
    *,
    validation: Path | None = None,
    machine: TrainingMachine | None = None,
    resume: bool = False,
    progress: LineReport = lambda _: None,
) -> Path:
    """Adapt a MODNet and return the path of the result, out/best.safetensors.

    best.onnx is beside it.

    `network`: a trained one, see `load_stored_network`. `pictures`: a folder, without truth.
    `validation`: a data set with truth that decides when the network is best, and whether it has
    become better at all: if not, the start is the result. Without one, the network of the best
    agreement between the branches is the result, and a line says that nothing was validated.
    """
    fabric = prepare_run(machine, settings.run, out, resume, progress)
    start = load_stored_network(network, KIND)
    assert isinstance(start, ModnetNetwork)
    unlabelled = collect_pictures(
        [DataSet(".", "backgrounds", held_back=0)], settings.collect, pictures, progress
    ).training_pictures("background")
    judged = _validation_pictures(settings, validation, progress) if validation else ()
    task = SocTask(settings, start, tuple(unlabelled), judged)
    before = task.validate(fabric.to_device(BranchedModnet(task.frozen)))
    best = train_network(task, out, fabric, resume=resume, progress=progress)
    if not fabric.is_global_zero:
        return best
    after = metrics_of(best)
    if not judged:
        progress("nothing was validated: compare the mattes before you use the network")
    elif after[SCORE] > before[SCORE]:
        progress(f"score {before[SCORE]:.4f} before, {after[SCORE]:.4f} after")
    else:
        progress(f"{validation} got no better: the network is kept as it was")
        task.save(BranchedModnet(task.frozen), best, 0, before)
        progress(task.export(best))
    return best


def _validation_pictures(
    settings: SocRecipe, folder: Path, progress: LineReport
) -> tuple[tuple[str, Sample], ...]:
    """Read the pictures of a validation folder, each with the folder's name; raise for none."""
    data = [DataSet(".", settings.layout, weight=0, held_back=1)]
    found = collect_pictures(data, settings.collect, folder, progress).validation
    if not found:
        raise SettingError(f"nothing to validate in {folder}", f"is its layout {settings.layout}?")
    return tuple((folder.name, sample) for _, sample in found)


@dataclass(slots=True)
class SocTask:
    """A MODNet, the frozen copy of its start, the pictures, and validation pictures if any."""

    settings: SocRecipe
    start: ModnetNetwork
    pictures: tuple[Sample, ...]
    judged: tuple[tuple[str, Sample], ...] = ()
    network: BranchedModnet = field(init=False)
    frozen: ModnetNetwork = field(init=False)
    score: str = field(default=SCORE, init=False)

    def __post_init__(self) -> None:
        self.network = BranchedModnet(self.start.requires_grad_(True))
        self.frozen = copy.deepcopy(self.start).eval().requires_grad_(False)

    @property
    def encoder(self) -> nn.Module:
        """The part that may be trained at a rate of its own."""
        return self.start.backbone

    def batch(self, step: int, rank: int) -> dict[str, NDArray[Any]]:
        """Return a random picture, uint8 (1, H, W, 3), resized and perhaps mirrored."""
        random = np.random.default_rng([self.settings.run.seed, step, rank])
        whole = self.pictures[int(random.integers(len(self.pictures)))].picture
        small = self._at_reference(whole)
        if random.random() < 0.5:
            small = small[:, ::-1]
        return {"picture": np.ascontiguousarray(small[None])}

    def losses(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the branches' disagreement, and the detail branch's with its first result."""
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()  # one picture's statistics are no batch's
        image = to_modnet_input(batch["picture"])
        with torch.no_grad():
            before = self.frozen.to(image.device).branches(image)
        apart = branch_disagreement(network(image), before)
        weights = self.settings
        return {
            "semantic": weights.semantic * apart["semantic"],
            "detail": weights.detail * apart["detail"],
            "keep": weights.keep * apart["keep"],
        }

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return `matte_metrics` where there is truth; else "score" is minus the disagreement."""
        assert isinstance(network, BranchedModnet)
        if self.judged:
            return matte_metrics(network, self.judged, self.start.info.size)
        found: list[list[float]] = []
        for item in self.pictures[:AGREEMENT_PICTURES]:
            place = next(network.parameters()).device
            small = torch.from_numpy(self._at_reference(item.picture)[None])
            image = to_modnet_input(small.to(place))
            with torch.inference_mode():
                before = self.frozen.to(place).branches(image)
                apart = branch_disagreement(network(image), before)
            found.append([float(apart["semantic"]), float(apart["detail"])])
        semantic, detail = (float(mean) for mean in np.mean(found, axis=0))
        total = self.settings.semantic * semantic + self.settings.detail * detail
        return {SCORE: -total, "semantic": semantic, "detail": detail}

    def _at_reference(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture (H, W, 3) at the size at which the network is fed."""
        height, width = picture.shape[:2]
        return resize(picture, *network_size(height, width, self.start.info.size))

    def sheet(self, network: nn.Module) -> NDArray[np.uint8]:
        """Draw the `matte_sheet` of the validation pictures, or of the first pictures."""
        assert isinstance(network, BranchedModnet)
        shown = self.judged or [("", item) for item in self.pictures]
        return matte_sheet(network, shown, self.start.info.size)

    def save(self, network: nn.Module, path: Path, step: int, metrics: dict[str, float]) -> None:
        """Write the MODNet with its design and metrics."""
        save_branched(network, path, step, metrics)

    def export(self, checkpoint: Path) -> str:
        """Write the checkpoint's network as ONNX beside it."""
        return export_beside(checkpoint)


def branch_disagreement(found: Branches, before: Branches) -> dict[str, Tensor]:
    """Return "semantic": mean squared difference between the semantic branch and the matte,
    averaged and blurred; "detail" and "keep": mean difference of the detail branch to the matte,
    and to what the frozen copy's, near the frozen copy's soft edge.

    Branches learn from the matte, and it learns from them.
    """
    height, width = found.matte.shape[2:]
    near = edge_band(before.matte, max(1, round(BAND_SHARE * min(height, width))))
    pixels = near.sum().clamp(min=1)
    return {
        "semantic": (found.semantic - semantic_target(found.matte)[0]).square().mean(),
        "detail": ((found.detail - found.matte).abs() * near).sum() / pixels,
        "keep": ((found.detail - before.detail).abs() * near).sum() / pixels,
    }
