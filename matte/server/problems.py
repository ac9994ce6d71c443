"""What a client is told when something can't be done: problem+json (RFC 9457), no server's path."""

import json
import math
import re
from typing import Any

from starlette.responses import Response

from matte.errors import MatteError, OutputError, PictureError, SettingError, is_memory_error

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "The request can't be understood",
    401: "A token is needed",
    403: "Not from there",
    404: "Not found",
    405: "Not in this way",
    408: "Too slow",
    409: "Not now",
    411: "Say how long it is",
    413: "Too large",
    415: "No picture",
    422: "Can't be done",
    503: "Busy",
}
# What looks like a place on the server's disk: two names joined by slashes, the first after one.
PATH = re.compile(r"(?<![\w:/.])(?:[A-Za-z]:)?[/\\][^\s:'\"]*[/\\]([^\s/\\:'\"]+)")


class ProblemError(Exception):
    """What went wrong with a request: its HTTP status, its cause and the remedy."""

    def __init__(
        self, status: int, cause: str, remedy: str = "", retry_seconds: float | None = None
    ) -> None:
        super().__init__(cause)
        self.status, self.cause, self.remedy = status, cause, remedy
        self.retry_seconds = retry_seconds

    def as_json(self) -> dict[str, Any]:
        """Return the problem's document."""
        return {
            "type": "about:blank",
            "title": TITLES.get(self.status, "Problem"),
            "status": self.status,
            "detail": self.cause,
            "remedy": self.remedy,
        }

    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the problem."""
        found = {}
        if self.retry_seconds is not None:
            found["Retry-After"] = str(max(1, math.ceil(self.retry_seconds)))
        if self.status == 401:
            found["WWW-Authenticate"] = 'Bearer realm="matte"'
        return found

    def response(self) -> Response:
        """Return the response that tells it."""
        return Response(
            json.dumps(self.as_json()), self.status, self.headers(), media_type=MEDIA_TYPE
        )


def bug_problem() -> ProblemError:
    """Return the problem of a mistake in matte: without how, the log has it all."""
    cause = "this is a bug in matte, and the server's log tells more"
    return ProblemError(500, cause, "please report it")


def memory_problem() -> ProblemError:
    """Return the problem of a memory that is too small."""
    cause = "there is not enough memory for this now"
    return ProblemError(503, cause, "give a smaller picture, or wait", 10)


def problem_of(error: MatteError) -> ProblemError:
    """Return what a client is told of an error of matte's."""
    status = 422
    if isinstance(error, SettingError):
        status = 400
    elif isinstance(error, PictureError) and "megapixels" in error.cause:
        status = 413
    elif isinstance(error, OutputError) and not is_memory_error(error):
        status = 400
    return ProblemError(status, without_paths(error.cause), without_paths(error.remedy))


def without_paths(text: str) -> str:
    """Return a text with the last name only of each place on the disk.

    >>> without_paths("can't read /tmp/matte-serve-1/abc (no picture)")
    "can't read abc (no picture)"
    """
    return PATH.sub(r"\1", text)
