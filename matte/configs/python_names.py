"""What the command line's options are called in Python, in the errors of a library user.

A message names the option that helps, as the command line has it; the calls of the library put the
argument in its place.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import get_args

from matte.configs.loader import preset_names
from matte.configs.settings import SETTINGS
from matte.configs.tables import parse_setting
from matte.errors import MatteError, SettingError

# Options that are no settings, by the arguments' names. Settings are called the same.
ARGUMENTS = {
    "bg": "background",
    "bg_end": "background_end",
    "mask_in": "mask",
    "trimap_in": "trimap",
    "overwrite": "overwrite=True",
} | {
    name: name
    for name in (
        "preset",
        "codec",
        "crf",
        "bitrate",
        "premultiply",
        "start",
        "end",
        "hdr",
        "review",
        "despill",
        "garbage_matte",
    )
}
# An option with the word after it. What stands in quotes, commands above all, is left as it is.
OPTION = re.compile(
    r"(?<!\w)'[^']*'(?!\w)|\bmatte compile .*|(?P<joint> with )?--(?P<option>[a-z][a-z-]*)"
    r"(?: (?P<word>\w+))?"
)


@contextmanager
def python_names() -> Iterator[None]:
    """Let MatteErrors from the block name arguments of Python, not options of the command line."""
    try:
        yield
    except MatteError as error:
        error.set_text(in_python(error.cause), in_python(error.remedy))
        raise


def in_python(text: str) -> str:
    """Return a message with arguments in place of options.

    >>> in_python("there.png exists: choose another name or add --overwrite")
    'there.png exists: choose another name or add overwrite=True'
    >>> in_python("run 'matte doctor', or use --device cpu")
    "run 'matte doctor', or use device='cpu'"
    """
    return OPTION.sub(_argument, text)


def _argument(found: re.Match[str]) -> str:
    """Return the argument for an option; the text as it is where Python has none."""
    option = (found["option"] or "").replace("-", "_")
    name = ARGUMENTS.get(option, option if option in SETTINGS else "")
    if not name:
        return found[0]
    joint, word = found["joint"], found["word"]
    if joint and name == "background":
        return f" {word}" if word else ""  # "give a background with --bg" says it already
    joint = joint and (" with " if name in SETTINGS else " as ")
    rest = "" if word is None else f"={word!r}" if _is_value(name, word) else f" {word}"
    return f"{joint or ''}{name}{rest}"


def _is_value(name: str, word: str) -> bool:
    """Return whether the word after an option is its value, and not the sentence's next."""
    if name not in SETTINGS:
        return (name, word) == ("background", "transparent") or (
            name == "preset" and word in preset_names()
        )
    setting = SETTINGS[name]
    rule = setting.rule
    if str in (setting.hint, *get_args(setting.hint)) and not (rule.pattern or rule.unit):
        return False  # the name of a network: any word may be one
    try:
        rule.check(name, parse_setting(word, setting.hint, rule, name), setting.words)
    except SettingError:
        return False
    return True
