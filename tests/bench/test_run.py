from pathlib import Path

import pytest

from matte.bench.run import link_or_copy


@pytest.mark.parametrize("links", [True, False])
def test_a_folder_is_lent_with_links_and_without(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path, target_is_directory: bool = False) -> None:
        raise OSError("a required privilege is not held by the client")

    folder, place = tmp_path / "weights", tmp_path / "home"
    (folder / "more").mkdir(parents=True)
    (folder / "more" / "own.onnx").write_bytes(b"network")
    if not links:
        monkeypatch.setattr(Path, "symlink_to", refuse)
    link_or_copy(folder, place)
    assert (place / "more" / "own.onnx").read_bytes() == b"network"
    assert place.is_symlink() == links
