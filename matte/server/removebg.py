"""The API of remove.bg, as far as one picture goes: its clients work, but for the address.

Field names, values and errors are as its public documentation describes them.
"""

import base64
import binascii
import io
import json
import math
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from matte.configs.lengths import parse_length
from matte.errors import MatteError, SettingError
from matte.limits import MAX_FORM_FIELDS
from matte.server.answers import state_of
from matte.server.asked import Asked, parse_asked
from matte.server.one_shot import BACKGROUND
from matte.server.problems import ProblemError, problem_of
from matte.server.results import Made
from matte.server.state import ServerState
from matte.server.steps import PictureSource
from matte.server.uploads import Form, SentFile, read_body, read_form, read_json_of

PREFIX = "/v1.0/"
CODES = {
    401: "auth_failed",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    413: "file_too_large",
    415: "invalid_file_type",
    503: "rate_limit_exceeded",
}
# Megapixels that a result of a size has at most; None: as many as the picture.
SIZES = {
    "preview": 0.25,
    "small": 0.25,
    "regular": 0.25,
    "medium": 1.5,
    "hd": 4.0,
    "4k": 10.0,
    "50MP": 50.0,
    "full": None,
    "auto": None,
}
# What would change the result and isn't done here, and the values that ask for nothing.
NOT_DONE = {
    "roi": ("", "0% 0% 100% 100%"),
    "scale": ("", "original", "100%"),
    "position": ("", "original"),
    "add_shadow": ("", "false", "0"),
    "shadow_type": ("", "none"),
    "image_url": ("",),
    "bg_image_url": ("",),
}
IGNORED = ("type", "type_level", "semitransparency", "shadow_opacity")
KNOWN = (
    *("image_file", "image_file_b64", "size", "format", "crop", "crop_margin", "channels"),
    *("bg_color", "bg_image_file"),
)
HEX_LENGTHS = (3, 4, 6, 8)


class RemovalError(Exception):
    """What remove.bg's clients are told: a status, a title and a code."""

    def __init__(self, status: int, title: str, code: str) -> None:
        super().__init__(title)
        self.status, self.title, self.code = status, title, code


def error_response(status: int, title: str, code: str, headers: Mapping[str, str]) -> Response:
    """Return an error in remove.bg's form."""
    return JSONResponse({"errors": [{"title": title, "code": code}]}, status, headers)


def response_of(problem: ProblemError) -> Response:
    """Return a problem in remove.bg's form, with the status that its clients know."""
    status = {401: 403, 413: 400, 415: 400, 422: 400, 503: 429}.get(problem.status, problem.status)
    title = f"{problem.cause}: {problem.remedy}" if problem.remedy else problem.cause
    code = CODES.get(problem.status, "invalid_parameters")
    return error_response(status, title, code, problem.headers())


async def post_removal(request: Request) -> Response:
    """Cut the subject out of a picture."""
    state = state_of(request)
    try:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            values = _texts(await read_json_of(request, 2 * state.options.max_upload_bytes))
            return await _remove(request, state, Form(values, {}))
        if kind == "application/x-www-form-urlencoded":
            body = await read_body(request, 2 * state.options.max_upload_bytes)
            try:
                pairs = parse_qsl(body.decode(errors="replace"), max_num_fields=MAX_FORM_FIELDS)
            except ValueError as error:
                raise ProblemError(
                    400, f"the form has more than {MAX_FORM_FIELDS} fields"
                ) from error
            return await _remove(request, state, Form(dict(pairs), {}))
        async with read_form(request, state.options) as form:
            return await _remove(request, state, form)
    except RemovalError as error:
        return error_response(error.status, error.title, error.code, {})
    except (MatteError, ProblemError) as error:
        return response_of(problem_of(error))


async def _remove(request: Request, state: ServerState, form: Form) -> Response:
    """Answer a form."""
    values = {name: value for name, value in form.values.items() if name not in IGNORED}
    _refuse_not_done(values)
    sent = _source(form)
    size = values.get("size") or "preview"
    if size not in SIZES:
        raise RemovalError(400, f"size {size[:40]!r} is none of {', '.join(SIZES)}", "invalid_size")
    asked = _asked(values, form, state)
    others = {}
    wants_json = "application/json" in request.headers.get("accept", "")

    def work() -> Made:
        photo = state.decode(sent.read(), sent.name)
        if "bg_image_file" in form.files:
            behind = form.files["bg_image_file"]
            others[BACKGROUND] = state.decode(behind.read(), behind.name)
        source = PictureSource("", sent.name, lambda: photo)
        return state.make(source, _limit_pixels(asked, photo.pixels.shape, SIZES[size]), others)

    made = await state.queue.run(request, work)
    if made.subject is False:
        raise RemovalError(400, "Could not identify foreground in image", "unknown_foreground")
    left, top, width, height = made.box
    place = {"Top": top, "Left": left, "Width": width, "Height": height}
    headers = {f"X-Foreground-{name}": str(number) for name, number in place.items()}
    headers |= {"X-Type": "other", "X-Width": str(made.width), "X-Height": str(made.height)}
    headers["X-Credits-Charged"] = "0"
    if wants_json:
        data = {"result_b64": base64.b64encode(made.data).decode()}
        numbers = {f"foreground_{name.lower()}": number for name, number in place.items()}
        return JSONResponse({"data": data | numbers}, headers=headers)
    return Response(made.data, headers=headers, media_type=made.media_type)


