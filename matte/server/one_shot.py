"""The API in one request: a picture in, its result out, and nothing kept."""

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matte.media.pictures import Photo
from matte.server.answers import picture_json, result_response, state_of
from matte.server.asked import RESULTS, Asked, parse_asked
from matte.server.picture_routes import keep_picture, result_of
from matte.server.problems import ProblemError
from matte.server.results import Made
from matte.server.state import ServerState
from matte.server.steps import PictureSource
from matte.server.uploads import Form, SentFile, read_form

BACKGROUND = "upload"  # the id of a background that came with the request
JSON = "application/json"


async def post_matte(request: Request) -> Response:
    """Matte a picture; where JSON is accepted, keep it and say where its results are."""
    state = state_of(request)
    async with read_form(request, state.options) as form:
        sent = form.picture("image")
        behind = form.picture("background") if "background" in form.files else None
        extra = form.files.keys() - {"image", "background"}
        if extra:
            raise ProblemError(400, f"no file {min(extra)[:60]!r} is wanted", "leave it out")
        values = dict(form.values)
        result = result_of(values.pop("result", "composite"))
        accept = request.headers.get("accept", "")
        if behind is not None:
            if values.get("bg"):
                raise ProblemError(400, "bg and background exclude each other", "give one")
            values["bg"] = f"picture:{BACKGROUND}"
        asked = parse_asked(result, values, state.settings, accept)
        if JSON in accept:
            return await _keep_and_link(request, state, form, values)
        made = await state.queue.run(request, lambda: make_once(state, sent, asked, behind))
    return result_response(made, asked, sent.name)


def make_once(state: ServerState, sent: SentFile, asked: Asked, behind: SentFile | None) -> Made:
    """Return the result of a picture of which nothing is kept."""
    source = PictureSource("", sent.name, lambda: state.decode(sent.read(), sent.name))
    others: Mapping[str, Photo] = {}
    if behind is not None:
        others = {BACKGROUND: state.decode(behind.read(), behind.name)}
    return state.make(source, asked, others)


async def _keep_and_link(
    request: Request, state: ServerState, form: Form, values: dict[str, str]
) -> Response:
    """Keep the pictures of a form, and answer with links to the results."""
    picture = await keep_picture(request, state, form.files["image"])
    if "background" in form.files:
        behind = await keep_picture(request, state, form.files["background"])
        values = values | {"bg": f"picture:{behind.id}"}
    document = picture_json(picture, state)
    query = f"?{urlencode(values)}" if values else ""
    for name in (*RESULTS, "report"):
        document["links"][name] += query
    return JSONResponse(document, 201, {"Location": document["links"]["self"]})


ROUTES = [Route("/v1/matte", post_matte, methods=["POST"])]
