"""What can be set, and whether the server lives."""

import time

import httpx

from matte.server.asked import PICTURE_SETTINGS


def test_settings_are_described(client: httpx.Client) -> None:
    told = client.get("/v1/settings").json()
    by_name = {row["name"]: row for row in told["settings"]}
    assert tuple(by_name) == PICTURE_SETTINGS
    assert by_name["k"]["kind"] == "integer"
    assert by_name["k"]["words"] == ["auto", "learned"]
    assert (by_name["k"]["minimum"], by_name["k"]["maximum"]) == (1, 101)
    assert by_name["threshold"]["kind"] == "number"
    assert by_name["width"]["kind"] == "text"
    assert by_name["shape"]["words"] == ["ellipse", "rect", "cross"]
    assert {"fast", "balanced", "best"} <= told["presets"].keys()
    assert "person" in told["networks"]["segmenter"]
    assert "guided" in told["networks"]["refiner"]
    assert "u2net" not in told["networks"]["segmenter"]  # which is not fetched
    assert told["limits"]["max_upload"] > 0


def test_the_server_becomes_ready(client: httpx.Client) -> None:
    until = time.monotonic() + 30
    while client.get("/ready").status_code != 200 and time.monotonic() < until:
        time.sleep(0.05)
    assert client.get("/ready").json()["status"] == "ready"
