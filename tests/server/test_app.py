"""The application: errors in the form that a path's clients know."""

import json

import httpx
import pytest

from matte.server import picture_routes
from matte.server.app import respond
from matte.server.problems import ProblemError
from tests.server.running import RunningServer


def test_each_api_has_its_own_form_of_errors() -> None:
    problem = ProblemError(503, "busy", "wait", 3)
    own, other = respond("/v1/matte", problem), respond("/v1.0/removebg", problem)
    assert own.media_type == "application/problem+json"
    assert (own.status_code, other.status_code) == (503, 429)
    assert other.headers["retry-after"] == "3"
    assert json.loads(bytes(other.body))["errors"][0]["code"] == "rate_limit_exceeded"


def test_what_is_not_there_is_told(client: httpx.Client) -> None:
    assert client.get("/v1/none").json()["status"] == 404
    wrong = client.put("/v1/matte")
    assert wrong.status_code == 405
    assert wrong.headers["allow"] == "POST"


def test_memory_that_is_used_up_is_told(
    client: httpx.Client, portrait: str, monkeypatch: pytest.MonkeyPatch, server: RunningServer
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(picture_routes, "asked_by", fail)
    told = client.get(f"{portrait}/alpha")
    assert told.status_code == 503
    assert told.headers["retry-after"]
