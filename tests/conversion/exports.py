"""Networks that several tests export, each with its report, exported once in a run."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import nn

from matte.conversion.modnet_export import export_modnet
from matte.conversion.parity import ParityReport
from matte.conversion.refiner_export import export_refiner_network
from matte.conversion.segmenter_export import export_segmenter
from matte.modnet.network import ModnetInfo, ModnetNetwork
from matte.modnet.network import build_network as build_modnet
from matte.refiner.checkpoint import RefinerNetwork
from matte.refiner.network import GcaDesign, GcaNetwork
from matte.refiner.slim import SlimDesign, SlimNetwork
from matte.segmentation.network import (
    CheckpointInfo,
    SegmentationNetwork,
    build_network,
    save_checkpoint,
)
from tests.conftest import SharedFolder
from tests.trained_networks import lived_in

Network = TypeVar("Network", bound=nn.Module)

# How each is made, and whether its weights are stored as float16.
REFINERS: dict[str, tuple[Callable[[], RefinerNetwork], bool]] = {
    "slim": (SlimNetwork, True),
    "slim without attention": (lambda: SlimNetwork(SlimDesign(attention=False)), True),
    "gca": (lambda: GcaNetwork(GcaDesign(width=0.125)), False),
    "gca without attention": (
        lambda: GcaNetwork(GcaDesign(attention=False, trimap_channels=1, width=0.125)),
        True,
    ),
}
SMALL_MODNETS = {
    context: ModnetInfo(context=context, width=0.25, size=256) for context in ("se_block", "e_aspp")
}


@dataclass(frozen=True, slots=True, eq=False)
class ExportedNetwork(Generic[Network]):
    """A network in torch, and the report of its export, which names the file."""

    network: Network
    report: ParityReport

    @property
    def path(self) -> Path:
        return self.report.path


def half_equal(network: ModnetNetwork) -> ModnetNetwork:
    """The network as training leaves it, but every other norm of its branches as it began."""
    lived_in(network)
    norms = [m for m in network.lr_branch.modules() if isinstance(m, nn.BatchNorm2d)]
    norms += [m for m in network.f_branch.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms[::2]:
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
    return network


class NetworkExports:
    """Exports each network when it is asked for first, by whichever process of the run."""

    def __init__(self, shared_folder: SharedFolder) -> None:
        self._shared_folder = shared_folder
        self.refiner = cache(self._refiner)
        self.segmenter = cache(self._segmenter)
        self.modnet = cache(self._modnet)

    def _refiner(self, kind: str) -> ExportedNetwork[RefinerNetwork]:
        make, half = REFINERS[kind]

        def export(network: RefinerNetwork, path: Path) -> ParityReport:
            return export_refiner_network(network, path, half=half)

        return self._export_once(kind, make, export)

    def _segmenter(self, architecture: str) -> ExportedNetwork[SegmentationNetwork]:
        def export(network: SegmentationNetwork, path: Path) -> ParityReport:
            checkpoint = path.with_suffix(".safetensors")
            save_checkpoint(network, CheckpointInfo(architecture, 96, 5, {"iou": 0.5}), checkpoint)
            return export_segmenter(checkpoint, path)

        return self._export_once(architecture, lambda: build_network(architecture), export)

    def _modnet(self, context: str) -> ExportedNetwork[ModnetNetwork]:
        info = SMALL_MODNETS[context]
        return self._export_once(context, lambda: build_modnet(info), export_modnet, half_equal)

    def _export_once(
        self,
        name: str,
        make: Callable[[], Network],
        export: Callable[[Network, Path], ParityReport],
        live: Callable[[Network], Network] = lived_in,
    ) -> ExportedNetwork[Network]:
        torch.manual_seed(1)
        network = live(make())

        def fill(folder: Path) -> None:
            report = export(network, folder / "net.onnx")
            (folder / "report.pickle").write_bytes(pickle.dumps(report))

        folder = self._shared_folder(name, fill)
        report = pickle.loads((folder / "report.pickle").read_bytes())
        return ExportedNetwork(network, report)
