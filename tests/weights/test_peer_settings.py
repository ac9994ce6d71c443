from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.weights.peer_settings import read_peer_settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not complete"),
        ('file = "first.onnx"\nsize = 9999', "size = 9999: give 0"),
        ('file = "first.onnx"\noutput = -1', "output = -1: count from 0"),
        ("file = 3", "file = 3: give text"),
    ],
)
def test_a_toml_that_describes_no_network_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    toml = tmp_path / "peer.toml"
    toml.write_text(text)
    with pytest.raises(SettingError, match=message):
        read_peer_settings(toml)
