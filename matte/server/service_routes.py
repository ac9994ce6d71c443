"""Who is signed in, what can be set, whether the server lives and what it counts."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import matte
from matte.configs.loader import merge_settings, preset_names
from matte.configs.settings import SETTINGS
from matte.server.answers import state_of
from matte.server.asked import (
    NETWORK_SETTINGS,
    PICTURE_SETTINGS,
    network_names,
    settings_in_words,
)
from matte.server.bounds import maximum_of
from matte.server.guard import COOKIE
from matte.server.metrics import MEDIA_TYPE
from matte.server.problems import ProblemError
from matte.server.uploads import read_json

KINDS = {int: "integer", float: "number", None: "text"}  # of settings, by their numbers


async def get_session(request: Request) -> Response:
    """Tell whether a token is needed, and whether it was shown."""
    access = state_of(request).access
    return JSONResponse(
        {
            "needs_token": access.needs_token,
            "signed_in": access.is_allowed(request.headers),
            "version": matte.__version__,
        }
    )


async def post_session(request: Request) -> Response:
    """Give a cookie for the token: streams and pictures of a page can't send headers."""
    access = state_of(request).access
    document = await read_json(request)
    token = document.get("token") if isinstance(document, dict) else None
    if not isinstance(token, str):
        raise ProblemError(400, "the body has no token", 'send {"token": "…"}')
    session = access.sign_in(token)
    if session is None and access.needs_token:
        raise ProblemError(401, "the token is wrong", "it was printed when the server started")
    response = Response(status_code=204)
    if session is not None:
        secure = request.url.scheme == "https"
        response.set_cookie(
            COOKIE, session, path="/", httponly=True, samesite="strict", secure=secure
        )
    return response


async def delete_session(request: Request) -> Response:
    """Forget that a browser has shown the token."""
    state_of(request).access.sign_out(request.headers)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


async def get_settings(request: Request) -> Response:
    """Tell what can be set, to what, and how the presets set it."""
    state = state_of(request)
    options = state.options
    presets = {name: settings_in_words(merge_settings(name)) for name in preset_names()}
    return JSONResponse(
        {
            "presets": presets,
            "default_preset": state.settings.preset,
            "current": settings_in_words(state.settings),
            "settings": [_describe(name) for name in PICTURE_SETTINGS],
            "networks": {kind: list(network_names(kind)) for kind in NETWORK_SETTINGS},
            "limits": {
                "max_pixels": state.max_pixels,
                "max_upload": options.max_upload_bytes,
                "max_stored": options.max_stored_bytes,
                "forget_after": options.forget_after_seconds,
            },
        }
    )


def _describe(name: str) -> dict[str, Any]:
    """Return what a client needs to know of a setting to offer it."""
    setting = SETTINGS[name]
    rule = setting.rule
    return {
        "name": name,
        "section": setting.section,
        "group": rule.group,
        "help": rule.help,
        "kind": KINDS[setting.number_kind],
        "words": list(setting.words),
        "minimum": rule.minimum,
        "maximum": maximum_of(name, rule),
        "unit": rule.unit,
        "common": rule.common,
    }


async def get_health(request: Request) -> Response:
    """Tell that the server lives."""
    return JSONResponse({"status": "ok", "version": matte.__version__})


async def get_ready(request: Request) -> Response:
    """Tell whether the networks are loaded."""
    if not state_of(request).is_ready:
        raise ProblemError(503, "the networks are being loaded", "ask again", 2)
    return JSONResponse({"status": "ready"})


async def get_metrics(request: Request) -> Response:
    """Give the server's counters."""
    state = state_of(request)
    return Response(state.metrics.as_text(state.gauges()), media_type=MEDIA_TYPE)


async def get_openapi(request: Request) -> Response:
    """Give the document that describes the API."""
    return JSONResponse(request.app.state.openapi)


ROUTES = [
    Route("/v1/session", get_session, methods=["GET"]),
    Route("/v1/session", post_session, methods=["POST"]),
    Route("/v1/session", delete_session, methods=["DELETE"]),
    Route("/v1/settings", get_settings, methods=["GET"]),
    Route("/health", get_health, methods=["GET"]),
    Route("/ready", get_ready, methods=["GET"]),
    Route("/metrics", get_metrics, methods=["GET"]),
    Route("/openapi.json", get_openapi, methods=["GET"]),
]
