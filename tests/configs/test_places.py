from pathlib import Path

import pytest

from matte.configs.places import cache_folder, settings_file, weights_folder


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
