"""What a client asks for: which result of a picture, with which settings, in which form."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal, get_args

from matte.compositing.backgrounds import Blur, PlainColour, Transparent, parse_colour
from matte.compositing.canvas import Canvas
from matte.configs.lengths import Length, parse_length
from matte.configs.loader import MergedSettings, with_preset, written_values
from matte.configs.settings import SETTINGS, section_settings
from matte.errors import SettingError
from matte.refiner import REFINERS
from matte.registry import nearest
from matte.server.bounds import asked_canvas, check_bounds
from matte.weights.store import all_weights, storage_status

Result = Literal["photo", "mask", "trimap", "alpha", "cutout", "composite"]
RESULTS: tuple[Result, ...] = get_args(Result)
# The settings that change a picture's result; those of the machine are the server's own.
PICTURE_SETTINGS = (
    *section_settings("segmentation", "trimap", "refiner", "modnet"),
    "fallback",
    *section_settings("compositing"),
)
NETWORK_SETTINGS = ("segmenter", "refiner", "modnet")
FORMATS = {
    "png": (".png", "image/png"),
    "webp": (".webp", "image/webp"),
    "jpeg": (".jpg", "image/jpeg"),
    "tiff": (".tif", "image/tiff"),
}
FORMAT_WORDS = {**{name: name for name in FORMATS}, "jpg": "jpeg", "tif": "tiff"}
MAX_SIDE = 65_535
MAX_NUMBER_CHARACTERS = 20
PICTURE_WORD = "picture"  # bg=picture:ID
FORM_NAMES = (
    *("preset", "bg", "crop", "premultiply", "format", "bits", "max_side", "box", "quick"),
    *("lossy", "download", "canvas", "fill", "align", "shadow"),
)


@dataclass(frozen=True, slots=True)
class SentPicture:
    """A background that is a picture the client has sent."""

    id: str


Behind = Transparent | PlainColour | Blur | SentPicture


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture: its left upper corner, its width and height, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def slices(self) -> tuple[slice, slice]:
        """Return the rows and columns."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True, slots=True)
class Asked:
    """A result that is asked for.

    `crop`: the margin around the subject, None for the whole picture. `canvas`: where the subject
    is put instead. `box`: the part that is
    wanted, of the full picture's pixels. `max_side`: the longest side that it may have. `is_quick`:
    all is made of a small copy. `is_lossy`: a small file counts more than the last bit.
    """

    result: Result
    settings: MergedSettings
    behind: Behind = field(default_factory=Transparent)
    crop: Length | None = None
    canvas: Canvas | None = None
    premultiply: bool = False
    box: Box | None = None
    max_side: int | None = None
    is_quick: bool = False
    is_lossy: bool = False
    bits: int = 8
    format: str = "png"
    is_download: bool = False

    @property
    def has_transparency(self) -> bool:
        """Whether the result has an alpha channel."""
        is_cutout = self.result == "composite" and isinstance(self.behind, Transparent)
        return self.result == "cutout" or is_cutout

    @property
    def suffix(self) -> str:
        """The ending of a file in the format."""
        return FORMATS[self.format][0]

    @property
    def media_type(self) -> str:
        """The media type of the format."""
        return FORMATS[self.format][1]


def parse_asked(
    result: Result, values: Mapping[str, str], base: MergedSettings, accept: str = ""
) -> Asked:
    """Return what a query or a form asks for; raise SettingError for what can't be.

    `base` has the server's own settings; `accept` is the request's header.
    """
    unknown = values.keys() - {*PICTURE_SETTINGS, *FORM_NAMES}
    if unknown:
        name = min(unknown)
        raise SettingError(
            f"no setting {name[:40]!r}", nearest(name[:40], [*PICTURE_SETTINGS, *FORM_NAMES])
        )
    settings = merge_values(values, base)
    behind = parse_behind(values.get("bg", "transparent"))
    asked = Asked(
        result,
        settings,
        behind,
        parse_length(values["crop"]) if values.get("crop") else None,
        asked_canvas(values, result),
        parse_flag("premultiply", values),
        parse_box(values["box"]) if values.get("box") else None,
        _parse_side(values["max_side"]) if values.get("max_side") else None,
        parse_flag("quick", values),
        parse_flag("lossy", values) or parse_flag("quick", values),
        _parse_word("bits", values.get("bits", "8"), {"8": 8, "16": 16}),
        "png",
        parse_flag("download", values),
    )
    word = values.get("format") or _accepted_format(accept, asked.has_transparency)
    chosen = _parse_word("format", word, FORMAT_WORDS)
    if asked.canvas is not None and (asked.crop is not None or asked.box is not None):
        raise SettingError("canvas, crop and box exclude each other", "give one of them")
    if asked.canvas is not None and isinstance(behind, Blur):
        raise SettingError("a photo's own background fits no canvas", "give another bg")
    if asked.premultiply and not asked.has_transparency:
        raise SettingError("premultiply is for cut-outs", "ask for a cutout, or bg=transparent")
    if asked.has_transparency and chosen == "jpeg":
        raise SettingError("jpeg can't hold transparency", "ask for png or webp, or give a bg")
    return replace(asked, format=chosen)


