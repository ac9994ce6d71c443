"""A picture in, its result out, over a real socket."""

import httpx
import numpy as np
import pytest

from matte.api import composite
from matte.configs.loader import merge_settings
from matte.pipeline.build import build
from tests.conftest import SAMPLE
from tests.server.running import QUICK, RunningServer, pixels, png

BEHIND = (2, 510)  # a place in the sample portrait where its background is
GREEN = np.full((40, 60, 3), (0, 200, 0), np.uint8)


def test_the_result_is_the_library_s_and_nothing_is_kept(
    server: RunningServer, client: httpx.Client
) -> None:
    before = server.state.store.count, server.state.cache.kept_bytes
    data = {"bg": "#205080", "k": "9"}
    found = client.post("/v1/matte", files={"image": SAMPLE.read_bytes()}, data=data)
    assert found.status_code == 200
    assert (server.state.store.count, server.state.cache.kept_bytes) == before
    result = build(merge_settings("fast", flags={**QUICK, "k": 9}))(SAMPLE)
    expected = composite(result.foreground, result.alpha, "#205080")
    assert np.array_equal(pixels(found.content), expected)


def test_a_background_comes_along(client: httpx.Client) -> None:
    files = {"image": ("me.jpg", SAMPLE.read_bytes()), "background": ("green.png", png(GREEN))}
    found = pixels(client.post("/v1/matte", files=files).content)
    assert tuple(found[BEHIND]) == (0, 200, 0)
    both = client.post("/v1/matte", files=files, data={"bg": "white"})
    assert both.status_code == 400


def test_json_gives_links(client: httpx.Client) -> None:
    files = {"image": ("me.jpg", SAMPLE.read_bytes()), "background": ("green.png", png(GREEN))}
    told = client.post("/v1/matte", files=files, headers={"Accept": "application/json"})
    assert told.status_code == 201
    links = told.json()["links"]
    assert client.get(links["mask"].partition("?")[0]).status_code == 200
    assert tuple(pixels(client.get(links["composite"]).content)[BEHIND]) == (0, 200, 0)


@pytest.mark.parametrize("result", ["alpha", "mask", "trimap", "cutout"])
def test_other_results(client: httpx.Client, result: str) -> None:
    found = client.post("/v1/matte", files={"image": SAMPLE.read_bytes()}, data={"result": result})
    assert pixels(found.content).shape[:2] == (512, 512)


@pytest.mark.parametrize(
    ("files", "data", "status"),
    [
        ({"picture": b"x"}, {}, 400),
        ({"image": b"no picture"}, {}, 415),
        ({"image": SAMPLE.read_bytes()}, {"result": "magic"}, 400),
        ({"image": SAMPLE.read_bytes()}, {"segmenter": "/etc/passwd"}, 400),
        ({"image": SAMPLE.read_bytes(), "more": b"x"}, {}, 400),
        ({"image": SAMPLE.read_bytes()}, {"max_memory": "1"}, 400),
    ],
)
def test_what_can_not_be_is_told(
    client: httpx.Client, files: dict[str, bytes], data: dict[str, str], status: int
) -> None:
    found = client.post("/v1/matte", files=files, data=data)
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_no_form_is_refused(client: httpx.Client) -> None:
    assert client.post("/v1/matte", content=b"x").status_code == 415
    broken = {"Content-Type": "multipart/form-data"}
    assert client.post("/v1/matte", content=b"x", headers=broken).status_code == 400
