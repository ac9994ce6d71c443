from pathlib import Path

import pytest

from matte.cli.fleet import _variant_settings
from matte.configs.loader import merge_settings
from matte.errors import SettingError
from tests.commands import run


def test_places_are_folders_or_known_stores(tmp_path: Path) -> None:
    for words in (("gs://bucket/in", tmp_path), (tmp_path, "gs://bucket/out")):
        done = run("fleet", *words)
        assert done.exit_code == 2
        assert "gs:// names no store that is known: give an s3:// address" in done.stderr


def test_variants_are_presets_and_files_with_the_flags_on_top(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('preset = "fast"\n[refiner]\nrefiner = "guided"\n')
    settings = merge_settings("balanced", flags={"k": 5, "threads": 2})
    found = dict(_variant_settings(["fast", str(file)], settings))
    assert [merged.preset for merged in found.values()] == ["fast", "fast"]
    assert found["own"].config.refiner.refiner == "guided"
    assert {merged.config.trimap.k for merged in found.values()} == {5}
    assert {merged.config.runtime.threads for merged in found.values()} == {2}
    assert dict(_variant_settings([], settings)) == {"": settings}


def test_a_variant_is_named_once() -> None:
    with pytest.raises(SettingError, match="named twice"):
        list(_variant_settings(["fast", "fast"], merge_settings()))
    with pytest.raises(SettingError, match="no preset"):
        list(_variant_settings(["fastest"], merge_settings()))
