"""Settings that a client may set less high than a command may, for the sake of memory."""

from collections.abc import Mapping

from matte.configs.fields import SettingRule
from matte.errors import SettingError

# A runtime keeps the room that it once needed, and a server runs for long: 4096 pixels would keep
# 3 GiB for each segmenter, tiles of 2048 5 GiB; these keep half a gibibyte.
MAXIMA = {"size": 1024, "tile": 1024}


def check_bounds(flags: Mapping[str, int | float | str]) -> None:
    """Raise SettingError for a client's value that is higher than a server takes."""
    for name, maximum in MAXIMA.items():
        value = flags.get(name)
        if isinstance(value, int | float) and value > maximum:
            raise SettingError(f"{name} = {value}", f"a server takes up to {maximum}")


def maximum_of(name: str, rule: SettingRule) -> float | None:
    """Return the highest value that a client may give; None if there is none."""
    return MAXIMA.get(name, rule.maximum)
