"""The API by steps, over a real socket."""

import time

import httpx
import numpy as np
import pytest

from tests.conftest import SAMPLE
from tests.server.running import RunningServer, pixels, png

GREEN = np.full((40, 60, 3), (0, 200, 0), np.uint8)


def test_a_picture_is_kept_and_told_of_and_forgotten(client: httpx.Client) -> None:
    sent = client.post("/v1/pictures", files={"image": ("../my photo.png", png(GREEN))})
    assert sent.status_code == 201
    told = sent.json()
    assert (told["width"], told["height"], told["name"]) == (60, 40, "my photo.png")
    assert sent.headers["location"] == told["links"]["self"]
    assert client.get(told["links"]["self"]).json()["id"] == told["id"]
    assert client.delete(told["links"]["self"]).status_code == 204
    gone = client.get(told["links"]["self"])
    assert gone.status_code == 404
    assert gone.json()["remedy"] == "send it again"


def test_every_result_has_its_form(client: httpx.Client, portrait: str) -> None:
    shapes = {
        "photo": (512, 512, 3),
        "mask": (512, 512),
        "trimap": (512, 512),
        "alpha": (512, 512),
        "cutout": (512, 512, 4),
        "composite": (512, 512, 4),
    }
    found = {name: client.get(f"{portrait}/{name}") for name in shapes}
    for name, shape in shapes.items():
        assert found[name].headers["content-type"] == "image/png"
        assert pixels(found[name].content).shape == shape
    assert set(np.unique(pixels(found["trimap"].content))) == {0, 128, 255}
    assert set(np.unique(pixels(found["mask"].content))) == {0, 255}
    cutout = pixels(found["cutout"].content)
    assert np.array_equal(cutout[:, :, 3], pixels(found["alpha"].content))
    assert found["alpha"].headers["x-matte-subject"] == "yes"
    assert "refine" in found["alpha"].headers["server-timing"]


def test_a_result_is_cut_scaled_and_encoded_as_asked(client: httpx.Client, portrait: str) -> None:
    whole = pixels(client.get(f"{portrait}/composite", params={"bg": "#102030"}).content)
    part = client.get(f"{portrait}/composite", params={"bg": "#102030", "box": "100,50,80,40"})
    assert np.array_equal(pixels(part.content), whole[50:90, 100:180])
    small = client.get(f"{portrait}/composite", params={"bg": "white", "max_side": "100"})
    assert pixels(small.content).shape == (100, 100, 3)
    deep = client.get(f"{portrait}/alpha", params={"bits": "16"})
    assert pixels(deep.content).dtype == np.uint16
    for kind, media in (("webp", "image/webp"), ("jpeg", "image/jpeg"), ("tiff", "image/tiff")):
        found = client.get(f"{portrait}/composite", params={"bg": "white", "format": kind})
        assert found.headers["content-type"] == media
    liked = client.get(f"{portrait}/cutout", headers={"Accept": "image/jpeg, image/webp;q=0.5"})
    assert liked.headers["content-type"] == "image/webp"
    saved = client.get(f"{portrait}/cutout", params={"download": "1"})
    assert saved.headers["content-disposition"].endswith("astronaut-matte.png")


def test_only_what_changed_runs_again(client: httpx.Client, portrait: str) -> None:
    client.get(f"{portrait}/composite", params={"k": "9"})
    again = client.get(f"{portrait}/composite", params={"k": "9", "bg": "blur"})
    assert not {"segment", "refine", "foreground"} & _stages(again)
    other = client.get(f"{portrait}/composite", params={"k": "11"})
    assert {"refine", "foreground"} <= _stages(other)
    assert "segment" not in _stages(other)
    assert not {"refine", "segment"} & _stages(client.get(f"{portrait}/trimap", params={"k": "5"}))


def _stages(response: httpx.Response) -> set[str]:
    """Returns the stages that ran for a response."""
    return {part.partition(";")[0] for part in response.headers["server-timing"].split(", ")}


def test_a_sent_picture_can_be_a_background(client: httpx.Client, portrait: str) -> None:
    behind = client.post("/v1/pictures", files={"image": ("green.png", png(GREEN))}).json()["id"]
    query = {"bg": f"picture:{behind}", "fit": "stretch"}
    found = pixels(client.get(f"{portrait}/composite", params=query).content)
    alpha = pixels(client.get(f"{portrait}/alpha").content)
    assert (found[alpha == 0] == (0, 200, 0)).all()
    gone = client.get(f"{portrait}/composite", params={"bg": "picture:none"})
    assert gone.status_code == 404


