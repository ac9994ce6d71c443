from pathlib import Path

import pytest

from matte.configs.places import cache, stored_weights, user_config


def test_one_variable_moves_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    assert user_config() == tmp_path / "config.toml"
    assert cache() == tmp_path / "cache"
    assert stored_weights() == tmp_path / "weights"


def test_without_it_the_systems_folders_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MATTE_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert cache() == tmp_path / "matte"
    assert user_config() == Path.home() / ".config" / "matte" / "config.toml"
