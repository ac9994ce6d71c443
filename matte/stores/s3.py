"""A folder of an S3 bucket as a store: Amazon's, or any server that speaks as it does.

Where it lies and who asks is in the environment: AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; or in a profile of ~/.aws, which AWS_PROFILE names.
"""

import mimetypes
import secrets
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from types import ModuleType
from typing import Any, TypeVar

from matte.errors import ExistingObjectError, MatteError, MatteWarning, StoreError
from matte.limits import (
    MAX_DOWNLOAD_BYTES,
    MAX_ONE_CALL_BYTES,
    UPLOAD_PART_BYTES,
    check_bytes,
)
from matte.stores.protocol import ObjectFacts, ReadObject, check_name, is_name
from matte.stores.retrying import Retrier
from matte.stores.s3_clients import (
    DEFAULT_TIMES,
    CallTimes,
    S3Clients,
    import_obstore,
    server_name,
)
from matte.stores.s3_errors import FailedCall, as_store_error, is_passing, is_upload_over

T = TypeVar("T")

PARTS_AT_ONCE = 2


class S3Store:
    """The objects of a bucket below a folder, which is only a beginning of names."""

    def __init__(self, bucket: str, folder: str = "", times: CallTimes = DEFAULT_TIMES) -> None:
        self._bucket, self._folder, self._times = bucket, folder, times
        self._clients = S3Clients(bucket, times)
        self._retrier = Retrier(is_passing, times.first_wait)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process open the same store, once; it counts its own retries."""
        return _store_of_process, (self._bucket, self._folder, self._times)

    @property
    def retries(self) -> int:
        """How many calls had to be made again until now; parts of an upload are not counted."""
        return self._retrier.count

    def address(self, name: str = "") -> str:
        """Return the s3:// address of an object, or of the folder."""
        return "/".join(filter(None, (f"s3://{self._bucket}", self._folder, name)))

    def objects(self, below: str = "") -> Iterator[ObjectFacts]:
        """Yield all objects below a folder by name; they are listed a thousand at a time."""
        obstore, prefix = import_obstore(), self._key(below) if below else self._folder
        pages: Iterator[Any] | None = None
        last: str | None = None
        has_odd_names, odd_names = False, list[str]()

        def next_page(_: int) -> Any:
            nonlocal pages, has_odd_names
            if pages is None and has_odd_names:
                pages = s3_listing().listed_pages(self._bucket, prefix, last)
            elif pages is None:
                pages = iter(obstore.list(self._clients.reader, prefix or None, offset=last))
            try:
                return next(pages, None)
            except Exception as error:
                pages = None  # the next try begins behind what has come
                is_name_refused = type(error).__name__ == "InvalidPathError"
                if not is_name_refused or not s3_listing().may_list():
                    raise
                has_odd_names = True
                return next_page(0)

        while page := self._call("list", below, next_page):
            # A folder's own mark ends in a slash, which obstore leaves out: it may come again.
            for row in page if last is None else [row for row in page if row["path"] > last]:
                found = self._as_facts(row)
                if not is_name(found.name):
                    odd_names += [found.name] if found.name else []
                    continue
                yield found
            last = page[-1]["path"]
        if odd_names:
            self._warn_of_names(below, odd_names)

    def _warn_of_names(self, below: str, names: list[str]) -> None:
        """Warn of objects that a listing left out."""
        count = "an object" if len(names) == 1 else f"{len(names)} objects"
        place = self.address(below)
        text = f"{place} holds {count} whose name can't be used, such as {names[0]!r}: left out"
        warnings.warn(text, MatteWarning, stacklevel=3)

    def facts(self, name: str) -> ObjectFacts | None:
        """Return what is known of an object; None if it is not there."""
        obstore, key = import_obstore(), self._key(name)
        try:
            row = self._tried(lambda _: obstore.head(self._clients.reader, key))
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise self._error("read", name, error) from error
            return None
        except Exception as error:
            raise self._error("read", name, error) from error
        return self._as_facts(row)

    def read(self, name: str, max_bytes: int = MAX_DOWNLOAD_BYTES) -> ReadObject:
        """Return an object; its size is checked before its bytes come."""
        obstore, key = import_obstore(), self._key(name)

        def read_once(_: int) -> ReadObject:
            answer = obstore.get(self._clients.reader, key)
            facts = self._as_facts(answer.meta)
            check_bytes(self.address(name), facts.size, max_bytes, StoreError, "give a smaller one")
            return ReadObject(bytes(answer.bytes()), facts)

        return self._call("read", name, read_once)

    def write(self, name: str, data: bytes, overwrite: bool = False) -> None:
        """Write an object in one call, or a large one in parts; the server shows it when whole."""
        if len(data) <= MAX_ONE_CALL_BYTES:
            self._put(name, data, overwrite)
        elif overwrite:
            self._put_parts(name, data)
        else:
            self._put_new_parts(name, data)

    def delete(self, name: str) -> None:
        """Remove an object if it is there."""
        obstore, key = import_obstore(), self._key(name)
        try:
            self._tried(lambda _: obstore.delete(self._clients.reader, key))
        except FileNotFoundError:
            return
        except Exception as error:
            raise self._error("remove", name, error) from error

    def _put(self, name: str, data: bytes, overwrite: bool) -> None:
        """Write an object in one call; the server refuses it if it exists and must not."""
        obstore = import_obstore()
        put = partial(
            obstore.put,
            self._clients.writer,
            self._key(name),
            data,
            attributes=_attributes(name),
            mode="overwrite" if overwrite else "create",
            use_multipart=False,
        )
        self._call("write", name, self._if_not_written(name, data, put))

    def _put_parts(self, name: str, data: bytes) -> None:
        """Write an object in parts; those of a broken upload are removed by its own abortion."""
        obstore = import_obstore()
        put = partial(
            obstore.put,
            self._clients.part_writer,
            self._key(name),
            data,
            attributes=_attributes(name),
            use_multipart=True,
            chunk_size=UPLOAD_PART_BYTES,
            max_concurrency=PARTS_AT_ONCE,
        )
        self._call("write", name, self._if_not_written(name, data, put))

    def _put_new_parts(self, name: str, data: bytes) -> None:
        """Write a large object that must not replace any.

        No upload in parts can be asked not to. So it goes to a hidden name, from which the server
        copies it unless there is one of its own.
        """
        obstore = import_obstore()
        if self.facts(name) is not None:
            remedy = "choose another name or add --overwrite"
            raise ExistingObjectError(f"{self.address(name)} exists", remedy)
        folder, _, last = name.rpartition("/")
        hidden = f"{folder}{folder and '/'}.matte-{secrets.token_hex(8)}-{last}"
        try:
            self._put_parts(hidden, data)
            keys = self._key(hidden), self._key(name)
            copy = partial(obstore.copy, self._clients.writer, *keys, overwrite=False)
            self._call("write", name, self._if_not_written(name, data, copy))
        finally:
            self._delete_hidden(hidden)

    def _delete_hidden(self, name: str) -> None:
        """Remove an object that was there for a while; that it can't be removed stops no work."""
        try:
            self.delete(name)
        except StoreError as error:
            text = f"{self.address(name)} is left over ({error.cause}): remove it"
            warnings.warn(text, MatteWarning, stacklevel=4)

    def _if_not_written(
        self, name: str, data: bytes, write: Callable[[], object]
    ) -> Callable[[int], object]:
        """Return a call that writes an object, and may be made again.

        A try may have written it, and only its answer have been lost: then the next one finds an
        object that is there, or an upload that is over.
        """

        def write_once(failures: int) -> object:
            try:
                return write()
            except Exception as error:
                is_there = type(error).__name__ == "AlreadyExistsError" and failures > 0
                if not (is_there or is_upload_over(error)) or not self._holds(name, data):
                    raise
                return None

        return write_once

    def _holds(self, name: str, data: bytes) -> bool:
        """Return whether an object is there, byte by byte."""
        facts = self.facts(name)
        return facts is not None and facts.size == len(data) and self.read(name).data == data

    def _key(self, name: str) -> str:
        """Return an object's name in its bucket."""
        return "/".join(filter(None, (self._folder, check_name(name))))

    def _as_facts(self, row: Any) -> ObjectFacts:
        """Return what obstore says of an object; a listing's times are as coarse as all others."""
        name = row["path"]
        if self._folder:
            name = name.removeprefix(self._folder).removeprefix("/")
        return ObjectFacts(name, row["size"], int(row["last_modified"].timestamp()) * 10**9)

    def _tried(self, call: Callable[[int], T]) -> T:
        """Return what a call returns, made again where that may help."""
        return self._retrier.run(call)

    def _call(self, doing: str, name: str, call: Callable[[int], T]) -> T:
        """Return what a call returns; what obstore raises becomes a StoreError."""
        try:
            return self._tried(call)
        except Exception as error:
            raise self._error(doing, name, error) from error

    def _error(self, doing: str, name: str, error: Exception) -> MatteError:
        """Return the error for what obstore raised."""
        if isinstance(error, MatteError):
            return error  # of the settings
        call = FailedCall(doing, self.address(name), self._bucket, server_name())
        return as_store_error(error, call)


def s3_listing() -> ModuleType:
    """Return the module that lists odd names, which few need."""
    from matte.stores import s3_listing as module

    return module


def _store_of_process(bucket: str, folder: str, times: CallTimes) -> S3Store:
    """Return this process's store of a folder, whose connections all its users share."""
    return _store_at(server_name(), bucket, folder, times)


@cache
def _store_at(server: str, bucket: str, folder: str, times: CallTimes) -> S3Store:
    """Return the one store of a folder at a server."""
    return S3Store(bucket, folder, times)


def _attributes(name: str) -> dict[str, str]:
    """Return what the server shall say of an object: its type, by its ending."""
    kind, _ = mimetypes.guess_type(name)
    return {"Content-Type": kind} if kind else {}