def merge_values(values: Mapping[str, str], base: MergedSettings) -> MergedSettings:
    """Return the server's settings with those of a query or a form on top."""
    for name in NETWORK_SETTINGS:
        check_network(name, values.get(name))
    flags = {n: parse_value(n, values[n]) for n in PICTURE_SETTINGS if values.get(n)}
    check_bounds(flags)
    return with_preset(base, values.get("preset") or base.preset, **flags)


def parse_value(name: str, text: str) -> int | float | str:
    """Return a setting's value as files have it: a number where it may be one."""
    kind = SETTINGS[name].number_kind
    if kind is not None:
        with suppress(ValueError):
            return kind(text[:MAX_NUMBER_CHARACTERS])
    return text


def check_network(kind: str, name: str | None) -> None:
    """Raise SettingError unless a network of that kind and name is stored: no file is opened."""
    known = network_names(kind)
    if name and name not in known and not (kind == "modnet" and name == "none"):
        raise SettingError(f"no {kind} {name[:60]!r} is here", nearest(name[:60], known))


@cache
def network_names(kind: str) -> tuple[str, ...]:
    """Return the names of the networks of a kind that are here, and of what else refines."""
    stored = [
        name
        for name, found in all_weights().items()
        if found.kind == kind and storage_status(found) != "not fetched"
    ]
    return tuple(sorted([*stored, *REFINERS] if kind == "refiner" else stored))


def parse_behind(text: str) -> Behind:
    """Return the background that a text names; no file is looked at."""
    word, colon, rest = text.partition(":")
    if text == "transparent":
        return Transparent()
    if word == "blur":
        return Blur(parse_length(rest)) if colon else Blur()
    if word == PICTURE_WORD and colon:
        return SentPicture(rest)
    try:
        return PlainColour(parse_colour(text))
    except SettingError as error:
        raise SettingError(
            f"bg = {text[:60]!r}",
            "give transparent, a colour (white, #205080), blur, blur:20, or picture:ID",
        ) from error


def parse_box(text: str) -> Box:
    """Return the part of a picture that four numbers name: x, y, width, height."""
    parts = text.split(",")
    if len(parts) != 4 or not all(p.isdecimal() and p.isascii() and len(p) <= 6 for p in parts):
        raise SettingError(f"box = {text[:40]!r}", "give x,y,width,height in pixels")
    x, y, width, height = (int(part) for part in parts)
    if not (width and height):
        raise SettingError(f"box = {text[:40]!r} is empty", "give a width and a height")
    return Box(x, y, width, height)


def parse_flag(name: str, values: Mapping[str, str]) -> bool:
    """Return a yes or no of a query or a form; no if it isn't there."""
    words = {"1": True, "true": True, "0": False, "false": False, "": False}
    return bool(_parse_word(name, values.get(name, "").lower(), words))


def settings_in_words(settings: MergedSettings) -> dict[str, Any]:
    """Return the settings that change a picture's result, as a query writes them."""
    written = written_values(settings.config)
    return {name: written[name] for name in PICTURE_SETTINGS}


def _parse_side(text: str) -> int:
    """Return a number of pixels."""
    if not (text.isdecimal() and text.isascii() and len(text) <= 5 and 1 <= int(text) <= MAX_SIDE):
        raise SettingError(f"max_side = {text[:40]!r}", f"give 1 … {MAX_SIDE} pixels")
    return int(text)


def _parse_word(name: str, text: str, words: Mapping[str, Any]) -> Any:
    """Return what a word of a few stands for."""
    if text not in words:
        shown = " or ".join(word for word in words if word)
        raise SettingError(f"{name} = {text[:40]!r}", f"give {shown}")
    return words[text]


def _accepted_format(accept: str, has_transparency: bool) -> str:
    """Return the format that an Accept header likes best: PNG where it doesn't say.

    >>> _accepted_format("image/jpeg, image/webp;q=0.9", has_transparency=False)
    'jpeg'
    """
    best, found = 0.0, "png"
    for part in accept.split(","):
        kind, _, options = part.strip().partition(";")
        names = [name for name, (_, media) in FORMATS.items() if media == kind.strip()]
        if not names or (names[0] == "jpeg" and has_transparency):
            continue
        quality = _quality(options)
        if quality > best:
            best, found = quality, names[0]
    return found


def _quality(options: str) -> float:
    """Return the q of a media range; 1 where it has none, 0 where it makes no sense."""
    for option in options.split(";"):
        name, _, number = option.partition("=")
        if name.strip() == "q":
            try:
                quality = float(number)
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0
