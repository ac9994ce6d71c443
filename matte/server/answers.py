"""Results as responses, and what a client is told of a picture."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from matte.files import RESULT_SUFFIX
from matte.server.asked import RESULTS, Asked
from matte.server.results import Made
from matte.server.state import ServerState
from matte.server.store import StoredPicture

MAX_HEADER_WARNINGS = 8


def state_of(request: Request) -> ServerState:
    """Return the server's state."""
    state: ServerState = request.app.state.matte
    return state


def result_response(made: Made, asked: Asked, name: str) -> Response:
    """Return the response that holds a result."""
    headers = {
        "X-Matte-Width": str(made.width),
        "X-Matte-Height": str(made.height),
        "Server-Timing": ", ".join(f"{stage};dur={ms:.1f}" for stage, ms in made.ms.items()),
    }
    if made.subject is not None:
        headers["X-Matte-Subject"] = "yes" if made.subject else "no"
    if made.warnings:
        told = " | ".join(made.warnings[:MAX_HEADER_WARNINGS])
        headers["X-Matte-Warning"] = quote(told, safe=" |:,.;()'")
    if asked.is_download:
        headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{file_name(asked, name)}"
    return Response(made.data, 200, headers, media_type=asked.media_type)


def file_name(asked: Asked, name: str) -> str:
    """Return the percent-encoded name that a result is saved under."""
    stem = name.rpartition(".")[0] or name or "picture"
    kind = RESULT_SUFFIX if asked.result in ("composite", "cutout") else f"-{asked.result}"
    return quote(f"{stem}{kind}{asked.suffix}", safe="")


def picture_json(picture: StoredPicture, state: ServerState) -> dict[str, Any]:
    """Return what a client is told of a picture that it has sent."""
    place = f"/v1/pictures/{picture.id}"
    return {
        "id": picture.id,
        "name": picture.name,
        "width": picture.width,
        "height": picture.height,
        "bytes": picture.size,
        "strokes": len(picture.strokes),
        "expires": round(state.store.seconds_left(picture)),
        "links": {
            "self": place,
            **{result: f"{place}/{result}" for result in RESULTS},
            **{name: f"{place}/{name}" for name in ("report", "strokes", "events", "sweep")},
        },
    }


def picture_response(picture: StoredPicture, state: ServerState, status: int = 200) -> Response:
    """Return the response that tells of a picture."""
    document = picture_json(picture, state)
    headers = {"Location": document["links"]["self"]} if status == 201 else {}
    return JSONResponse(document, status, headers)
