from pathlib import Path

import pytest

from matte.configs.places import cache_folder, settings_file, weights_folder
from matte.weights.store import all_weights


def test_one_variable_moves_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    assert settings_file() == tmp_path / "config.toml"
    assert cache_folder() == tmp_path / "cache"
    assert weights_folder() == tmp_path / "weights"


def test_without_it_the_systems_folders_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MATTE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert cache_folder() == tmp_path / "matte"
    assert settings_file() == Path.home() / ".config" / "matte" / "config.toml"


def test_without_a_home_nothing_is_found_and_nothing_can_be_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("MATTE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "~")
    for path in (settings_file(), cache_folder(), weights_folder()):
        assert not path.exists()
        assert "set HOME or MATTE_HOME" in str(path)
        with pytest.raises(OSError, match="Not a directory"):
            path.mkdir(parents=True)
    assert "person" in all_weights()
