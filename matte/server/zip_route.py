"""Many results as one ZIP, made while it is sent."""

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from matte.errors import MatteError
from matte.limits import MAX_ZIP_ITEMS
from matte.server.answers import file_name, state_of
from matte.server.asked import Asked, parse_asked
from matte.server.picture_routes import result_of
from matte.server.problems import ProblemError, problem_of
from matte.server.state import ServerState
from matte.server.uploads import clean_name, read_json


@dataclass(frozen=True, slots=True)
class ZipItem:
    """A result that is to be in the ZIP, and the name that its file begins with."""

    picture: str
    name: str
    asked: Asked


class _Outbox(io.RawIOBase):
    """A file that is written only, and emptied by whoever sends it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._position

    def write(self, data: Any) -> int:
        """Keep bytes to be sent."""
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


async def post_zip(request: Request) -> Response:
    """Send a ZIP of results; what fails is a text in it that says why."""
    state = state_of(request)
    # Thousands of queries take a second: the loop has others to serve.
    items = await asyncio.to_thread(parse_items, await read_json(request), state)
    return StreamingResponse(
        _zipped(state, items),
        media_type="application/zip",
        headers={"Content-Disposition": 'attachment; filename="matte.zip"'},
    )


def parse_items(document: Any, state: ServerState) -> list[ZipItem]:
    """Return the items of a JSON document; raise ProblemError for what can't be."""
    listed = document.get("items") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_ZIP_ITEMS:
        raise ProblemError(400, f"items is no list of 1 to {MAX_ZIP_ITEMS}")
    return [_parse_item(table, state) for table in listed]


def _parse_item(table: Any, state: ServerState) -> ZipItem:
    """Return one item of a JSON document."""
    texts = table if isinstance(table, dict) else {}
    texts = {name: texts.get(name, "") for name in ("picture", "result", "name", "query")}
    if not texts["picture"] or not all(isinstance(text, str) for text in texts.values()):
        raise ProblemError(400, "an item names a picture, a result, a name and a query")
    try:
        values = dict(parse_qsl(texts["query"], strict_parsing=bool(texts["query"])))
    except ValueError as error:
        raise ProblemError(400, "an item's query can't be read") from error
    asked = parse_asked(result_of(texts["result"] or "composite"), values, state.settings)
    return ZipItem(texts["picture"], clean_name(texts["name"]) or "picture", asked)


async def _zipped(state: ServerState, items: list[ZipItem]) -> AsyncIterator[bytes]:
    """Yield the ZIP, one result after the other."""
    outbox = _Outbox()
    used: set[str] = set()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for item in items:
            name, data = await _file_of(state, item)
            archive.writestr(_unused(name, used), data)
            yield outbox.take()
    yield outbox.take()


async def _file_of(state: ServerState, item: ZipItem) -> tuple[str, bytes]:
    """Return the name and content of an item's file."""
    name = unquote(file_name(item.asked, item.name))
    try:
        picture = state.store.get(item.picture)
        source = state.source_of(picture)
        made = await state.queue.run(None, lambda: state.make(source, item.asked))
    except (ProblemError, MatteError) as error:
        problem = problem_of(error)
        return f"{name}.error.txt", f"{problem.cause}: {problem.remedy}\n".encode()
    return name, made.data


def _unused(name: str, used: set[str]) -> str:
    """Return a name that no file in the ZIP has yet."""
    stem, dot, ending = name.rpartition(".")
    found, number = name, 2
    while found.lower() in used:
        found = f"{stem}-{number}{dot}{ending}"
        number += 1
    used.add(found.lower())
    return found


ROUTES = [Route("/v1/zip", post_zip, methods=["POST"])]
