"""The input sizes that a TensorRT engine takes: the smallest, the usual and the largest."""

from collections.abc import Mapping
from dataclasses import dataclass

from matte.errors import SettingError

SIZE_MULTIPLE = 32  # pixels, of heights and widths
# Inputs of refiners: tiles and small copies mostly, whole pictures of 2.4 megapixels and a border
# at most, unless a setting asks for whole pictures always. The attention's products have
# batch × (height × width / 256)² elements, and TensorRT refuses 2³¹: no more fits at once.
USUAL_REFINER_SIZE = (4, 160, 160)
MAX_REFINER_SIZE = (4, 2432, 2432)
# Inputs of segmenters and MODNets, small copies of pictures: pixels a side, and how many at once.
MAX_COPY_SIDE, MAX_COPY_BATCH = 1024, 8

InputSize = tuple[int, int, int]  # batch, height, width


@dataclass(frozen=True, slots=True)
class EngineShapes:
    """The smallest and largest input of an engine, and the usual one that it is made fast for."""

    smallest: InputSize
    usual: InputSize
    largest: InputSize

    def __post_init__(self) -> None:
        for size in (self.smallest, self.usual, self.largest):
            if min(size) < 1 or any(length % SIZE_MULTIPLE for length in size[1:]):
                raise SettingError(
                    format_input_size(size), f"give heights and widths in {SIZE_MULTIPLE}s"
                )
        for less, more in ((self.smallest, self.usual), (self.usual, self.largest)):
            if any(a > b for a, b in zip(less, more, strict=True)):
                raise SettingError(
                    f"{format_input_size(less)} is larger than {format_input_size(more)}",
                    "give --min ≤ --opt ≤ --max",
                )

    def holds(self, size: InputSize) -> bool:
        """Return whether an engine of these shapes takes an input of that size."""
        bounds = zip(self.smallest, size, self.largest, strict=True)
        return all(least <= length <= most for least, length, most in bounds)

    def __str__(self) -> str:
        return f"{format_input_size(self.smallest)} to {format_input_size(self.largest)}"


def default_shapes(inputs: Mapping[str, tuple[int | None, ...]], size: int = 0) -> EngineShapes:
    """Return the shapes of an engine for a network with those inputs.

    Networks with several inputs are refiners, which take tiles and whole pictures; the others take
    small copies. `size`: the pixels that the network was trained at, 0 where it does not say.
    """
    if len(inputs) > 1:
        return EngineShapes((1, 64, 64), USUAL_REFINER_SIZE, MAX_REFINER_SIZE)
    size = max(SIZE_MULTIPLE, size // SIZE_MULTIPLE * SIZE_MULTIPLE) if size else 512
    side = max(MAX_COPY_SIDE, 2 * size)
    return EngineShapes(
        (1, SIZE_MULTIPLE, SIZE_MULTIPLE), (1, size, size), (MAX_COPY_BATCH, side, side)
    )


def parse_input_size(text: str) -> InputSize:
    """Return the size that a text such as `1088x1920`, or `4x1088x1920` with a batch, means."""
    try:
        lengths = [int(part) for part in text.lower().replace("×", "x").split("x")]
    except ValueError:
        lengths = []
    if not 2 <= len(lengths) <= 3:
        raise SettingError(f"the size {text!r}", "give HEIGHTxWIDTH or BATCHxHEIGHTxWIDTH")
    batch, height, width = lengths if len(lengths) == 3 else (1, *lengths)
    return batch, height, width


def as_input_size(lengths: list[int]) -> InputSize:
    """Return [batch, height, width], as JSON holds it, as a size."""
    batch, height, width = lengths
    return batch, height, width


def format_input_size(size: InputSize) -> str:
    """Return a size as users write it: `4x1088x1920`."""
    return "x".join(map(str, size))
