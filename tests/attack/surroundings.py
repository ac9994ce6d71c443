"""Commands in their plainest form, for attacks on what is around them."""

import random
from pathlib import Path

from tests.attack.endings import Ending, faults
from tests.attack.filming import film
from tests.attack.room import Room

WRITING = ("image", "refine", "composite", "trimap", "video", "sweep-trimap")
READING: tuple[tuple[str, ...], ...] = (
    ("weights", "list"),
    ("weights", "list", "-v"),
    ("weights", "verify"),
    ("weights", "card", "person"),
    ("weights", "path", "person"),
    ("doctor",),
    ("config", "show"),
    ("completion", "bash"),
    ("--version",),
    ("--help",),
    ("image", "--help-all"),
)


def words_of(room: Room, command: str, source: object, output: object) -> list[object]:
    """A command that writes one file."""
    line = ["--segmenter", room.shared / "tiny.onnx", "--refiner", "guided"]
    if command == "video":
        film(room.folder / "c.mp4", random.Random(1), 5, (48, 32))
        return [
            command,
            *line,
            "--bg",
            "white",
            "-o",
            output,
            "--",
            "c.mp4" if source == "p.png" else source,
        ]
    rest: dict[str, list[object]] = {
        "image": line,
        "refine": line[2:],
        "composite": ["--bg", "white"],
        "trimap": [],
        "sweep-trimap": [*line, "--k", "3", "--iterations", "2"],
    }
    second = ["t.png"] if command in ("refine", "composite") else []
    return [command, *rest[command], "-o", output, "--", source, *second]


def judge(room: Room, ending: Ending, what: str, *, silent: bool = False) -> None:
    """Reports what is wrong; `silent`: nothing can be printed, so a message may lack."""
    for fault in faults(ending, signalled=silent):
        room.report(f"{what!r}: {fault}", ending.words)


def command(room: Room) -> tuple[list[object], Path | None]:
    """A command that reads, or one that writes a file: its words, and the file."""
    numbers = room.random
    if numbers.random() < 0.1:
        return ["weights", "import", room.shared / "other.onnx", "--as", "other"], None
    if numbers.random() < 0.5:
        return list(numbers.choice(READING)), None
    chosen = numbers.choice(WRITING)
    out = room.folder / ("out.mp4" if chosen == "video" else "out.png")
    return words_of(room, chosen, "p.png", out.name), out
