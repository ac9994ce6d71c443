from pathlib import Path

import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import SettingError
from matte.evaluation.peer_networks import open_peer_networks
from tests.evaluation.conftest import Write


def test_a_peer_that_takes_a_trimap_is_compared_with_refiners_only(
    tmp_path: Path, linear_network: Write
) -> None:
    linear_network("levels", [[0, 0, 0, 0.5]], [0], shape=(1, 4, "h", "w"))
    toml = tmp_path / "mine.toml"
    toml.write_text('file = "levels.onnx"\ntrimap = "levels"')
    runtime = RuntimeSettings(backend="onnx", threads=1)
    assert [p.name for p in open_peer_networks([toml], runtime, with_trimap=True)] == ["mine"]
    with pytest.raises(SettingError, match="mine needs a trimap: compare it with a refiner"):
        open_peer_networks([toml], runtime, with_trimap=False)
