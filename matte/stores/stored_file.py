"""One object of a store, or a folder of it, with the parts of a path."""

import hashlib
from collections.abc import Iterator
from pathlib import PurePath, PurePosixPath

from matte.errors import MissingObjectError, StoreError
from matte.limits import MAX_DOWNLOAD_BYTES
from matte.stores.opening import split_address
from matte.stores.protocol import ObjectFacts, Store
from matte.stores.s3 import S3Store


class StoredFile:
    """An object or a folder by its name in a store, which knows what it was when last read.

    Two are equal that have one address.
    """

    def __init__(self, store: Store, key: str, facts: ObjectFacts | None = None) -> None:
        """`facts` are those of a listing."""
        self.store, self.key, self.facts = store, key, facts
        self.sha256 = ""  # of what was read

    def __str__(self) -> str:
        return self.store.address(self.key)

    def __repr__(self) -> str:
        return f"StoredFile({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredFile) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __truediv__(self, below: str | PurePath) -> "StoredFile":
        return self._sibling(PurePosixPath(self.key, PurePath(below).as_posix()))

    @property
    def name(self) -> str:
        """The last part of the name."""
        return PurePosixPath(str(self)).name

    @property
    def stem(self) -> str:
        """The last part of the name without its ending."""
        return PurePosixPath(self.name).stem

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return PurePosixPath(self.key).suffix

    @property
    def parent(self) -> "StoredFile":
        """The folder that holds it."""
        return self._sibling(PurePosixPath(self.key).parent)

    def at(self, address: str) -> "StoredFile":
        """Return what has another address, as `str` gives it, in the same store."""
        return StoredFile(self.store, address.removeprefix(f"{self.store.address()}/"))

    def with_name(self, name: str) -> "StoredFile":
        """Return what has another name in the same folder."""
        return self._sibling(PurePosixPath(self.key).with_name(name))

    def with_suffix(self, suffix: str) -> "StoredFile":
        """Return what has another ending in the same folder."""
        return self._sibling(PurePosixPath(self.key).with_suffix(suffix))

    def relative_to(self, folder: "StoredFile") -> PurePosixPath:
        """Return the path from a folder of the same store to this; ValueError if there is none."""
        return PurePosixPath(str(self)).relative_to(PurePosixPath(str(folder)))

    def is_inside(self, folder: "StoredFile") -> bool:
        """Return whether this is the folder, or lies below it."""
        return PurePosixPath(str(self)).is_relative_to(PurePosixPath(str(folder)))

    def files(self) -> Iterator["StoredFile"]:
        """Yield all objects in and below this folder, hidden ones too."""
        for facts in self.store.objects(self.key):
            yield StoredFile(self.store, facts.name, facts)

    def exists(self) -> bool:
        """Return whether there is an object of this name."""
        return self.store.facts(self.key) is not None

    def state(self) -> tuple[int, int]:
        """Return size and time of change, as last read or listed; zeros if it is not there."""
        if self.facts is None:
            self.facts = self.store.facts(self.key)
        return (0, 0) if self.facts is None else (self.facts.size, self.facts.modified_ns)

    def read(self, max_bytes: int = MAX_DOWNLOAD_BYTES) -> bytes:
        """Return the object's bytes; its facts and its hash are then those of what was read."""
        try:
            found = self.store.read(self.key, max_bytes)
        except MissingObjectError:
            self.facts, self.sha256 = None, ""
            raise
        self.facts, self.sha256 = found.facts, hashlib.sha256(found.data).hexdigest()
        return found.data

    def content_sha256(self) -> str:
        """Return the hash of what is there now; "" if it can't be read."""
        try:
            self.read()
        except StoreError:
            return ""
        return self.sha256

    def write(self, data: bytes, overwrite: bool = False) -> None:
        """Write the object whole."""
        self.store.write(self.key, data, overwrite)

    def _sibling(self, path: PurePosixPath) -> "StoredFile":
        """Return what has another name in the same store."""
        return StoredFile(self.store, "" if path == PurePosixPath() else str(path))


def stored_file(address: str) -> StoredFile:
    """Return the object or the folder of an s3:// address; nothing is asked of its store yet.

    >>> stored_file("s3://bucket/folder/a.jpg").name
    'a.jpg'
    """
    bucket, name = split_address(address)
    return StoredFile(S3Store(bucket), name)
