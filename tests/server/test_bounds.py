"""Tests of what a client may set less high than a command may."""

import httpx
import pytest

from matte.configs.settings import SETTINGS
from matte.errors import SettingError
from matte.server.bounds import MAXIMA, check_bounds, maximum_of


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
