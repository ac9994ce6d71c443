"""The command line that gives the same result as a request."""

import shlex

from matte.compositing.backgrounds import Blur, PlainColour, Transparent
from matte.compositing.canvas import Canvas
from matte.configs.loader import DEFAULT_PRESET
from matte.server.asked import PICTURE_SETTINGS, Asked, SentPicture, settings_in_words


def command_line(asked: Asked, name: str, background: str, has_strokes: bool) -> str:
    """Return what to type for the same result of a picture in a file of this name.

    `background` is the name of the background's file, if it is a picture. With strokes the trimap
    has to be saved first, and is given to the command.
    """
    words = ["matte", "image", name or "picture.jpg"]
    settings = asked.settings
    if settings.preset != DEFAULT_PRESET:
        words += ["--preset", settings.preset]
    written = settings_in_words(settings)
    if has_strokes:
        stem = (name or "picture.jpg").rpartition(".")[0]
        words += ["--trimap-in", f"{stem}-trimap.png"]
    for setting in PICTURE_SETTINGS:
        if settings.origins[setting] == "flag" and not (has_strokes and setting in MASK_ONLY):
            words += [f"--{setting.replace('_', '-')}", str(written[setting])]
    words += _background_words(asked, background)
    if asked.crop is not None:
        words += ["--crop", str(asked.crop)]
    words += _canvas_words(asked.canvas)
    if asked.premultiply:
        words.append("--premultiply")
    if asked.format != "png":
        words += ["--format", {"jpeg": "jpg", "tiff": "tif"}.get(asked.format, asked.format)]
    return shlex.join(words)


# Settings of mask and band, which a trimap of one's own takes the place of.
MASK_ONLY = PICTURE_SETTINGS[: PICTURE_SETTINGS.index("refiner")]


def _canvas_words(canvas: Canvas | None) -> list[str]:
    """Return the options that name the canvas."""
    if canvas is None:
        return []
    words = ["--canvas", f"{canvas.width}x{canvas.height}", "--fill", f"{100 * canvas.fill:g}%"]
    words += ["--align", canvas.align]
    return words if canvas.shadow is None else [*words, "--shadow", str(canvas.shadow)]


def _background_words(asked: Asked, name: str) -> list[str]:
    """Return the option that names the background."""
    behind = asked.behind
    if isinstance(behind, Transparent) or asked.result == "cutout":
        return []
    if isinstance(behind, SentPicture):
        return ["--bg", name or "background.jpg"]
    if isinstance(behind, Blur):
        return ["--bg", f"blur:{behind.radius}"]
    assert isinstance(behind, PlainColour)
    return ["--bg", "#{:02x}{:02x}{:02x}".format(*behind.rgb)]