def test_strokes_change_the_trimap_and_the_alpha(client: httpx.Client) -> None:
    with SAMPLE.open("rb") as file:
        place = client.post("/v1/pictures", files={"image": file}).json()["links"]["self"]
    before = pixels(client.get(f"{place}/trimap").content)
    alpha = pixels(client.get(f"{place}/alpha").content)
    stroke = {"value": "background", "radius": 12, "points": [[230, 120], [260, 150]]}
    assert client.put(f"{place}/strokes", json={"strokes": [stroke]}).json()["strokes"] == 1
    after = pixels(client.get(f"{place}/trimap").content)
    assert (after[120:150:5, 231:232] == before[120:150:5, 231:232]).mean() < 1
    assert after[135, 245] == 0
    painted = pixels(client.get(f"{place}/alpha").content)
    assert alpha[135, 245] == 255
    assert painted[135, 245] == 0
    assert client.put(f"{place}/strokes", json={"strokes": []}).json()["strokes"] == 0
    assert np.array_equal(pixels(client.get(f"{place}/alpha").content), alpha)


def test_the_report_names_the_command(client: httpx.Client, portrait: str) -> None:
    query = {"k": "9", "bg": "#ff0000", "preset": "fast", "crop": "3%"}
    told = client.get(f"{portrait}/report", params=query).json()
    expected = "matte image astronaut.jpg --preset fast"
    assert told["command"].startswith(expected)
    assert told["command"].endswith("--k 9 --bg '#ff0000' --crop 3%")
    assert told["report"]["subject"] is True


def test_events_tell_of_progress(server: RunningServer, portrait: str) -> None:
    with server.client() as listener, server.client() as client:
        with listener.stream("GET", f"{portrait}/events") as events:
            lines = events.iter_lines()
            assert next(lines) == ": listening"
            client.get(f"{portrait}/alpha", params={"k": "13"})
            told = []
            for line in lines:
                told.append(line)
                if line == "event: idle":
                    break
        assert "event: progress" in told
    until = time.monotonic() + 20
    while server.state.channels.count and time.monotonic() < until:
        time.sleep(0.02)
    assert server.state.channels.count == 0


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("composite?k=x", 400, "whole number"),
        ("composite?kk=3", 400, "did you mean 'k'"),
        ("composite?k=3&k=5", 400, "twice"),
        ("composite?segmenter=/etc/passwd", 400, "no segmenter"),
        ("composite?refiner=../x.onnx", 400, "no refiner"),
        ("composite?backend=torch", 400, "no setting"),
        ("composite?bg=/etc/passwd", 400, "give transparent"),
        ("composite?box=0,0,0,5", 400, "is empty"),
        ("composite?box=600,0,5,5", 400, "outside"),
        ("composite?format=exe", 400, "give png"),
        ("cutout?format=jpeg", 400, "transparency"),
        ("alpha?max_side=0", 400, "1 … 65535"),
        ("mask?modnet=modnet", 409, "no mask"),
        ("nothing", 404, "not found"),
    ],
)
def test_what_can_not_be_is_told(
    client: httpx.Client, portrait: str, path: str, status: int, told: str
) -> None:
    found = client.get(f"{portrait}/{path}")
    assert found.status_code == status
    assert found.headers["content-type"] == "application/problem+json"
    assert told in f"{found.json()['detail']}: {found.json()['remedy']}"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"<!doctype html>", 415),
        (png(GREEN)[:-30], 422),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, 422),
    ],
)
def test_what_is_no_picture_is_refused(client: httpx.Client, data: bytes, status: int) -> None:
    found = client.post("/v1/pictures", files={"image": ("x.png", data)})
    assert found.status_code == status
    assert "/tmp" not in found.text


def test_a_modnet_has_an_alpha(client: httpx.Client, portrait: str) -> None:
    found = client.get(f"{portrait}/alpha", params={"modnet": "modnet"})
    assert pixels(found.content).max() > 250


def test_a_subject_stands_on_a_canvas(client: httpx.Client, portrait: str) -> None:
    asked = {"canvas": "300x200", "fill": "50%", "align": "bottom", "shadow": "drop", "bg": "white"}
    found = pixels(client.get(f"{portrait}/composite", params=asked).content)
    assert found.shape == (200, 300, 3)
    assert found[2, 2].tolist() == [255, 255, 255]
    cut = pixels(client.get(f"{portrait}/cutout", params={**asked, "bg": "transparent"}).content)
    assert cut.shape == (200, 300, 4)
    rows = np.nonzero(cut[:, :, 3] == 255)[0]
    assert rows.max() == pytest.approx(149, abs=2)
    report = client.get(f"{portrait}/report", params=asked).json()
    assert "--canvas 300x200 --fill 50% --align bottom --shadow drop:35%" in report["command"]


@pytest.mark.parametrize(
    "asked",
    [
        {"fill": "50%"},
        {"canvas": "7000x10"},
        {"canvas": "20x20", "crop": "0"},
        {"canvas": "20x20", "box": "0,0,5,5"},
        {"canvas": "20x20", "bg": "blur"},
        {"canvas": "20"},
        {"canvas": "20x20", "align": "left"},
    ],
)
def test_what_no_canvas_can_be_is_refused(
    client: httpx.Client, portrait: str, asked: dict[str, str]
) -> None:
    assert client.get(f"{portrait}/composite", params=asked).status_code == 400
