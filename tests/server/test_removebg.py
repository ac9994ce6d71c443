"""remove.bg's API, as its clients know it."""

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from tests.conftest import SAMPLE
from tests.server.running import pixels, png

PATH = "/v1.0/removebg"
PORTRAIT = SAMPLE.read_bytes()
EMPTY = png(np.full((64, 64, 3), 128, np.uint8))


def remove(client: httpx.Client, **data: Any) -> httpx.Response:
    """Returns the answer for the sample portrait."""
    return client.post(PATH, files={"image_file": PORTRAIT}, data=data)


def test_the_subject_is_cut_out(client: httpx.Client) -> None:
    found = remove(client, size="auto")
    assert found.headers["content-type"] == "image/png"
    assert found.headers["x-credits-charged"] == "0"
    assert pixels(found.content).shape == (512, 512, 4)
    whole = pixels(found.content)
    cropped = remove(client, size="auto", crop="true", crop_margin="10px")
    place = [int(cropped.headers[f"x-foreground-{n}"]) for n in ("top", "left", "height", "width")]
    top, left, height, width = place
    assert np.array_equal(pixels(cropped.content), whole[top : top + height, left : left + width])


def test_sizes_and_formats(client: httpx.Client) -> None:
    small = pixels(remove(client, size="preview").content)
    assert 0.2e6 < small.shape[0] * small.shape[1] <= 0.26e6
    assert remove(client, format="jpg").headers["content-type"] == "image/jpeg"
    coloured = pixels(remove(client, size="full", bg_color="81d4fa", format="png").content)
    assert tuple(coloured[2, 510]) == (0x81, 0xD4, 0xFA)
    alpha = pixels(remove(client, channels="alpha", size="full").content)
    assert alpha.ndim == 2


def test_other_bodies(client: httpx.Client) -> None:
    text = base64.b64encode(PORTRAIT).decode()
    as_json = client.post(PATH, json={"image_file_b64": text, "size": "preview"})
    assert as_json.status_code == 200
    encoded = client.post(PATH, data={"image_file_b64": text, "size": "preview"})
    assert encoded.content == as_json.content
    wanted = client.post(
        PATH, json={"image_file_b64": text}, headers={"Accept": "application/json"}
    ).json()["data"]
    assert base64.b64decode(wanted["result_b64"]) == as_json.content
    assert wanted["foreground_width"] == 512


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"image_url": "http://127.0.0.1/secret.png"}, "failed_image_download"),
        ({"bg_image_url": "http://127.0.0.1/secret.png"}, "failed_image_download"),
        ({"size": "vast"}, "invalid_size"),
        ({"format": "exe"}, "invalid_format"),
        ({"channels": "cmyk"}, "invalid_channels"),
        ({"bg_color": "/etc/passwd"}, "invalid_parameters"),
        ({"bg_color": "81d4fa80"}, "invalid_bg_color"),
        ({"roi": "0 0 5 5"}, "invalid_parameters"),
        ({"crop": "true", "crop_margin": "1 2"}, "invalid_crop_margin"),
        ({"image_file_b64": "eA=="}, "multiple_sources"),
    ],
)
def test_errors_have_its_form(client: httpx.Client, data: dict[str, str], code: str) -> None:
    found = remove(client, **data)
    assert found.status_code == 400
    assert found.json()["errors"][0]["code"] == code


def test_no_picture_and_no_subject(client: httpx.Client) -> None:
    none = client.post(PATH, data={"size": "auto"})
    assert none.json()["errors"][0]["code"] == "missing_source"
    text = client.post(PATH, files={"image_file": b"hello"})
    assert text.json()["errors"][0]["code"] == "invalid_file_type"
    empty = client.post(PATH, files={"image_file": EMPTY})
    assert (empty.status_code, empty.json()["errors"][0]["code"]) == (400, "unknown_foreground")
