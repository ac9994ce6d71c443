"""What every store can do, and what it says of an object.

A store is a folder as object stores know it: names with slashes, each of which holds bytes that are
read and written whole. Nothing is ever half there, and nothing is added to what is there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from matte.errors import StoreError
from matte.limits import MAX_DOWNLOAD_BYTES

# Control characters, and bytes of a file's name that are no text.
UNUSABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """The name of an object below its store, its size in bytes, and when it was last written.

    The time is in nanoseconds since 1970; stores over HTTP know whole seconds alone.
    """

    name: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class ReadObject:
    """The bytes of an object, and what was known of it when they were read."""

    data: bytes
    facts: ObjectFacts


class Store(Protocol):
    """A folder of objects. All methods may be called from several threads.

    They raise StoreError: MissingObjectError for an object that is not there, ExistingObjectError
    for one that must not be replaced. What may pass (a busy store, a broken connection) is tried
    again first, some times, with longer and longer waits.
    """

    @property
    def retries(self) -> int:
        """How many calls had to be made again until now."""

    def address(self, name: str = "") -> str:
        """Return what messages call an object, or the store: "s3://bucket/folder/a.jpg"."""

    def objects(self, below: str = "") -> Iterator[ObjectFacts]:
        """Yield all objects below a folder by name, however many; none where there is no folder.

        Hidden ones (".matte-run/…") are among them.
        """

    def facts(self, name: str) -> ObjectFacts | None:
        """Return what is known of an object; None if it is not there."""

    def read(self, name: str, max_bytes: int = MAX_DOWNLOAD_BYTES) -> ReadObject:
        """Return an object of at most `max_bytes`; a larger one is refused before it is read."""

    def write(self, name: str, data: bytes, overwrite: bool = False) -> None:
        """Write an object: once this returns it is there whole, and before it is not there.

        Without `overwrite` nothing is replaced, also if it appears meanwhile.
        """

    def delete(self, name: str) -> None:
        """Remove an object if it is there."""


def is_name(name: str) -> bool:
    """Return whether any store can hold an object of this name."""
    has_odd_part = any(part in ("", ".", "..") for part in name.split("/"))
    return not has_odd_part and not UNUSABLE.search(name)


def check_name(name: str) -> str:
    """Return the name of an object; raise StoreError for one that no store can hold."""
    if not is_name(name):
        remedy = "give one without empty parts, . and .., and without control characters"
        raise StoreError(f"{name!r} is no object's name", remedy)
    return name
