from pathlib import Path

import pytest

from matte.errors import StoreError
from matte.stores.folder import FolderStore
from matte.stores.protocol import Store
from tests.stores.contract import StoreContract


class TestFolder(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return FolderStore(tmp_path / "not-there-yet")


def test_a_folder_is_no_object(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (tmp_path / "folder").mkdir()
    assert store.facts("folder") is None
    assert store.address("folder/a.jpg") == str(tmp_path / "folder/a.jpg")
    with pytest.raises(StoreError, match="is a folder"):
        store.write("folder", b"data", overwrite=True)
    (tmp_path / "file").write_bytes(b"")
    assert store.facts("file/below") is None
