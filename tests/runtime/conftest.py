"""A machine with an NVIDIA GPU, as far as its driver and packages say."""

from pathlib import Path

import pytest

from matte.runtime import engine_store
from matte.runtime.execution import NetworkSource
from tests.runtime.engines import GPU, PATH, VERSION


@pytest.fixture
def nvidia_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and the driver's word that there is a GPU."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(engine_store, "nvidia_gpus", lambda: (GPU,))
    monkeypatch.setattr(engine_store, "installed_tensorrt_version", lambda: VERSION)


@pytest.fixture
def network(tmp_path: Path) -> NetworkSource:
    path = tmp_path / "net.onnx"
    path.write_bytes(PATH.read_bytes())
    return NetworkSource(path)
