from pathlib import Path

import pytest

from matte.compositing.backgrounds import (
    Background,
    Blur,
    PictureFile,
    PlainColour,
    Transparent,
    background_text,
    parse_background,
    parse_colour,
)
from matte.configs.lengths import Length
from matte.errors import SettingError


@pytest.mark.parametrize(
    ("text", "background"),
    [
        ("white", PlainColour((255, 255, 255))),
        ("#102030", PlainColour((16, 32, 48))),
        ("rgb(1, 2, 3)", PlainColour((1, 2, 3))),
        ("transparent", Transparent()),
        ("blur", Blur()),
        ("blur:30", Blur(Length(30))),
        ("blur:2.5%", Blur(Length(2.5, percent=True))),
        ("beach.jpg", PictureFile(Path("beach.jpg"))),
        ("./blur.png", PictureFile(Path("blur.png"))),
    ],
)
def test_names(text: str, background: Background) -> None:
    assert parse_background(text) == background


@pytest.mark.parametrize("name", ["white", "blur", "transparent", "blur:30"])
def test_a_file_wins_over_a_word(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not isinstance(parse_background(name), PictureFile)
    Path(name).touch()
    assert parse_background(name) == PictureFile(Path(name))


def test_a_folder_is_no_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("blur").mkdir()
    assert parse_background("blur") == Blur()
    Path("white").mkdir()
    assert parse_background("white") == PlainColour((255, 255, 255))
    for name in ("beaches", "beaches.2024"):
        Path(name).mkdir()
        with pytest.raises(SettingError, match=rf"'{name}' is a folder: name one picture$"):
            parse_background(name)
        with pytest.raises(SettingError, match=r"is a folder: name one picture or video$"):
            parse_background(name, films=True)


@pytest.mark.parametrize("name", ["beach", "#12", "#11223344", "", "Blur", "x" * 5000, "a\0b"])
def test_what_is_no_background_is_said(name: str) -> None:
    with pytest.raises(SettingError, match=r"is neither a file nor a colour: .*give a picture, "):
        parse_background(name)
    with pytest.raises(SettingError, match=r"a colour: .*give a picture or video, 'blur', "):
        parse_background(name, films=True)
    with pytest.raises(SettingError, match="is neither a file nor a colour"):
        parse_colour(name)


@pytest.mark.parametrize(
    ("text", "cause"), [("blur:", "not a length"), ("blur:-3", "not a length"), ("blur:0", "of 0")]
)
def test_impossible_blurs_are_refused(text: str, cause: str) -> None:
    with pytest.raises(SettingError, match=cause):
        parse_background(text)


def test_python_names_backgrounds_by_texts_and_paths() -> None:
    assert background_text("white") == "white"
    assert background_text(Path("beach.jpg")) == "beach.jpg"
    with pytest.raises(
        SettingError, match=r"^background = \(1, 2, 3\): give a file's name, 'blur'"
    ):
        background_text((1, 2, 3))
