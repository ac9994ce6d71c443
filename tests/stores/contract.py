"""What every store promises, as tests that each store's test class inherits."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from matte.errors import ExistingObjectError, MissingObjectError, StoreError
from matte.stores.protocol import Store

NAMES = ("a.jpg", "folder/b.jpg", "folder/deep/ü ä%20+&<.jpg", "folder-2/c.jpg", ".hidden/d")


class StoreContract:
    """A fixture of the class gives an empty store."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    def test_what_is_written_is_read_and_listed(self, store: Store) -> None:
        assert list(store.objects()) == []
        for name in NAMES:
            store.write(name, name.encode())
        found = {facts.name: facts for facts in store.objects()}
        assert sorted(found) == sorted(NAMES)
        for name in NAMES:
            read = store.read(name)
            assert read.data == name.encode()
            assert read.facts == found[name] == store.facts(name)
            assert read.facts.size == len(name.encode())
            assert read.facts.modified_ns > 10**18
        assert [f.name for f in store.objects("folder")] == sorted(NAMES[1:3])
        assert list(store.objects("nowhere")) == []
        assert store.retries == 0

    def test_nothing_is_replaced_unasked(self, store: Store) -> None:
        store.write("a", b"first")
        with pytest.raises(ExistingObjectError, match="a exists: choose another name or add"):
            store.write("a", b"second")
        assert store.read("a").data == b"first"
        store.write("a", b"third", overwrite=True)
        assert store.read("a").data == b"third"

    def test_what_is_not_there(self, store: Store) -> None:
        assert store.facts("gone") is None
        with pytest.raises(MissingObjectError, match="gone is not there"):
            store.read("gone")
        store.write("gone", b"")
        assert store.read("gone").data == b""
        store.delete("gone")
        store.delete("gone")
        assert store.facts("gone") is None

    def test_what_is_too_large_is_not_read(self, store: Store) -> None:
        store.write("a", b"12345")
        assert store.read("a", 5).data == b"12345"
        with pytest.raises(StoreError, match="over"):
            store.read("a", 4)

    @pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "../a", "a/./b", "a\nb", "a\udcff"])
    def test_names_that_no_store_holds(self, store: Store, name: str) -> None:
        for call in (store.read, store.facts, store.delete, lambda name: store.write(name, b"")):
            with pytest.raises(StoreError, match="is no object's name"):
                call(name)

    def test_many_threads_may_use_it(self, store: Store) -> None:
        names = [f"{n:02d}" for n in range(40)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: store.write(name, name.encode()), names))
            read = list(pool.map(lambda name: store.read(name).data.decode(), names))
        assert read == names == [facts.name for facts in store.objects()]

    def test_another_process_can_open_it(self, store: Store) -> None:
        store.write("a", b"data")
        assert pickle.loads(pickle.dumps(store)).read("a").data == b"data"
