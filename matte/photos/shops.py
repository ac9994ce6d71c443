"""Finishes by name: the canvas, background and shadow that a shop asks for, and its rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matte.compositing.backgrounds import Background, PlainColour, parse_background
from matte.compositing.canvas import Canvas, PlacedSubject, parse_share
from matte.configs.tables import from_file, read_toml
from matte.errors import SettingError
from matte.registry import nearest

SHOPS_FILE = Path(__file__).parent / "shops.toml"
MAX_ENLARGEMENT = 1.5  # times, beyond which a subject looks soft
ROUNDING = 0.005  # of the canvas's side: a box is whole pixels


@dataclass(frozen=True, slots=True)
class ShopRules:
    """What a shop refuses pictures for; "" and 0: it does not ask."""

    min_fill: str = ""
    min_side: int = 0
    ground: str = ""
    no_shadow: bool = False

    def broken(self, canvas: Canvas, placed: PlacedSubject, background: Background) -> list[str]:
        """Return the rules that a finished picture breaks, as lines for a person."""
        found = []
        if self.min_fill and placed.fill < parse_share(self.min_fill) - ROUNDING:
            found.append(f"the subject fills {placed.fill:.0%}, and not {self.min_fill}")
        longest = max(canvas.width, canvas.height)
        if longest < self.min_side:
            found.append(f"the longer side has {longest} pixels, and not {self.min_side}")
        if self.ground and background != parse_background(self.ground):
            shown = "a colour" if isinstance(background, PlainColour) else "something else"
            found.append(f"the background is {shown}, and not {self.ground}")
        if self.no_shadow and canvas.shadow is not None:
            found.append("there is a shadow")
        return found


@dataclass(frozen=True, slots=True)
class ShopFinish:
    """How pictures are finished for a shop; what is empty is left to the user."""

    canvas: str
    fill: str = "85%"
    align: str = "centre"
    bg: str = ""
    shadow: str = "none"
    rules: ShopRules = field(default_factory=ShopRules)


@cache
def shop_finishes() -> Mapping[str, ShopFinish]:
    """Return the finishes that matte knows, by the shop's name."""
    rows: dict[str, Any] = read_toml(SHOPS_FILE)
    found = {name: from_file(ShopFinish, row, str(SHOPS_FILE), name) for name, row in rows.items()}
    return MappingProxyType(found)


def find_finish(name: str) -> ShopFinish:
    """Return a shop's finish by its name, or that of a TOML file of one's own."""
    shops = shop_finishes()
    if name in shops:
        return shops[name]
    if not name.endswith(".toml"):
        raise SettingError(f"no finish {name!r}", f"{nearest(name, shops)}; or give a TOML file")
    return from_file(ShopFinish, read_toml(Path(name)), name)


def finish_facts(
    canvas: Canvas, placed: PlacedSubject, background: Background, rules: ShopRules | None
) -> dict[str, Any]:
    """Return what a report says of a picture's place on its canvas."""
    facts: dict[str, Any] = {
        "width": canvas.width,
        "height": canvas.height,
        "fill": round(placed.fill, 4),
        "scale": round(placed.scale, 4),
    }
    if placed.scale > MAX_ENLARGEMENT:
        facts["note"] = f"enlarged {placed.scale:.1f} times: a larger photo would be sharper"
    if rules is not None:
        facts["broken rules"] = rules.broken(canvas, placed, background)
    return {"canvas": facts}
