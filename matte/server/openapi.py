"""The document that describes the API to programs (OpenAPI 3.1), from what the server knows."""

from collections.abc import Mapping

import matte
from matte.server.asked import FORMATS, RESULTS
from matte.server.options import ServerOptions
from matte.server.removebg import SIZES
from matte.server.schemas import (
    OBJECT,
    PROBLEM,
    STROKES,
    SWEEP,
    TEXT,
    Schema,
    result_values,
)

ANSWERS = {
    400: "The request can't be understood.",
    401: "A token is needed.",
    403: "The request comes from elsewhere.",
    404: "There is no such thing here.",
    408: "The body came too slowly.",
    409: "That has no such result.",
    413: "Too large.",
    415: "No picture.",
    422: "It can't be done.",
    503: "Busy; ask again after Retry-After seconds.",
}


def openapi_document(options: ServerOptions) -> Schema:
    """Return the document."""
    document: Schema = {
        "openapi": "3.1.0",
        "info": {
            "title": "matte",
            "version": matte.__version__,
            "description": "Cuts subjects out of pictures and puts them on other backgrounds.",
        },
        "paths": {
            "/health": {
                "get": _operation("Whether the server lives.", _json(OBJECT), is_open=True)
            },
            "/ready": {
                "get": _operation("Whether the networks are loaded.", _json(OBJECT), is_open=True)
            },
            "/metrics": {"get": _operation("Counters.", _content("text/plain", TEXT))},
            "/v1/session": _session_paths(),
            "/v1/settings": {"get": _operation("What can be set.", _json(OBJECT))},
            "/v1/matte": {"post": _one_shot()},
            "/v1/zip": {"post": _zip()},
            **_picture_paths(),
            **_job_paths(),
            "/v1.0/removebg": {"post": _removal()},
        },
        "components": {
            "schemas": {"Problem": PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
    }
    if options.token:
        document["security"] = [{"bearer": []}, {"key": []}]
    return document


def _parameters(names: Mapping[str, Schema]) -> list[Schema]:
    """Return parameters of a query."""
    return [{"name": name, "in": "query", "schema": schema} for name, schema in names.items()]


def _json(schema: Schema) -> Schema:
    """Return the content of a JSON document."""
    return _content("application/json", schema)


def _content(kind: str, schema: Schema) -> Schema:
    """Return content of a media type."""
    return {kind: {"schema": schema}}


def _pictures() -> Schema:
    """Return the content of a picture in one of the formats."""
    return {media: {"schema": {"type": "string"}} for _, media in FORMATS.values()}


def _operation(
    summary: str,
    content: Schema | None,
    *,
    status: int = 200,
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
    is_open: bool = False,
) -> Schema:
    """Return an operation: what it answers, and the problems that any may have."""
    answer: Schema = {"description": summary}
    if content is not None:
        answer["content"] = content
    problem = _content("application/problem+json", {"$ref": "#/components/schemas/Problem"})
    operation: Schema = {
        "summary": summary,
        "responses": {
            str(status): answer,
            **{str(s): {"description": text, "content": problem} for s, text in ANSWERS.items()},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    if is_open:
        operation["security"] = []
    return operation


def _id(name: str = "id") -> Schema:
    """Return the parameter of a path."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _session_paths() -> Schema:
    """Return the operations on a browser's session."""
    token = {"type": "object", "required": ["token"], "properties": {"token": {"type": "string"}}}
    return {
        "get": _operation("Whether a token is needed, and was shown.", _json(OBJECT), is_open=True),
        "post": _operation(
            "Show the token, get a cookie.", None, status=204, body=_json(token), is_open=True
        ),
        "delete": _operation("Sign out.", None, status=204, is_open=True),
    }


def _form(required: str, files: tuple[str, ...], values: Mapping[str, Schema]) -> Schema:
    """Return the content of a form with files."""
    binary = {"type": "string", "contentMediaType": "application/octet-stream", "format": "binary"}
    properties = {**dict.fromkeys(files, binary), **values}
    schema = {"type": "object", "required": [required], "properties": properties}
    return _content("multipart/form-data", schema)


def _one_shot() -> Schema:
    """Return the operation that mattes a picture in one request."""
    values = {"result": {"type": "string", "enum": [*RESULTS]}, **result_values()}
    operation = _operation(
        "A picture's result; with Accept: application/json the picture is kept.",
        _pictures(),
        body=_form("image", ("image", "background"), values),
    )
    operation["responses"]["201"] = {"description": "The kept picture.", "content": _json(OBJECT)}
    return operation


def _picture_paths() -> Schema:
    """Return the operations on a picture that was sent."""
    place = "/v1/pictures/{id}"
    values = _parameters(result_values())
    return {
        "/v1/pictures": {
            "post": _operation(
                "Send a picture.", _json(OBJECT), status=201, body=_form("image", ("image",), {})
            )
        },
        place: {
            "get": _operation("A picture that was sent.", _json(OBJECT), parameters=[_id()]),
            "delete": _operation("Forget a picture.", None, status=204, parameters=[_id()]),
        },
        **{
            f"{place}/{result}": {
                "get": _operation(
                    f"The picture's {result}.", _pictures(), parameters=[_id(), *values]
                )
            }
            for result in RESULTS
        },
        f"{place}/report": {
            "get": _operation("How a result was found.", _json(OBJECT), parameters=[_id(), *values])
        },
        f"{place}/strokes": {
            "put": _operation(
                "Strokes on the trimap, in place of those before.",
                _json(OBJECT),
                parameters=[_id()],
                body=_json(STROKES),
            )
        },
        f"{place}/events": {
            "get": _operation(
                "Progress, as server-sent events.",
                _content("text/event-stream", {"type": "string"}),
                parameters=[_id()],
            )
        },
        f"{place}/sweep": {
            "post": _operation(
                "Compare settings of the band.",
                _json(OBJECT),
                status=202,
                parameters=[_id()],
                body=_json(SWEEP),
            )
        },
    }


def _job_paths() -> Schema:
    """Return the operations on a job."""
    place = "/v1/jobs/{id}"
    events = _content("text/event-stream", {"type": "string"})
    number = {"name": "place", "in": "path", "required": True, "schema": {"type": "integer"}}
    values = _parameters(result_values())
    return {
        place: {
            "get": _operation("A job.", _json(OBJECT), parameters=[_id()]),
            "delete": _operation("Stop a job.", None, status=204, parameters=[_id()]),
        },
        f"{place}/events": {"get": _operation("A job's progress.", events, parameters=[_id()])},
        f"{place}/previews/{{place}}": {
            "get": _operation(
                "A setting's result, small.", _pictures(), parameters=[_id(), number, *values]
            )
        },
    }


def _zip() -> Schema:
    """Return the operation that gives many results."""
    texts = {name: {"type": "string"} for name in ("picture", "result", "name", "query")}
    item = {"type": "object", "required": ["picture"], "properties": texts}
    items = {
        "type": "object",
        "required": ["items"],
        "properties": {"items": {"type": "array", "minItems": 1, "items": item}},
    }
    content = _content("application/zip", {"type": "string"})
    return _operation("Many results as one ZIP.", content, body=_json(items))


def _removal() -> Schema:
    """Return the operation that remove.bg's clients know."""
    values: dict[str, Schema] = {
        "image_file_b64": {"type": "string"},
        "size": {"type": "string", "enum": [*SIZES]},
        "format": {"type": "string", "enum": ["auto", "png", "jpg", "webp"]},
        "crop": {"type": "string", "enum": ["true", "false"]},
        "crop_margin": {"type": "string"},
        "channels": {"type": "string", "enum": ["rgba", "alpha"]},
        "bg_color": {"type": "string"},
    }
    operation = _operation(
        "As remove.bg's.",
        {**_pictures(), **_json(OBJECT)},
        body=_form("image_file", ("image_file", "bg_image_file"), values),
    )
    told = _json({"type": "object", "required": ["errors"]})
    for status in (400, 403, 408, 429):
        operation["responses"][str(status)] = {"description": "An error.", "content": told}
    return operation
