"""Settings that a client may set less high than a command may, for the sake of memory."""

from collections.abc import Mapping

from matte.compositing.canvas import Canvas, parse_canvas
from matte.configs.fields import SettingRule
from matte.errors import SettingError
from matte.limits import MAX_CANVAS_SIDE

# A runtime keeps the room that it once needed, and a server runs for long: 4096 pixels would keep
# 3 GiB for each segmenter, tiles of 2048 5 GiB; these keep half a gibibyte.
MAXIMA = {"size": 1024, "tile": 1024}


def check_bounds(flags: Mapping[str, int | float | str]) -> None:
    """Raise SettingError for a client's value that is higher than a server takes."""
    for name, maximum in MAXIMA.items():
        value = flags.get(name)
        if isinstance(value, int | float) and value > maximum:
            raise SettingError(f"{name} = {value}", f"a server takes up to {maximum}")
    refuse_mask_file(str(flags.get("subject", "")))


def refuse_mask_file(subject: str | None) -> None:
    """Raise SettingError for a choice of the subject that names a file of the server's machine."""
    if subject is not None and subject.startswith("mask:"):
        cause = "subject = mask:… names a file, and a server opens none"
        raise SettingError(cause, "give largest, 2, centre, at:X,Y or box:X,Y,W,H")


def maximum_of(name: str, rule: SettingRule) -> float | None:
    """Return the highest value that a client may give; None if there is none."""
    return MAXIMA.get(name, rule.maximum)


def asked_canvas(values: Mapping[str, str], result: str) -> Canvas | None:
    """Return the canvas that a query or a form asks for, as large as a server makes it, or None."""
    if not values.get("canvas"):
        for name in ("fill", "align", "shadow"):
            if values.get(name):
                raise SettingError(f"{name} is for a canvas", "give canvas=2000x2000 too")
        return None
    if result not in ("cutout", "composite"):
        raise SettingError("a canvas is for cutouts and composites", "leave it out")
    size, fill, align, shadow = (
        values.get(name, "") for name in ("canvas", "fill", "align", "shadow")
    )
    canvas = parse_canvas(size, fill, align, shadow)
    if max(canvas.width, canvas.height) > MAX_CANVAS_SIDE:
        cause = f"a canvas of {canvas.width}x{canvas.height}"
        raise SettingError(cause, f"give up to {MAX_CANVAS_SIDE} a side")
    return canvas
