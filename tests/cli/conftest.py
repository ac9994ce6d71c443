from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Mask
from matte.configs.settings import TrimapSettings
from matte.trimap.morphology import kernel_band
from tests import fakes
from tests.conftest import disc, save


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """`matte image` and `matte video` without networks."""
    monkeypatch.setattr("matte.pipeline.build.build", fakes.build)
    monkeypatch.setattr("matte.pipeline.networks.NetworkOpener", lambda config: None)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A picture, its mask and its trimap."""
    image, alpha = disc(96, 128)
    mask = Mask(np.where(alpha > 0.5, 255, 0).astype(np.uint8))
    trimap = kernel_band(mask, TrimapSettings(k=3, iterations=4))
    return (
        save(tmp_path / "photo.png", image),
        save(tmp_path / "mask.png", mask),
        save(tmp_path / "trimap.png", trimap),
    )
