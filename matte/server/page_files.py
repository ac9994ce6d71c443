"""The page's files: read once, by their names only, and packed for those who take it."""

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from matte.server.problems import ProblemError

FOLDER = Path(__file__).parent / "page"
START = "index.html"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}
PACKED = (".html", ".js", ".css", ".json", ".svg", ".webmanifest")


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page, as it is sent."""

    data: bytes
    packed: bytes | None
    media_type: str
    tag: str


def read_page(folder: Path = FOLDER) -> dict[str, PageFile]:
    """Return the page's files by their names below its folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in MEDIA_TYPES:
            data = path.read_bytes()
            packed = gzip.compress(data, mtime=0) if path.suffix in PACKED else None
            tag = f'"{hashlib.sha256(data).hexdigest()[:24]}"'
            name = path.relative_to(folder).as_posix()
            found[name] = PageFile(data, packed, MEDIA_TYPES[path.suffix], tag)
    return found


async def get_page(request: Request) -> Response:
    """Give the page, or one of its files."""
    files: dict[str, PageFile] = request.app.state.page
    file = files.get(request.path_params.get("name", START))
    if file is None:
        raise ProblemError(404, "the page has no such file")
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.tag:
        return Response(status_code=304, headers=headers)
    takes_packed = "gzip" in request.headers.get("accept-encoding", "")
    if file.packed is not None and takes_packed:
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, headers=headers, media_type=file.media_type)
    return Response(file.data, headers=headers, media_type=file.media_type)


ROUTES = [
    Route("/", get_page, methods=["GET"]),
    Route("/page/{name:path}", get_page, methods=["GET"]),
]
