from dataclasses import replace
from pathlib import Path

import pytest

from matte.configs.settings import SegmentationSettings
from matte.errors import SettingError, WeightsError
from matte.weights.store import (
    SHIPPED_FOLDER,
    Weights,
    all_weights,
    find_weights,
    storage_status,
)

SHIPPED_NAME = SegmentationSettings().segmenter


def test_every_shipped_network_is_whole_and_described() -> None:
    shipped = {n: w for n, w in all_weights().items() if storage_status(w) == "shipped"}
    assert shipped
    for weights in shipped.values():
        weights.check()
        assert weights.kind in ("segmenter", "refiner", "modnet")
        assert weights.licence
        assert weights.parameters > 0
    files = {name for w in shipped.values() for name in (w.file, w.int8) if name}
    assert files == {p.name for p in SHIPPED_FOLDER.glob("*.onnx")}


def test_a_damaged_file_is_told(tmp_path: Path, own_home: Path) -> None:
    folder = own_home / "weights"
    folder.mkdir(exist_ok=True)
    (folder / "manifest.toml").write_text('[mine]\nfile = "m.onnx"\nkind = "segmenter"\n')
    try:
        with pytest.raises(WeightsError, match=r"can't read .*m\.onnx"):
            find_weights("segmenter", "mine")
        (folder / "m.onnx").write_bytes(b"\x3a\x00")  # an empty graph
        assert find_weights("segmenter", "mine").path == folder / "m.onnx"
        row = '[mine]\nfile = "m.onnx"\nkind = "segmenter"\n'
        (folder / "manifest.toml").write_text(row + 'sha256 = "00"\n')
        with pytest.raises(WeightsError, match=r"m\.onnx is damaged: store it again"):
            find_weights("segmenter", "mine")
        (folder / "manifest.toml").write_text("x = 3\n")
        with pytest.raises(SettingError, match=r"manifest\.toml: x = 3 is not a table"):
            all_weights()
    finally:
        (folder / "manifest.toml").unlink()


def test_files_are_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(all_weights()[SHIPPED_NAME].path.read_bytes())
    assert find_weights("segmenter", str(path)).path == path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (f"{SHIPPED_NAME}t", f"no segmenter '{SHIPPED_NAME}t': did you mean '{SHIPPED_NAME}'"),
        ("none.onnx", "can't read none.onnx \\(No such file"),
        (".", "can't read . \\(Is a directory"),
    ],
)
def test_what_is_not_there_is_named(name: str, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        find_weights("segmenter", name)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(WeightsError, match=r"weights\.pth is not a whole ONNX file: give"):
        find_weights("segmenter", str(path))


def test_a_network_of_another_kind_is_not_found() -> None:
    with pytest.raises(WeightsError, match=f"no modnet '{SHIPPED_NAME}'"):
        find_weights("modnet", SHIPPED_NAME)


def test_cut_and_foreign_files_are_no_networks(tmp_path: Path) -> None:
    whole = all_weights()[SHIPPED_NAME].path.read_bytes()
    path = tmp_path / "own.onnx"
    for data in (b"", b"\x08", b"\x08\x09", b"\xff" * 50, whole[:-1], whole[:5000], b"GIF89a"):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=r"own\.onnx is not a whole ONNX file"):
            find_weights("segmenter", str(path))


def test_a_manifest_with_the_former_key_still_counts(store: Path) -> None:
    row = '[old]\nfile = "old.onnx"\nkind = "segmenter"\nas_good_in = ["bf16"]\n'
    (store / "manifest.toml").write_text(row)
    assert all_weights()["old"].accurate_precisions == ("bf16",)


@pytest.mark.parametrize("key", ["file", "int8", "checkpoint"])
@pytest.mark.parametrize("name", ["../x.onnx", "/etc/passwd", "a/../../x", "C:\\x", "a\0"])
def test_a_row_names_no_file_outside_the_store(key: str, name: str) -> None:
    with pytest.raises(SettingError, match="name a file in the manifest's folder"):
        replace(Weights("x.onnx", "modnet"), **{key: name})  # type: ignore[arg-type]  # all texts


@pytest.mark.parametrize("name", ["", "."])
def test_a_row_names_a_file(name: str) -> None:
    with pytest.raises(SettingError, match=r"file = '\.?': name a file in the manifest's folder"):
        Weights(name, "modnet")
