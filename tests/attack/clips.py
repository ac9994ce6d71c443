"""Damaged clips, and odd wishes, through `matte video`."""

import random
import re
from collections.abc import Iterable
from pathlib import Path

from tests.attack.changes import change
from tests.attack.drawing import draw, save
from tests.attack.filming import KINDS, film, is_whole, playable_frames
from tests.attack.room import Listing, Room
from tests.attack.tiny import write_segmenter

KEPT = re.compile(r"(\d+) frames? (?:is|are) kept in (.*)")
OTHER_KEPT = re.compile(r"(\d+) in (.*)")  # "60 frames are kept in a, b, 58 in c"
RESULTS = ("out.mp4", "out.mov", "out.mkv", "out.webm", "out.gif", "out.webp", "out%05d.png", "out")
OUTPUT_OPTIONS = ("-o", "--alpha", "--foreground", "--report")
NUMBERED = re.compile(r"\d{5}\.png$")
# Options with values from plain to impossible.
OPTIONS: dict[str, tuple[object, ...]] = {
    "--start": ("0", "0.1", "1e9", "-1", "nan", "9" * 400, "1:99:99", "x"),
    "--end": ("0.1", "0", "1e300", "-0", "inf", ":"),
    "--crf": (-1, 0, 23, 63, 99999, "x"),
    "--bitrate": ("1k", "8M", "0", "-5", "9" * 30, "1e400", "nan"),
    "--codec": ("h264", "h265", "vp9", "prores", "ffv1", "x"),
    "--temporal": ("off", "ofd", "flow"),
    "--segment-every": (1, 2, 100, 0),
    "--keep-alpha": (1, "off", 1000),
    "--refine-size": ("25%", "1", "100000", "full", "nan%"),
    "--bg-end": ("loop", "hold"),
    "--bg": ("white", "blur", "clip", "#12", "missing.png", ""),
}


def prepare(room: Room) -> None:
    write_segmenter(room.shared / "tiny.onnx")


def attack(room: Room) -> None:
    numbers = room.random
    ending = numbers.choice((*(kind[0] for kind in KINDS), ".gif"))
    clip = room.folder / f"clip{ending}"
    film(clip, numbers)
    if numbers.random() < 0.9:
        head = numbers.choice((0, 0, 400))
        clip.write_bytes(change(clip.read_bytes(), numbers, head))
    line = ("--segmenter", room.shared / "tiny.onnx", "--refiner", "guided", "--quiet")
    run(room, "video", clip, *line, *odd_options(clip, numbers))
    save(room.folder / "p.png", draw(numbers))
    if numbers.random() < 0.2:
        room.matte("image", clip, *line, "-o", "x.png")
        room.matte("image", "p.png", "--bg", clip, *line, "-o", "y.png")


def odd_options(clip: Path, numbers: random.Random) -> list[object]:
    """A few options with odd values, and one to three outputs."""
    words: list[object] = []
    for name in numbers.sample(sorted(OPTIONS), numbers.choice((0, 0, 1, 2))):
        value = numbers.choice(OPTIONS[name])
        words += [name, clip if value == "clip" else value]
    words += ["-o", numbers.choice(RESULTS)]
    if numbers.random() < 0.3:
        words += ["--alpha", numbers.choice(("a.mkv", "a.mp4", "alphas", "a.gif"))]
    if numbers.random() < 0.1:
        words += ["--foreground", "f.mkv", "--report", "r.json"]
    return words


def run(room: Room, *words: object) -> None:
    """Runs `matte video`: outputs are whole and all there, or none is; partial ones play."""
    before = room.listing()
    ending = room.matte(*words)
    check_results(room, before, words, ending.code, ending.text)


def check_results(
    room: Room, before: Listing, words: tuple[object, ...], code: int, text: str
) -> None:
    """Checks the files that a run of `matte video` left, by its exit code and its messages."""
    names = [str(words[at + 1]) for at, word in enumerate(words) if word in OUTPUT_OPTIONS]
    outputs = [room.folder / name.replace("%05d", "00001") for name in names]
    partial = check_partial(room, words, text)
    pictures = [path for path in room.folder.rglob("*.png") if NUMBERED.search(path.name)]
    room.check_files(before, words, [*outputs, *partial, *pictures])
    there = [path for path in outputs if path.exists()]
    if code == 0 and len(there) < len(outputs):
        room.report("an output is missing after success", words)
    if code != 0 and there:
        room.report(f"{[path.name for path in there]} after failure", words)
    for path in there:
        if not is_whole(path):
            room.report(f"{path.name} is not whole", words)


def check_partial(room: Room, words: Iterable[object], text: str) -> list[Path]:
    """Checks that what is kept plays with as many frames as was promised; returns the files."""
    kept = promised_frames(text)
    for name, count in kept.items():
        frames = playable_frames(room.folder / name)
        if frames != count:
            room.report(f"{count} frames are promised in {name}, {frames} play", words)
    return [room.folder / name for name in kept]


def promised_frames(text: str) -> dict[str, int]:
    """How many frames a message promises in which files."""
    kept: dict[str, int] = {}
    for count, names in KEPT.findall(text):
        frames = int(count)
        for name in names.split(", "):
            if found := OTHER_KEPT.fullmatch(name):
                frames, name = int(found[1]), found[2]  # a name behind a number
            kept[name] = frames
    return kept
