"""The command line of a result."""

import shlex

from matte.configs.loader import merge_settings
from matte.server.asked import parse_asked
from matte.server.command import command_line

BASE = merge_settings()


def command(has_strokes: bool = False, **values: str) -> list[str]:
    asked = parse_asked("composite", values, BASE)
    return shlex.split(command_line(asked, "my photo.jpg", "beach 1.jpg", has_strokes))


def test_only_what_differs_is_named() -> None:
    assert command() == ["matte", "image", "my photo.jpg"]
    assert command(k="9", preset="fast") == [
        *("matte", "image", "my photo.jpg", "--preset", "fast", "--k", "9")
    ]


def test_backgrounds_crops_and_formats() -> None:
    assert command(bg="picture:x")[-2:] == ["--bg", "beach 1.jpg"]
    assert command(bg="blur:20")[-2:] == ["--bg", "blur:20"]
    assert command(bg="rgb(1, 2, 3)", crop="5%", format="jpeg")[3:] == [
        *("--bg", "#010203", "--crop", "5%", "--format", "jpg")
    ]
    assert "--premultiply" in command(premultiply="1")


def test_strokes_are_a_trimap_of_one_s_own() -> None:
    found = command(has_strokes=True, k="9", refiner="guided")
    assert found[3:] == ["--trimap-in", "my photo-trimap.png", "--refiner", "guided"]
