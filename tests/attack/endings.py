"""How runs of `matte` end, and what is wrong with that: the rules that hold for every command."""

import re
from dataclasses import dataclass

MAX_CPU_SECONDS = 20
MAX_MEMORY_BYTES = 3 << 30  # of a run on small inputs
KNOWN_LINES = re.compile(
    r"Warning: |Note: |Error: |Usage: |Try 'matte |Aborted!$|--fps-target: |\d+×\d+, preset |"
    r"  refined: |"
    r"\d+ written \(|  \w+ on \w+, |\d+ frames in |  \w+ +[\d.]+ ms|\d+ of \d+ |ok  |"
    r"[\w.-]+: [^;]+; licence: |$"
)
INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one run ended, and what it printed."""

    words: tuple[str, ...]
    code: int  # below 0: the signal that ended it
    out: bytes
    err: bytes
    cpu: float
    wall: float
    peak_bytes: int
    killed: str = ""  # why it was killed: "time" or "memory"
    children_left: bool = False

    @property
    def text(self) -> str:
        return self.err.decode(errors="backslashreplace")

    @property
    def last_line(self) -> str:
        lines = self.text.strip().splitlines()
        return lines[-1] if lines else ""


def faults(ending: Ending, signalled: bool = False) -> list[str]:
    """What is wrong with an ending, whatever was asked for; `signalled`: a signal may end it."""
    text = ending.text
    found = []
    if "Traceback (most recent call last)" in text:
        found.append(f"traceback: {ending.last_line[:200]}")
    if ending.killed == "time" or ending.code == -24 or ending.cpu > MAX_CPU_SECONDS:
        found.append(f"hang: {ending.cpu:.0f} s of processor, {ending.wall:.0f} s in all")
    elif ending.killed == "memory" or ending.peak_bytes > MAX_MEMORY_BYTES:
        found.append(f"memory: {ending.peak_bytes / 2**30:.1f} GiB")
    elif ending.code < 0 and not signalled:
        found.append(f"crash: signal {-ending.code}")
    if ending.children_left:
        found.append("a process was left running")
    if found:
        return found
    return message_faults(text, ending.code, signalled)


def message_faults(text: str, code: int, signalled: bool) -> list[str]:
    """What is wrong with the lines on standard error."""
    found = []
    lines = text.split("\n")
    foreign = [line for line in lines if not KNOWN_LINES.match(line)]
    if foreign:
        found.append(f"foreign line: {foreign[0][:200]!r}")
    if any(INVISIBLE.search(line) for line in lines):
        found.append(f"control characters: {text[:200]!r}")
    errors = [line for line in lines if line.startswith("Error: ")]
    if code > 0 and not errors and not signalled:
        found.append(f"exit {code} without an error line")
    if code == 0 and errors:
        found.append(f"exit 0 with {errors[0][:200]!r}")
    return found
