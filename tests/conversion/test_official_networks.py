"""Official checkpoints, through the command, to the official result on every runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from numpy.typing import NDArray

from matte.media.pictures import read_alpha
from matte.weights.store import find_weights
from tests.commands import run
from tests.conftest import save
from tests.tolerances import OFFICIAL, OFFICIAL_MODNET

pytestmark = pytest.mark.conversion

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def store(gca_home: Path, modnet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store into which both official checkpoints were imported by the command."""
    home = tmp_path_factory.mktemp("home")
    (home / "weights").mkdir()
    manifest = ""
    for imported in (gca_home / "weights", modnet_home / "weights"):
        manifest += (imported / "manifest.toml").read_text() + "\n"
        for file in imported.glob("my-*"):
            (home / "weights" / file.name).hardlink_to(file)
    (home / "weights/manifest.toml").write_text(manifest)
    return home


@pytest.fixture(autouse=True)
def use_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTE_HOME", str(store))


def golden(case: str) -> dict[str, NDArray[Any]]:
    """What went into the official code, and what came out."""
    with np.load(GOLDEN / case) as data:
        return dict(data)


def refined(tmp_path: Path, case: str, *options: str) -> tuple[Result, Path]:
    data = golden(case)
    photo = save(tmp_path / "photo.png", data["rgb"])
    trimap = save(tmp_path / "trimap.png", data["trimap"])
    out = tmp_path / "alpha.npy"
    return run("refine", photo, trimap, "-o", out, "--weights", "my-gca", *options), out


@pytest.mark.parametrize("backend", ["torch", "onnx", "openvino"])
@pytest.mark.parametrize("case", ["gca_203x311.npz", "gca_256x320.npz"])
def test_official_gca(tmp_path: Path, case: str, backend: str) -> None:
    result, out = refined(tmp_path, case, "--protocol", "demo", "--backend", backend)
    assert result.exit_code == 0, result.output
    expected = golden(case)["alpha"]
    assert np.abs(read_alpha(out) - expected).max() <= OFFICIAL


@pytest.mark.parametrize(
    ("options", "tolerance"),
    [
        ([], OFFICIAL),  # auto: torch, since a protocol is named
        (["--backend", "torch"], OFFICIAL),
        (["--backend", "onnx"], OFFICIAL_MODNET),
        (["--backend", "openvino"], OFFICIAL_MODNET),
    ],
)
def test_official_modnet(tmp_path: Path, options: list[str], tolerance: float) -> None:
    data = golden("modnet_256x320.npz")
    photo = save(tmp_path / "photo.png", data["rgb"])
    alpha, cut = tmp_path / "alpha.npy", tmp_path / "cut.png"
    named = ["--trimap-free", "--modnet", "my-modnet", "--protocol", "native"]
    result = run("image", photo, *named, "--alpha", alpha, "-o", cut, *options)
    assert result.exit_code == 0, result.output
    assert np.abs(read_alpha(alpha) - data["matte"].squeeze()).max() <= tolerance


def test_the_store_tells_what_it_holds() -> None:
    listed = run("weights", "list", "--verbose").stdout
    assert "25.16 M parameters, 25.19 M values" in listed
    assert "6.49 M parameters" in listed
    assert "non-commercial" in listed
    assert run("weights", "verify").stdout.count("ok  ") >= 3
    assert run("weights", "path", "my-gca").stdout.strip().endswith("my-gca.onnx")
    assert find_weights("refiner", "my-gca").torch_path is not None
