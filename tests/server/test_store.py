"""Pictures kept for a while, in a private folder."""

import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from matte.server.problems import ProblemError
from matte.server.store import LOCK, PREFIX, PictureStore, remove_abandoned_folders


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def forgotten() -> list[str]:
    return []


@pytest.fixture
def store(clock: Clock, forgotten: list[str]) -> Iterator[PictureStore]:
    made = PictureStore(100, 60, forgotten.append, clock)
    yield made
    made.close()


def test_the_folder_is_private_and_goes(store: PictureStore) -> None:
    picture = store.add(b"abc", "me.jpg", 4, 3)
    assert picture.path.read_bytes() == b"abc"
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700
    store.close()
    assert not store.folder.exists()


def test_ids_can_not_be_guessed(store: PictureStore) -> None:
    ids = {store.add(b"x", "", 1, 1).id for _ in range(50)}
    assert len(ids) == 50
    assert min(map(len, ids)) >= 24
    with pytest.raises(ProblemError, match="no such picture"):
        store.get("../lock")


def test_what_nobody_asks_for_is_forgotten(
    store: PictureStore, clock: Clock, forgotten: list[str]
) -> None:
    old, used = store.add(b"a", "", 1, 1), store.add(b"b", "", 1, 1)
    clock.now = 40
    store.get(used.id)
    assert store.seconds_left(used) == 60
    clock.now = 61
    store.forget_old()
    assert forgotten == [old.id]
    assert not old.path.exists()
    assert store.get(used.id) is used
    store.delete(used.id)
    store.delete(used.id)
    assert forgotten == [old.id, used.id]


def test_room_is_limited(store: PictureStore) -> None:
    store.add(b"x" * 60, "", 1, 1)
    with store.arriving() as count:
        count(15)
        count(25)
        assert store.stored_bytes == 100
        with pytest.raises(ProblemError) as full:
            count(1)
        assert full.value.status == 503
    assert store.stored_bytes == 60


def test_what_is_old_makes_room_for_what_arrives(store: PictureStore, clock: Clock) -> None:
    store.add(b"x" * 60, "", 1, 1)
    clock.now = 61
    with store.arriving() as count:
        count(100)
    assert store.stored_bytes == 0


def test_what_a_killed_server_left_goes_and_a_living_one_s_stays(
    store: PictureStore, own_folder: Path
) -> None:
    left = own_folder / f"{PREFIX}left"
    left.mkdir()
    (left / LOCK).touch()
    (left / "picture").write_bytes(b"x")
    elsewhere = own_folder / "elsewhere"
    elsewhere.mkdir()
    link = own_folder / f"{PREFIX}link"
    link.symlink_to(elsewhere)
    remove_abandoned_folders()
    assert not left.exists()
    assert store.folder.exists()
    assert elsewhere.exists()
    assert link.is_symlink()


def test_a_folder_that_another_server_removed_meanwhile_is_made_again(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []

    def make(prefix: str) -> str:
        made.append(own_folder / f"{prefix}{len(made)}")
        if made[1:]:
            made[-1].mkdir()
        return str(made[-1])  # the first is gone before it is locked

    monkeypatch.setattr(tempfile, "mkdtemp", make)
    store = PictureStore(100, 60, lambda _: None)
    assert store.folder == made[1]
    store.close()


def test_a_full_disk_is_told(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ProblemError, match="disk takes no more"):
        store.add(b"x", "", 1, 1)
    assert store.count == 0
