"""GCA networks to ONNX.

The file takes `image`, float32 RGB 0 … 1 (batch, 3, height, width), `trimap`, float32 (batch, 1,
height, width) with 0, 0.5 and 1, and `unknown_ratio`, float32 (batch,), −1 for the trimap's own; a
network without attention has no use for the ratio and does not take it. It gives `alpha`, float32
(batch, 1, height, width), 0 and 1 where the trimap knows. Batch is free, height and width are
multiples of 32.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
import torch
from onnx import helper
from torch import Tensor

from matte.conversion.graphs import Difference, differences, refuse_difference, traced, verified
from matte.errors import SettingError
from matte.refiner.network import GcaNetwork, without_spectral_norm
from matte.refiner.protocols import MULTIPLE

KIND = "refiner"
SIZES = ((32, 64), (96, 160), (192, 128))


@dataclass(frozen=True, slots=True)
class ParityReport:
    """The file that was written, and how far the runtimes are from torch."""

    path: Path
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        worst = max(self.differences, key=lambda d: d.largest)
        return f"{self.path.name} (gca): at most {worst.largest:.1e} from torch ({worst.runtime})"


def export_gca(
    network: GcaNetwork, path: Path, size: tuple[int, int] | None = None
) -> ParityReport:
    """Writes the network as ONNX, for one height and width or for any, and returns how well ONNX
    Runtime and OpenVINO agree with torch. Nothing is left at `path` when they don't.
    """
    if size and any(length < MULTIPLE or length % MULTIPLE for length in size):
        raise SettingError(f"{size[1]}×{size[0]} pixels", f"give multiples of {MULTIPLE}")
    plain = without_spectral_norm(network)
    plain.set_queries(None)
    example = _case(plain, *(size or (2 * MULTIPLE, 3 * MULTIPLE)))
    model = traced(plain, example, ["alpha"], free=size is None)
    design = json.dumps(asdict(plain.design))
    notes = {"matte.kind": KIND, "matte.architecture": "gca", "matte.design": design}
    helper.set_model_props(model, notes)
    with verified(path) as temporary:
        onnx.save(model, temporary)
        onnx.checker.check_model(temporary, full_check=True)
        cases = (_case(plain, *s) for s in ((size,) if size else SIZES))
        report = ParityReport(path, tuple(differences(temporary, plain, cases)))
        refuse_difference(report.differences)
    return report


def _case(network: GcaNetwork, height: int, width: int) -> Mapping[str, Tensor]:
    """Two pictures of smooth noise, one with its own share of unknown, one with a given one."""
    random = torch.Generator().manual_seed(height)
    noise = torch.rand(2, 4, height // 16, width // 16, generator=random)
    smooth = noise.repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)
    inputs = {"image": smooth[:, :3], "trimap": (2.98 * smooth[:, 3:]).floor() / 2}
    if network.design.attention:
        inputs["unknown_ratio"] = torch.tensor([-1.0, 0.3])
    return inputs
