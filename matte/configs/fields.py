"""What a setting may hold: range, unit, the word for "not set", help text, group of flags."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin

from matte.configs.amounts import format_bytes, parse_bytes
from matte.configs.lengths import Length, parse_length
from matte.errors import SettingError

Group = Literal[
    "Result",
    "Subject and band",
    "Refining",
    "Stages in and out",
    "Many pictures",
    "Running",
    "Help",
]
Unit = Literal["", "pixels", "frames", "milliseconds", "share", "length", "bytes"]
# Units whose values are written as text: how it is read, and what to write instead of nonsense.
PARSERS: dict[str, tuple[Callable[[str], Any], type, str]] = {
    "length": (parse_length, Length, "pixels, or a percentage such as 3%"),
    "bytes": (parse_bytes, int, "an amount of memory such as 2GiB"),
}


@dataclass(frozen=True, slots=True)
class SettingRule:
    """What one setting may hold, and how it is written and explained.

    `minimum` … `maximum` include both ends, unless `between` is set; lengths in percent end at
    `max_percent`. Words that are no numbers (`auto`) are not limited by them. `unset` is the word
    that files and flags have for None; `old_unset` is how 0.1 wrote it, and is still understood.
    `common` settings are shown by --help, the others by --help-all only.
    """

    help: str
    group: Group
    unit: Unit = ""
    metavar: str = ""
    minimum: float | None = None
    maximum: float | None = None
    between: bool = False
    max_percent: float | None = None
    multiple_of: int | None = None
    pattern: str = ""
    examples: str = ""
    unset: str = ""
    old_unset: int | str | None = None
    common: bool = False

    def is_unset(self, value: Any) -> bool:
        """Return whether the text or number of a file or flag stands for None."""
        if not self.unset or isinstance(value, bool):
            return False
        if value is None or isinstance(value, str):
            return value in (None, self.unset, self.old_unset)
        return isinstance(self.old_unset, int) and bool(value == self.old_unset)

    def check(self, name: str, value: Any, words: tuple[str, ...] = ()) -> None:
        """Raise a SettingError that says what to give, unless the value is in the range.

        `words` are what else than a number the setting may be.
        """
        if isinstance(value, str):
            right = not self.pattern or re.fullmatch(self.pattern, value) is not None
        elif isinstance(value, Length) and value.percent:
            right = self._in_range(value.value, self.max_percent)
        else:
            right = self._in_range(getattr(value, "value", value), self.maximum)
        if not right:
            shown = self.as_written(value)
            raise SettingError(f"{name} = {shown!r}", f"give {self.allowed_words(words)}")

    def _in_range(self, number: float, maximum: float | None) -> bool:
        """Return whether a number is allowed, where `maximum` is the upper end."""
        low = float("-inf") if self.minimum is None else self.minimum
        high = float("inf") if maximum is None else maximum
        # Phrased so that NaN fails.
        if self.between:
            return low < number < high
        return low <= number <= high and not (self.multiple_of and number % self.multiple_of)

    def allowed_words(self, words: tuple[str, ...] = ()) -> str:
        """Return the remedy's words: `1 … 101, or auto`."""
        if self.examples:
            return self.examples
        low, high = (self._number(end) for end in (self.minimum, self.maximum))
        if self.between:
            numbers = f"a number between {low} and {high}"
        elif self.maximum is None:
            numbers = f"{low} or more"
        else:
            numbers = f"{low} … {high}"
        if self.multiple_of:
            numbers = f"a multiple of {self.multiple_of} from {low} to {high}"
        if self.max_percent is not None:
            numbers += f" pixels, or up to {self.max_percent:g}%"
        *first, last = [numbers, *words, *([self.unset] if self.unset else [])]
        return ", or ".join([", ".join(first), last] if first else [last])

    def _number(self, end: float | None) -> str:
        """Return an end of the range as a reader writes it: `4096`, `1MiB`, `10^12`."""
        if end is None:
            return ""
        if self.unit == "bytes":
            return format_bytes(int(end))
        return f"10^{len(f'{end:.0f}') - 1}" if end >= 10**7 else f"{end:g}"

    def as_written(self, value: Any) -> Any:
        """Return the value as files, flags and reports write it: text, number or boolean."""
        if value is None:
            return self.unset
        if isinstance(value, Length):
            return str(value)
        return format_bytes(value) if self.unit == "bytes" else value


def setting(default: Any, help: str, group: Group, **rule: Any) -> Any:  # noqa: A002  # click's word
    """Return a field of a settings class that knows its rule."""
    return field(default=default, metadata={"rule": SettingRule(help, group, **rule)})


def rule_of(settings_field: Any) -> SettingRule | None:
    """Return the rule of a dataclass's field; None if it is no setting."""
    rule: SettingRule | None = settings_field.metadata.get("rule")
    return rule


def check_fields(settings: Any) -> None:
    """Raise a SettingError for the first field whose value breaks its rule."""
    for each in fields(settings):
        rule, value = rule_of(each), getattr(settings, each.name)
        if rule is not None and value is not None and not isinstance(value, bool):
            rule.check(each.name, value, literal_words(each.type))


def literal_words(hint: Any) -> tuple[str, ...]:
    """Return the words that a type allows besides numbers: `auto` of `int | Literal["auto"]`."""
    return tuple(
        word
        for option in get_args(hint)
        if get_origin(option) is Literal
        for word in get_args(option)
    )


def as_table(settings: Any) -> dict[str, Any]:
    """Return the fields of a settings object, or of its sections, as a file would write them."""
    table = {}
    for each in fields(settings):
        rule, value = rule_of(each), getattr(settings, each.name)
        table[each.name] = as_table(value) if rule is None else rule.as_written(value)
    return table
