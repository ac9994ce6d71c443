"""The API by steps: a picture is sent once, and its results are asked for as often as one likes."""

from threading import Event

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matte.server.answers import picture_json, picture_response, result_response, state_of
from matte.server.asked import RESULTS, Asked, Result, SentPicture, parse_asked
from matte.server.command import command_line
from matte.server.jobs import JobStoppedError
from matte.server.problems import ProblemError
from matte.server.state import ServerState
from matte.server.steps import PictureSource
from matte.server.store import StoredPicture
from matte.server.strokes import parse_strokes
from matte.server.uploads import SentFile, read_form, read_json
from matte.watching import tell_watcher


async def post_picture(request: Request) -> Response:
    """Keep a picture that a client sends."""
    state = state_of(request)
    async with read_form(request, state.options) as form:
        picture = await keep_picture(request, state, form.picture("image"))
    return picture_response(picture, state, 201)


async def keep_picture(request: Request, state: ServerState, sent: SentFile) -> StoredPicture:
    """Decode a picture, which shows that it is one, and keep its file."""

    added: list[StoredPicture] = []
    gave_up = Event()

    def decode_and_store() -> StoredPicture:
        data = sent.read()
        photo = state.decode(data, sent.name)
        tell_watcher("decode", 1)
        height, width = photo.pixels.shape[:2]
        picture = state.store.add(data, sent.name, width, height)
        added.append(picture)
        if gave_up.is_set():
            state.store.delete(picture.id)
            raise JobStoppedError
        # The first step will want it.
        state.steps(PictureSource(picture.id, sent.name, lambda: photo), state.settings).photo()
        return picture

    try:
        return await state.queue.run(request, decode_and_store)
    except BaseException:
        # Nobody will learn the id. Whichever of the two threads comes last forgets it.
        gave_up.set()
        for picture in added:
            state.store.delete(picture.id)
        raise


async def get_picture(request: Request) -> Response:
    """Tell of a picture."""
    state = state_of(request)
    return picture_response(state.store.get(request.path_params["id"]), state)


async def delete_picture(request: Request) -> Response:
    """Forget a picture."""
    state_of(request).store.delete(request.path_params["id"])
    return Response(status_code=204)


async def get_result(request: Request) -> Response:
    """Give a picture's result with the settings of the query."""
    state = state_of(request)
    picture = state.store.get(request.path_params["id"])
    result = result_of(request.url.path.rpartition("/")[2])
    asked = asked_by(request, result, state)
    made = await state.queue.run(
        request,
        lambda: state.make(state.source_of(picture), asked),
        lambda stage, done: state.channels.send(
            picture.id, "progress", {"stage": stage, "done": round(done, 3)}
        ),
    )
    state.channels.send(picture.id, "idle", {})
    return result_response(made, asked, picture.name)


async def get_report(request: Request) -> Response:
    """Tell how a result was found, and which command gives the same."""
    state = state_of(request)
    picture = state.store.get(request.path_params["id"])
    asked = asked_by(request, "composite", state)
    behind = asked.behind
    name = state.store.get(behind.id).name if isinstance(behind, SentPicture) else ""
    steps = state.steps(state.source_of(picture), asked.settings, asked.is_quick)
    found = await state.queue.run(request, steps.found)
    return JSONResponse(
        {
            "report": found.report,
            "warnings": list(found.warnings),
            "command": command_line(asked, picture.name, name, bool(picture.strokes)),
        }
    )


async def put_strokes(request: Request) -> Response:
    """Take the strokes of a brush in place of those before."""
    state = state_of(request)
    picture = state.store.get(request.path_params["id"])
    document = await read_json(request)
    picture.strokes = parse_strokes(document, picture.width, picture.height)
    return JSONResponse(picture_json(picture, state))


async def get_events(request: Request) -> Response:
    """Tell how far the work on a picture is."""
    state = state_of(request)
    return state.channels.stream(state.store.get(request.path_params["id"]).id)


def result_of(word: str) -> Result:
    """Return the result that a word names."""
    for known in RESULTS:
        if word == known:
            return known
    raise ProblemError(400, f"result = {word[:40]!r}", f"give {', '.join(RESULTS)}")


def asked_by(request: Request, result: Result, state: ServerState) -> Asked:
    """Return what a request's query asks for."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise ProblemError(400, f"{name[:60]!r} comes twice", "give it once")
        values[name] = value
    return parse_asked(result, values, state.settings, request.headers.get("accept", ""))


PICTURE = "/v1/pictures/{id}"
ROUTES = [
    Route("/v1/pictures", post_picture, methods=["POST"]),
    Route(PICTURE, get_picture, methods=["GET"]),
    Route(PICTURE, delete_picture, methods=["DELETE"]),
    *(Route(f"{PICTURE}/{result}", get_result, methods=["GET"], name=result) for result in RESULTS),
    Route(f"{PICTURE}/report", get_report, methods=["GET"]),
    Route(f"{PICTURE}/strokes", put_strokes, methods=["PUT"]),
    Route(f"{PICTURE}/events", get_events, methods=["GET"]),
]
