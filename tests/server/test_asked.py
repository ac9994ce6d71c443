"""What a query asks for."""

import pytest

from matte.compositing.backgrounds import Blur, PlainColour, Transparent
from matte.configs.lengths import Length
from matte.configs.loader import merge_settings
from matte.configs.settings import SETTINGS
from matte.errors import SettingError
from matte.server.asked import (
    Box,
    SentPicture,
    parse_asked,
    parse_behind,
    parse_box,
    parse_value,
)

BASE = merge_settings("fast", flags={"threads": 1, "k": 5})


def test_the_server_s_settings_are_the_ground() -> None:
    asked = parse_asked("composite", {"iterations": "2", "crop": "3%"}, BASE)
    assert (asked.settings.config.trimap.k, asked.settings.config.trimap.iterations) == (5, 2)
    assert asked.settings.config.runtime.threads == 1
    assert asked.crop == Length(3, percent=True)
    other = parse_asked("composite", {"preset": "balanced"}, BASE)
    assert other.settings.preset == "balanced"
    assert other.settings.config.trimap.k == 5


def test_what_runs_the_networks_is_the_server_s_own() -> None:
    for name in ("threads", "backend", "max_memory", "max_pixels", "temporal"):
        with pytest.raises(SettingError, match="no setting"):
            parse_asked("alpha", {name: "1"}, BASE)


def test_backgrounds() -> None:
    assert parse_behind("transparent") == Transparent()
    assert parse_behind("#205080") == PlainColour((0x20, 0x50, 0x80))
    assert parse_behind("blur:3%") == Blur(Length(3, percent=True))
    assert parse_behind("picture:x") == SentPicture("x")
    for text in ("/etc/passwd", "portrait.jpg", "picture", "file:x"):
        with pytest.raises(SettingError):
            parse_behind(text)


def test_boxes() -> None:
    assert parse_box("1,2,30,40") == Box(1, 2, 30, 40)
    assert parse_box("1,2,30,40").slices() == (slice(2, 42), slice(1, 31))
    for text in ("", "1,2,3", "1,2,0,4", "-1,2,3,4", "1.5,2,3,4", "1,2,3,9999999", "١,2,3,4"):
        with pytest.raises(SettingError):
            parse_box(text)


@pytest.mark.parametrize(
    ("accept", "bg", "found"),
    [
        ("", "white", "png"),
        ("*/*", "white", "png"),
        ("image/jpeg", "white", "jpeg"),
        ("image/jpeg", "transparent", "png"),
        ("image/jpeg;q=0.2, image/webp;q=0.9", "white", "webp"),
        ("image/webp;q=x", "white", "png"),
        ("image/webp;q=0", "white", "png"),
    ],
)
def test_the_best_liked_format_is_chosen(accept: str, bg: str, found: str) -> None:
    assert parse_asked("composite", {"bg": bg}, BASE, accept).format == found


def test_numbers_and_words() -> None:
    assert parse_value("k", "9") == 9
    assert parse_value("k", "auto") == "auto"
    assert parse_value("threshold", "0.4") == 0.4
    assert parse_value("width", "12") == "12"
    assert SETTINGS["k"].words == ("auto", "learned")
    assert SETTINGS["shape"].words == ("ellipse", "rect", "cross")
    assert SETTINGS["width"].words == ("none",)
