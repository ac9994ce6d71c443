"""Networks of one's own, in a store that only the test sees."""

from pathlib import Path

import pytest


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's networks: `one`, that `two` was measured with."""
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    folder = tmp_path / "weights"
    folder.mkdir()
    list_networks(folder, one="11", two="22")
    return folder


def list_networks(folder: Path, **sha256: str) -> None:
    """Writes a manifest of refiners."""
    rows = (
        f'[{name}]\nfile = "{name}.onnx"\nkind = "refiner"\nrecipe = "gca-slim"\nsha256 = "{sha}"\n'
        for name, sha in sha256.items()
    )
    (folder / "manifest.toml").write_text("\n".join(rows))
