"""The pictures that clients have sent: in a private folder of bounded size, and soon forgotten."""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import IO, Any

from matte.server.problems import ProblemError, disk_problem
from matte.server.strokes import Stroke

PREFIX = "matte-serve-"
LOCK = "lock"  # held by the process that the folder belongs to
ID_BYTES = 18


@dataclass(slots=True, eq=False)
class StoredPicture:
    """A picture that a client has sent, and the strokes drawn on its trimap."""

    id: str
    path: Path
    name: str
    size: int
    width: int
    height: int
    used: float
    strokes: tuple[Stroke, ...] = field(default=())

    def read(self) -> bytes:
        """Return its file; raise ProblemError if it has been forgotten meanwhile."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError as error:
            raise _gone() from error


class PictureStore:
    """Keeps pictures by ids that nobody can guess, until they were not asked for some time."""

    def __init__(
        self,
        max_bytes: int,
        forget_after: float,
        on_forget: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_forget` is told the id of each picture that goes."""
        self._max_bytes, self._forget_after = max_bytes, forget_after
        self._on_forget, self._clock = on_forget, clock
        self._pictures: dict[str, StoredPicture] = {}
        self._arriving = self._stored = 0  # bytes
        self._changing = Lock()
        remove_abandoned_folders()
        self.folder, self._lock_file = _make_folder()

    @property
    def stored_bytes(self) -> int:
        """How many bytes are kept, or just arriving."""
        return self._arriving + self._stored

    @property
    def count(self) -> int:
        """How many pictures are kept."""
        return len(self._pictures)

    @contextmanager
    def arriving(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that counts bytes that arrive, until the block ends.

        It raises ProblemError where there is no room for them.
        """
        got = 0

        def count(size: int) -> None:
            nonlocal got
            with self._changing:
                if self.stored_bytes + size > self._max_bytes:
                    self._forget_old()
                if self.stored_bytes + size > self._max_bytes:
                    raise ProblemError(
                        503, "the server holds as much as it may", "delete pictures, or wait", 60
                    )
                self._arriving += size
                got += size

        try:
            yield count
        finally:
            with self._changing:
                self._arriving -= got

    def add(self, data: bytes, name: str, width: int, height: int) -> StoredPicture:
        """Keep a picture's file and return what is known of it."""
        new = secrets.token_urlsafe(ID_BYTES)
        path = self.folder / new
        try:
            path.write_bytes(data)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise disk_problem() from error
        picture = StoredPicture(new, path, name, len(data), width, height, self._clock())
        with self._changing:
            self._pictures[new] = picture
            self._stored += picture.size
        return picture

    def get(self, id_: str) -> StoredPicture:
        """Return a picture, which from now on is young again; raise ProblemError if it is gone."""
        with self._changing:
            self._forget_old()
            picture = self._pictures.get(id_)
            if picture is None:
                raise _gone()
            picture.used = self._clock()
            return picture

    def has(self, id_: object) -> bool:
        """Return whether a picture is kept; it does not become younger."""
        return id_ in self._pictures

    def seconds_left(self, picture: StoredPicture) -> float:
        """Return when a picture will be forgotten unless somebody asks for it."""
        return max(0.0, self._forget_after - (self._clock() - picture.used))

    def delete(self, id_: str) -> None:
        """Forget a picture; one that is gone is no error."""
        with self._changing:
            self._forget(id_)

    def forget_old(self) -> None:
        """Forget the pictures whose time is over."""
        with self._changing:
            self._forget_old()

    def close(self) -> None:
        """Forget everything and remove the folder."""
        with self._changing:
            for id_ in list(self._pictures):
                self._forget(id_)
        self._lock_file.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _forget_old(self) -> None:
        """Forget the pictures whose time is over, the lock held."""
        last = self._clock() - self._forget_after
        for id_ in [p.id for p in self._pictures.values() if p.used <= last]:
            self._forget(id_)

    def _forget(self, id_: str) -> None:
        """Forget one picture, the lock held."""
        picture = self._pictures.pop(id_, None)
        if picture is not None:
            self._stored -= picture.size
            with suppress(OSError):
                picture.path.unlink()
            self._on_forget(id_)


def _gone() -> ProblemError:
    """Return the problem of a picture that is not here."""
    return ProblemError(404, "there is no such picture here", "send it again")


def remove_abandoned_folders() -> None:
    """Remove what servers left behind that were killed: folders whose lock nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or not folder.is_dir() or not _is_own(folder):
                continue
            held = _hold_lock(folder / LOCK)
            shutil.rmtree(folder, ignore_errors=True)
            held.close()


def _make_folder() -> tuple[Path, IO[Any]]:
    """Return a new private folder and its lock, which is held."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        # A server that starts at this moment may take the folder for an abandoned one.
        with suppress(OSError):
            lock = _hold_lock(folder / LOCK)
            if (folder / LOCK).exists():
                return folder, lock
            lock.close()


def _is_own(folder: Path) -> bool:
    """Return whether a folder belongs to this user."""
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()


def _hold_lock(path: Path) -> IO[Any]:
    """Return the open lock file, held until it is closed; raise OSError if another holds it."""
    file = path.open("ab")
    try:
        import fcntl
    except ImportError:  # Windows: a file that is open can't be removed there
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file
