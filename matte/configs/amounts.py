"""Amounts of memory, and bits a second, as they are written."""

import re

from matte.errors import SettingError

UNITS = ("", "k", "m", "g", "t")


def parse_bytes(text: str) -> int:
    """The bytes that `2GiB`, `2G` (both 2³⁰ each), `1500MB` (10⁶ each) or `4e9` name; above 0."""
    found = re.fullmatch(
        r"\s*(\d+\.?\d*(?:e\d{1,2})?)\s*([kmgt]?)(i?b)?\s*", text.lower(), re.ASCII
    )
    amount = 0.0
    if found is not None:
        step = 1000 if found[3] == "b" else 1024
        amount = float(found[1]) * step ** UNITS.index(found[2])
    if not 1 <= amount < 1 << 60:
        raise SettingError(f"{text!r} is not an amount of memory", "give one such as 2GiB or 800MB")
    return int(amount)


def parse_bitrate(text: str) -> int:
    """The bits a second that `4M`, `2.5m`, `800k` (thousands) or `4000000` name."""
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*([km]?)\s*", text.lower(), re.ASCII)
    bits = 0.0 if found is None else float(found[1]) * 1000 ** UNITS.index(found[2])
    if not 1000 <= bits < 1 << 31:
        raise SettingError(f"{text!r} is not a bitrate", "give one such as 4M or 800k")
    return int(bits)
