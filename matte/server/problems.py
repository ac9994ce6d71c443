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


def disk_problem() -> ProblemError:
    """Return the problem of a disk that takes no more."""
    return ProblemError(503, "the server's disk takes no more", "delete pictures, or wait", 60)


def problem_of(error: Exception) -> ProblemError:
    """Return what a client is told of an error: of a bug not how it came, the log has it all."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, MatteError):
        cause, remedy = without_paths(error.cause), without_paths(error.remedy)
        return ProblemError(_status_of(error), cause, remedy)
    if is_memory_error(error):
        cause = "there is not enough memory for this now"
        return ProblemError(503, cause, "give a smaller picture, or wait", 10)
    cause = "this is a bug in matte, and the server's log tells more"
    return ProblemError(500, cause, "please report it")


def _status_of(error: MatteError) -> int:
    """Return the HTTP status of an error of matte's."""
    if isinstance(error, SettingError):
        return 400
    if isinstance(error, PictureError) and "megapixels" in error.cause:
        return 413
    return 400 if isinstance(error, OutputError) and not is_memory_error(error) else 422


def without_paths(text: str) -> str:
    """Return a text with the last name only of each place on the disk.

    >>> without_paths("can't read /tmp/matte-serve-1/abc (no picture)")
    "can't read abc (no picture)"
    """
    return PATH.sub(r"\1", text)
