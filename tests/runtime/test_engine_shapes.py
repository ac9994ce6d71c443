"""Sizes that engines take: as they are written, checked and chosen."""

import pytest

from matte.errors import SettingError
from matte.refiner import parts, tiles
from matte.refiner.protocols import ATTENTION_STRIDE
from matte.runtime.engine_parity import (
    parity_sizes,
)
from matte.runtime.engine_shapes import (
    MAX_REFINER_SIZE,
    EngineShapes,
    default_shapes,
    parse_input_size,
)
from matte.runtime.engine_store import (
    public_version,
)
from tests.runtime.engines import INPUTS, SHAPES


def test_sizes_are_read_and_checked() -> None:
    assert parse_input_size("1088x1920") == (1, 1088, 1920)
    assert parse_input_size("4×64X96") == (4, 64, 96)
    for text in ("1088", "1x2x3x4", "axb", ""):
        with pytest.raises(SettingError, match="give HEIGHTxWIDTH or BATCHxHEIGHTxWIDTH"):
            parse_input_size(text)
    with pytest.raises(SettingError, match="1x100x64: give heights and widths in 32s"):
        EngineShapes((1, 100, 64), (1, 128, 64), (1, 128, 64))
    with pytest.raises(SettingError, match="1x128x64 is larger than 1x96x96: give --min"):
        EngineShapes((1, 32, 32), (1, 128, 64), (1, 96, 96))
    assert SHAPES.holds((8, 32, 1024))
    assert not SHAPES.holds((9, 32, 1024))
    assert not SHAPES.holds((1, 32, 1056))
    assert public_version("10.14.1.48.post1") == "10.14.1.48"


def test_default_shapes_hold_what_each_kind_is_given() -> None:
    both = {**INPUTS, "trimap": (None, 1, None, None)}
    assert default_shapes(both).holds((1, 1152, 1984))  # 1080p with the authors' border
    assert default_shapes(both).holds((1, 1984, 1152))
    assert default_shapes(both).holds((1, 1248, 2144))  # what is left of 4K, with that border
    assert default_shapes(both).usual[1:] == (tiles.SIDE, tiles.SIDE)
    assert default_shapes(both).holds((1, parts.MIN_COPIED_SIDE, parts.MIN_COPIED_SIDE))
    assert default_shapes(INPUTS, 448).usual == (1, 448, 448)
    assert default_shapes(INPUTS, 448).holds((8, 256, 448))
    assert default_shapes(INPUTS).usual == (1, 512, 512)
    for shapes in (default_shapes(both), default_shapes(INPUTS, 448), SHAPES):
        sizes = parity_sizes(shapes)
        assert len(sizes) >= 3
        assert all(shapes.holds(size) for size in sizes)
        assert max(height * width for _, height, width in sizes) <= 700_000


def test_no_attention_is_larger_than_tensorrt_takes() -> None:
    batch, height, width = MAX_REFINER_SIZE
    assert batch > 1, "tiles go through together"
    assert batch * (height // ATTENTION_STRIDE * (width // ATTENTION_STRIDE)) ** 2 < 2**31
