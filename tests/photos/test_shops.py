from pathlib import Path

import numpy as np
import pytest

from matte.arrays import Alpha, Image
from matte.compositing.backgrounds import parse_background
from matte.compositing.canvas import (
    Canvas,
    PlacedSubject,
    Shadow,
    parse_canvas_size,
    parse_shadow,
    parse_share,
)
from matte.errors import SettingError
from matte.photos.shops import find_finish, finish_facts, shop_finishes

WHITE = parse_background("white")


def placed(fill: float, scale: float = 1.0) -> PlacedSubject:
    colours = Image(np.zeros((2, 2, 3), np.uint8))
    return PlacedSubject(colours, Alpha(np.zeros((2, 2), np.float32)), scale, fill)


@pytest.mark.parametrize("name", shop_finishes())
def test_each_shop_s_own_finish_keeps_its_rules(name: str) -> None:
    shop = find_finish(name)
    fill = parse_share(shop.fill)
    canvas = Canvas(*parse_canvas_size(shop.canvas), fill, shadow=parse_shadow(shop.shadow))
    assert shop.rules.broken(canvas, placed(fill), parse_background(shop.bg)) == []


def test_every_broken_rule_is_told() -> None:
    rules = find_finish("amazon").rules
    canvas = Canvas(1000, 900, 0.5, shadow=Shadow("drop", 0.3))
    assert rules.broken(canvas, placed(0.5), parse_background("#fffffe")) == [
        "the subject fills 50%, and not 85%",
        "the longer side has 1000 pixels, and not 1600",
        "the background is a colour, and not white",
        "there is a shadow",
    ]


def test_a_finish_of_one_s_own(tmp_path: Path) -> None:
    toml = tmp_path / "mine.toml"
    toml.write_text('canvas = "300x400"\nalign = "bottom"\nrules = { min_side = 500 }\n')
    mine = find_finish(str(toml))
    assert (mine.canvas, mine.align, mine.fill) == ("300x400", "bottom", "85%")
    facts = finish_facts(Canvas(300, 400), placed(0.85, 2.0), WHITE, mine.rules)["canvas"]
    assert facts["broken rules"] == ["the longer side has 400 pixels, and not 500"]
    assert "enlarged 2.0 times" in facts["note"]


def test_unknown_shops_and_keys_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no finish 'amazn'"):
        find_finish("amazn")
    (tmp_path / "odd.toml").write_text('canvas = "2x2"\nmargin = 3\n')
    with pytest.raises(SettingError, match="no setting 'margin'"):
        find_finish(str(tmp_path / "odd.toml"))
