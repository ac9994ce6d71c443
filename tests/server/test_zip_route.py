"""Many results as one ZIP."""

import io
import zipfile
from typing import Any

import httpx

from tests.server.running import pixels


def test_results_are_zipped_and_what_fails_says_why(client: httpx.Client, portrait: str) -> None:
    picture = portrait.rpartition("/")[2]
    items = [
        {"picture": picture, "result": "cutout", "name": "me.jpg"},
        {"picture": picture, "result": "cutout", "name": "me.png"},
        {"picture": picture, "result": "composite", "name": "me", "query": "bg=white&format=jpeg"},
        {"picture": "gone", "result": "alpha", "name": "../../other"},
    ]
    found = client.post("/v1/zip", json={"items": items})
    archive = zipfile.ZipFile(io.BytesIO(found.content))
    assert archive.testzip() is None
    assert archive.namelist() == [
        "me-matte.png",
        "me-matte-2.png",
        "me-matte.jpg",
        "other-alpha.png.error.txt",
    ]
    assert pixels(archive.read("me-matte.png")).shape == (512, 512, 4)
    assert archive.read("other-alpha.png.error.txt").startswith(b"there is no such picture")


def test_what_can_not_be_is_told(client: httpx.Client, portrait: str) -> None:
    picture = portrait.rpartition("/")[2]
    wrong_kinds: list[Any] = [[], "x", [1], [{}], [{"picture": 5}]]
    for items in (*wrong_kinds, [{"picture": picture, "result": "x"}]):
        assert client.post("/v1/zip", json={"items": items}).status_code == 400
    wrong = [{"picture": picture, "query": "kk=3"}]
    assert client.post("/v1/zip", json={"items": wrong}).status_code == 400
