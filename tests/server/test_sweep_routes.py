"""Sweeps as jobs, over a real socket."""

import time
from typing import Any

import httpx
import pytest

from matte.server import sweep_routes
from tests.server.running import pixels


def finished(client: httpx.Client, place: str) -> dict[str, Any]:
    """Returns a job when it has ended."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job: dict[str, Any] = client.get(place).json()
        if job["state"] not in ("waiting", "running"):
            return job
        time.sleep(0.05)
    raise AssertionError("the job does not end")


def test_a_sweep_compares_settings(client: httpx.Client, portrait: str) -> None:
    begun = client.post(f"{portrait}/sweep", json={"k": ["auto", 7], "width": ["1%"]})
    assert begun.status_code == 202
    place = begun.headers["location"]
    job = finished(client, place)
    assert job["state"] == "done"
    assert [row["set"] for row in job["settings"]] == [
        {"k": "auto"},
        {"k": 7, "iterations": 3},
        {"width": "1%"},
    ]
    assert sum(row["best"] for row in job["settings"]) == 1
    preview = client.get(job["settings"][1]["preview"], params={"bg": "white", "max_side": "64"})
    assert pixels(preview.content).shape == (64, 64, 3)
    with client.stream("GET", f"{place}/events") as events:
        assert events.status_code == 200
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_a_sweep_keeps_no_more_alphas_than_fit(
    client: httpx.Client, portrait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_routes, "MAX_SWEEP_PIXELS", 512 * 512)
    refused = client.post(f"{portrait}/sweep", json={"k": ["auto", 7]})
    assert refused.status_code == 413
    assert "fewer settings" in refused.json()["remedy"]


def test_a_sweep_can_be_stopped(client: httpx.Client, portrait: str) -> None:
    values = list(range(3, 23))
    place = client.post(f"{portrait}/sweep", json={"k": values}).headers["location"]
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ([], 400),
        ({"k": "7"}, 400),
        ({"k": [True]}, 400),
        ({"k": [0]}, 400),
        ({"k": list(range(1, 30))}, 400),
        ({"k": list(range(1, 24)), "iterations": [1, 2]}, 413),
        ({"width": ["x"]}, 400),
        ({"modnet": "modnet", "k": [7]}, 409),
        ({"refiner": "/x.onnx"}, 400),
        ({"threshold": [1]}, 400),
    ],
)
def test_what_can_not_be_is_told(
    client: httpx.Client, portrait: str, document: Any, status: int
) -> None:
    assert client.post(f"{portrait}/sweep", json=document).status_code == status
