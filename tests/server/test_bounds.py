"""Tests of what a client may set less high than a command may."""

import httpx
import pytest

from matte.configs.loader import merge_settings
from matte.configs.settings import SETTINGS
from matte.errors import SettingError
from matte.server.bounds import MAXIMA, check_bounds, maximum_of
from matte.server.options import ServerOptions


@pytest.mark.parametrize("name", MAXIMA)
def test_a_high_value_is_refused_and_told(name: str, client: httpx.Client, portrait: str) -> None:
    answer = client.get(f"{portrait}/mask", params={name: 4096})
    assert answer.status_code == 400
    assert answer.json()["remedy"] == "a server takes up to 1024"
    document = client.get("/v1/settings").json()
    (told,) = [row["maximum"] for row in document["settings"] if row["name"] == name]
    assert told == 1024


def test_the_highest_value_and_words_are_taken() -> None:
    check_bounds({"size": 1024, "tile": "auto"})
    with pytest.raises(SettingError):
        check_bounds({"size": 1056})


def test_other_settings_keep_their_maximum() -> None:
    rule = SETTINGS["iterations"].rule
    assert maximum_of("iterations", rule) == rule.maximum


def test_no_file_of_the_server_is_opened_for_a_client(client: httpx.Client, portrait: str) -> None:
    for subject in ("mask:/etc/passwd", "mask:portrait.jpg"):
        answer = client.get(f"{portrait}/mask", params={"subject": subject})
        assert answer.status_code == 400
        assert "names a file, and a server opens none" in answer.json()["detail"]
    one_shot = client.post(
        "/v1/matte",
        files={"image": (client.get(f"{portrait}/photo").content)},
        data={"subject": "mask:/etc/passwd"},
    )
    assert one_shot.status_code == 400
    with pytest.raises(SettingError, match="a server opens none"):
        ServerOptions(settings=merge_settings(flags={"subject": "mask:a.png"}))
