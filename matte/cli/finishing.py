"""How `matte image` finishes pictures: background, crop, canvas, shadow, a shop's wishes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from matte.cli.grouped import option
from matte.configs.loader import MergedSettings
from matte.errors import SettingError

if TYPE_CHECKING:
    from matte.compositing.canvas import Canvas
    from matte.photos.finishing import FinishOptions
    from matte.photos.shops import ShopFinish

F = TypeVar("F", bound=Callable[..., object])
CANVAS_WORDS = ("canvas", "fill", "align", "shadow", "finish")


def canvas_options(command: F) -> F:
    """Add the options of a canvas to a command."""
    added = (
        option(
            "--canvas",
            metavar="WxH",
            group="Result",
            help="Put the subject on a canvas of this size, such as 2000x2000.",
        ),
        option(
            "--fill",
            metavar="PERCENT",
            group="Result",
            help="How much of the canvas's width or height the subject takes.  [default: 85%]",
        ),
        option(
            "--align",
            type=click.Choice(["centre", "bottom"]),
            group="Result",
            help="Where on the canvas it stands.  [default: centre]",
        ),
        option(
            "--shadow",
            metavar="KIND",
            group="Result",
            help="A shadow on the canvas: contact (it stands on the ground), drop (it hangs before"
            " a wall), with an opacity if need be: drop:20%.  [default: none]",
        ),
        option(
            "--finish",
            metavar="SHOP|FILE",
            group="Result",
            help="Canvas, fill, background and shadow as a shop wants them: amazon, shopify, ebay,"
            " etsy, or a TOML file; --report says which of its rules are broken.",
        ),
    )
    for add in reversed(added):
        command = add(command)
    return command


def parse_finish(cut: Mapping[str, Any], settings: MergedSettings) -> "FinishOptions":
    """Return how the matted picture is finished."""
    from matte.compositing.backgrounds import parse_background
    from matte.configs.lengths import parse_length
    from matte.photos.finishing import FinishOptions
    from matte.photos.shops import find_finish

    shop = None if cut["finish"] is None else find_finish(cut["finish"])
    bg, crop = cut["bg"], cut["crop"]
    if shop is not None and shop.bg and not _is_given("bg"):
        bg = shop.bg
    margin = None if crop is None else parse_length(crop)
    return FinishOptions(
        parse_background(bg),
        settings.config.compositing,
        cut["premultiply"],
        margin,
        _parse_canvas(cut, shop),
        None if shop is None else shop.rules,
    )


def _parse_canvas(cut: Mapping[str, Any], shop: "ShopFinish | None") -> "Canvas | None":
    """Return the canvas that the options name, on top of a shop's; None for none."""
    from matte.compositing.canvas import parse_canvas

    given = {name: cut[name] for name in ("fill", "align", "shadow") if cut[name] is not None}
    size = cut["canvas"] or (None if shop is None else shop.canvas)
    if size is None:
        if given:
            flag = next(iter(given))
            raise SettingError(f"--{flag} is for a canvas", "give --canvas 2000x2000 too")
        return None
    usual = {"fill": "", "align": "", "shadow": ""}
    if shop is not None:
        usual = {"fill": shop.fill, "align": shop.align, "shadow": shop.shadow}
    words = usual | given
    return parse_canvas(size, words["fill"], words["align"], words["shadow"])


def _is_given(name: str) -> bool:
    """Return whether an option was given on the command line."""
    source = click.get_current_context().get_parameter_source(name)
    return source is not None and source != ParameterSource.DEFAULT
