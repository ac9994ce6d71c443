"""Amounts of memory, and bits per second, read from text and written as text."""

import re

from matte.errors import SettingError

UNITS = ("", "k", "m", "g", "t")


def parse_bytes(text: str) -> int:
    """Return the bytes that a text names: `2GiB` and `2G` are 2³⁰ each, `1500MB` 10⁶ each, `4e9`.

    At least 1.
    """
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


def format_bytes(amount: int) -> str:
    """Return the text that `parse_bytes` reads as exactly that amount: `2GiB`, `1500MB`, `123`."""
    texts = [str(amount)]
    for step, ending in ((1024, "iB"), (1000, "B")):
        for power in range(1, len(UNITS)):
            count, rest = divmod(amount, step**power)
            if count and not rest:
                texts.append(f"{count}{UNITS[power].upper()}{ending}")
    return min(texts, key=len)


def parse_bitrate(text: str) -> int:
    """Return the bits per second that a text names: `4M`, `2.5m`, `800k` or `4000000`."""
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*([km]?)\s*", text.lower(), re.ASCII)
    bits = 0.0 if found is None else float(found[1]) * 1000 ** UNITS.index(found[2])
    if not 1000 <= bits < 1 << 31:
        raise SettingError(f"{text!r} is not a bitrate", "give one such as 4M or 800k")
    return int(bits)