def _refuse_not_done(values: Mapping[str, str]) -> None:
    """Raise RemovalError for what is not done here, and for what nobody knows."""
    for name, value in values.items():
        if name in NOT_DONE and value not in NOT_DONE[name]:
            if name.endswith("_url"):
                raise RemovalError(
                    400,
                    "This server fetches nothing from addresses: send the picture itself",
                    "failed_image_download",
                )
            raise RemovalError(400, f"{name} is not done by this server", "invalid_parameters")
        if name not in NOT_DONE and name not in KNOWN:
            raise RemovalError(400, f"Unknown parameter {name[:40]!r}", "invalid_parameters")


def _source(form: Form) -> SentFile:
    """Return the picture of a form: a file, or text that stands for its bytes."""
    text = form.values.get("image_file_b64", "")
    if text and "image_file" in form.files:
        raise RemovalError(400, "Multiple image sources given", "multiple_sources")
    if text:
        try:
            data = base64.b64decode(text.encode(), validate=True)
        except (ValueError, binascii.Error) as error:
            raise RemovalError(400, "image_file_b64 is no Base64", "invalid_image_file") from error
        sent = SentFile(io.BytesIO(data), len(data), "image")
        sent.check_format()
        return sent
    if "image_file" not in form.files:
        raise RemovalError(400, "No image given", "missing_source")
    return form.picture("image_file")


def _asked(values: Mapping[str, str], form: Form, state: ServerState) -> Asked:
    """Return what the form asks for, in matte's own words."""
    own: dict[str, str] = {}
    if "bg_image_file" in form.files:
        form.files["bg_image_file"].check_format()
        own["bg"] = f"picture:{BACKGROUND}"
    elif values.get("bg_color"):
        own["bg"] = _colour(values["bg_color"])
    kind = values.get("format") or "auto"
    if kind not in ("auto", "png", "jpg", "webp"):
        raise RemovalError(400, f"format {kind[:40]!r} is not written here", "invalid_format")
    if kind == "jpg" and "bg" not in own:
        own["bg"] = "white"  # as remove.bg has it
    own["format"] = ("jpg" if "bg" in own else "png") if kind == "auto" else kind
    if values.get("crop", "").lower() in ("true", "1"):
        own["crop"] = _margin(values.get("crop_margin", ""))
    channels = values.get("channels") or "rgba"
    if channels not in ("rgba", "alpha"):
        raise RemovalError(400, "channels is rgba or alpha", "invalid_channels")
    if channels == "alpha":
        own = {"format": "png"} | ({"crop": own["crop"]} if "crop" in own else {})
    return parse_asked("alpha" if channels == "alpha" else "composite", own, state.settings)


def _colour(text: str) -> str:
    """Return a colour as --bg takes it: remove.bg's hexadecimal ones have no #."""
    digits = text.removeprefix("#")
    is_hex = len(digits) in HEX_LENGTHS and all(c in "0123456789abcdefABCDEF" for c in digits)
    if not is_hex:
        return text
    if len(digits) in (4, 8) and digits[len(digits) * 3 // 4 :].lower().strip("f"):
        raise RemovalError(400, "no background is half-transparent", "invalid_bg_color")
    return f"#{digits[: 3 if len(digits) < 6 else 6]}"


def _margin(text: str) -> str:
    """Return the margin of a crop: one length for all sides."""
    parts = text.replace(",", " ").split()
    if len(set(parts)) > 1:
        raise RemovalError(400, "crop_margin is one length here", "invalid_crop_margin")
    try:
        return str(parse_length(parts[0])) if parts else "0"
    except SettingError as error:
        raise RemovalError(400, error.cause, "invalid_crop_margin") from error


def _limit_pixels(asked: Asked, shape: tuple[int, ...], megapixels: float | None) -> Asked:
    """Return what is asked for, no larger than so many megapixels."""
    height, width = shape[:2]
    if megapixels is None or height * width <= megapixels * 1e6:
        return asked
    scale = math.sqrt(megapixels * 1e6 / (height * width))
    return replace(asked, max_side=max(1, round(max(height, width) * scale)))


def _texts(document: object) -> dict[str, str]:
    """Return the values of a JSON object as a form has them."""
    if not isinstance(document, dict):
        raise ProblemError(400, "the body is no JSON object")
    return {
        str(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in document.items()
        if value is not None
    }


ROUTES = [Route(f"{PREFIX}removebg", post_removal, methods=["POST"])]
