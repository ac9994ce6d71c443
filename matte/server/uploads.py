"""Bodies of requests, read within limits: of bytes, of fields, of time."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from matte.errors import PictureError
from matte.limits import (
    MAX_BODY_SECONDS,
    MAX_FIELD_BYTES,
    MAX_FORM_FIELDS,
    MAX_FORM_FILES,
    MAX_FORM_OVERHEAD_BYTES,
    MAX_JSON_BYTES,
    MAX_NAME_CHARACTERS,
    MAX_SILENCE_SECONDS,
)
from matte.media.formats import picture_format
from matte.media.sources import HEAD_BYTES
from matte.server.options import ServerOptions
from matte.server.problems import ProblemError, disk_problem, problem_of


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file of a form, on the disk if it is large: to be read when its turn comes."""

    file: BinaryIO
    size: int
    name: str

    def read(self) -> bytes:
        """Return all of it."""
        self.file.seek(0)
        return self.file.read()

    def check_format(self) -> None:
        """Raise ProblemError if its first bytes are no picture's."""
        self.file.seek(0)
        try:
            picture_format(self.file.read(HEAD_BYTES), self.name or "the picture")
        except PictureError as error:
            raise ProblemError(415, problem_of(error).cause, error.remedy) from error


@dataclass(frozen=True, slots=True)
class Form:
    """A form that a client has sent: its texts and its files."""

    values: dict[str, str]
    files: dict[str, SentFile]

    def picture(self, name: str) -> SentFile:
        """Return a file that has to be there and to be a picture."""
        if name not in self.files:
            raise ProblemError(400, f"the form has no file {name!r}", f"send a picture as {name!r}")
        self.files[name].check_format()
        return self.files[name]


@asynccontextmanager
async def read_form(request: Request, options: ServerOptions) -> AsyncIterator[Form]:
    """Yield the fields and files of a multipart form; its files are gone after the block."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise ProblemError(415, "the body is no form", "send multipart/form-data")
    parser = MultiPartParser(
        request.headers,
        limited_stream(request, options.max_upload_bytes + MAX_FORM_OVERHEAD_BYTES),
        max_files=MAX_FORM_FILES,
        max_fields=MAX_FORM_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        parsed = await parser.parse()
    except (MultiPartException, MultipartParseError, KeyError, ValueError) as error:
        raise ProblemError(400, "the form can't be read", "send it again") from error
    except OSError as error:  # large files of a form are written to the disk
        raise disk_problem() from error
    try:
        form = Form({}, {})
        for name, value in parsed.multi_items():
            if name in form.values or name in form.files:
                raise ProblemError(400, f"{name[:60]!r} comes twice", "give it once")
            if isinstance(value, UploadFile):
                size, label = value.size or 0, clean_name(value.filename or "")
                form.files[name] = SentFile(value.file, size, label)
            else:
                form.values[name] = value
        yield form
    finally:
        await parsed.close()


async def read_json(request: Request) -> Any:
    """Return the document that a request's body holds."""
    return await read_json_of(request, MAX_JSON_BYTES)


async def read_json_of(request: Request, max_bytes: int) -> Any:
    """Return the document that a request's body of up to so many bytes holds."""
    data = await read_body(request, max_bytes)
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, "the body is no JSON", "send application/json") from error


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return a request's body of up to so many bytes."""
    return b"".join([chunk async for chunk in limited_stream(request, max_bytes)])


async def limited_stream(request: Request, max_bytes: int) -> AsyncGenerator[bytes]:
    """Yield a body's parts; raise ProblemError for one that is too large or too slow."""
    said = request.headers.get("content-length")
    if said is not None and said.isdecimal() and int(said) > max_bytes:
        raise _too_large(max_bytes)
    got, stream = 0, request.stream()
    until = asyncio.get_running_loop().time() + MAX_BODY_SECONDS
    while True:
        left = until - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(MAX_SILENCE_SECONDS, max(0.0, left))):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise ProblemError(408, "the body came too slowly", "send it again") from error
        except ClientDisconnect as error:
            raise ProblemError(400, "the body was cut off", "send it again") from error
        if chunk is None:
            return
        got += len(chunk)
        if got > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _too_large(max_bytes: int) -> ProblemError:
    """Return the problem of a body that is too large."""
    return ProblemError(413, f"more than {max_bytes >> 20} MiB were sent", "send a smaller picture")


def clean_name(text: str) -> str:
    """Return a file's name without folders and odd characters; it is shown and offered only.

    >>> clean_name("C:\\\\photos\\\\me.jpg"), clean_name("../x\\n.png")
    ('me.jpg', 'x.png')
    """
    last = text.replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?')
    return plain.strip(". ")[:MAX_NAME_CHARACTERS]
