from pathlib import Path

import pytest

from matte.conversion.storing import check_new_name, store_network, working_folder
from matte.errors import OutputError, SettingError
from matte.weights.store import Weights, weights_named


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "home"))
    return tmp_path / "home/weights"


def test_a_network_gets_its_name_and_its_origin(tmp_path: Path, store: Path) -> None:
    file = tmp_path / "odd\nname.onnx"
    file.write_bytes(b"given")
    with working_folder() as made:
        (made / "mine.onnx").write_bytes(b"made")
        row = Weights("mine.onnx", "segmenter", origin="somebody")
        stored = store_network("mine", row, made, file)
    assert weights_named("mine") == stored
    assert stored.origin.startswith("somebody; imported from odd\\nname.onnx, sha256 ")
    stored.check()
    assert sorted(path.name for path in store.iterdir()) == ["manifest.toml", "mine.onnx"]


def test_a_failure_leaves_no_folder(store: Path) -> None:
    def fail() -> None:
        with working_folder() as made:
            (made / "half.onnx").write_bytes(b"half")
            raise SettingError("no", "never")

    with pytest.raises(SettingError):
        fail()
    assert list(store.iterdir()) == []


def test_names_are_checked(tmp_path: Path, store: Path) -> None:
    check_new_name("u2netp", overwrite=False)  # it was not fetched
    for name in ("", ".", "a b", "../x", "a\n"):
        with pytest.raises(SettingError, match="can't be a name"):
            check_new_name(name, overwrite=True)
    with pytest.raises(SettingError, match="'person' is stored already"):
        check_new_name("person", overwrite=False)
    with pytest.raises(SettingError, match="'person' is one of matte's own names"):
        check_new_name("person", overwrite=True)


def test_a_store_that_is_a_file_is_said(store: Path) -> None:
    store.parent.mkdir()
    store.write_text("")
    with pytest.raises(OutputError, match="can't make the folder"), working_folder():
        pass
