"""Odd names of files, outputs that appear while a run goes on, and links."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

from tests.attack.drawing import draw, draw_trimap, save
from tests.attack.filming import film, is_whole
from tests.attack.processes import start
from tests.attack.room import Room
from tests.attack.surroundings import WRITING, judge, words_of

ODD_NAMES = (
    "a\nb",
    "w\nError: forged",
    "\x1b[31mred",
    "\udcff\udcfe",
    "-leading",
    "--overwrite",
    "%05d%s",
    "file:x",
    "http:x",
    "a\tb\rc",
    "‮gnp",
    " ",
    "..x",
    "~",
    "$HOME",
    "a'b\"c",
    "ß" * 122,
    "n" * 246,
    "C:x",
    "con",
    "{0}",
    "[a-b]*?",
)


def odd_name(room: Room) -> None:
    """Names with line ends, escapes, bytes that are no text, dashes, and of 250 bytes."""
    numbers = room.random
    name = numbers.choice(ODD_NAMES)
    chosen = numbers.choice(WRITING)
    ending = ".mp4" if chosen == "video" else ".png"
    source = f"{name}{ending}"
    if chosen == "video":
        film(room.folder / "x.mp4", random.Random(1), 5, (48, 32))
        (room.folder / "x.mp4").rename(room.folder / source)
    elif numbers.random() < 0.8:
        (room.folder / "p.png").rename(room.folder / source)
    elif numbers.random() < 0.5:
        (room.folder / source).write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    out = numbers.choice(
        (f"out{ending}", f"{name}-o{ending}", f"{numbers.choice(ODD_NAMES)}{ending}")
    )
    words = words_of(room, chosen, source, Path(out))
    if words[0] == "sweep-trimap" and numbers.random() < 0.5:
        words.insert(1, "--save-all")
    before = room.listing()
    finished = start(room, words).end()
    judge(room, finished, name)
    if "--save-all" not in words:
        pictures = [p for p in room.listing() if "%05d" in out and p not in before]
        new = room.check_files(before, words, [room.folder / out, *pictures])
        if finished.code == 0 and not new and out != source:
            room.report(f"{name!r}: exit 0 without an output", words)


def appearing(room: Room) -> None:
    """An output that somebody else makes while the run goes on stays as it is."""
    numbers = room.random
    chosen = numbers.choice(WRITING)
    if chosen == "video":
        film(room.folder / "long.mp4", random.Random(1), 40, (160, 120))
    else:
        save(room.folder / "p.png", draw(numbers, 900, 700))
        save(room.folder / "t.png", draw_trimap(900, 700))
    out = room.folder / ("out.mp4" if chosen == "video" else "out.png")
    source = "long.mp4" if chosen == "video" else "p.png"
    words = words_of(room, chosen, source, out.name)
    running = start(room, words)
    moment = numbers.uniform(0.3, 2.5)
    running.wait_until(lambda: running.cpu >= moment)
    appeared = not out.exists()
    if appeared:
        try:
            with out.open("xb") as file:
                file.write(b"precious")
        except FileExistsError:
            appeared = False
    ending = running.end()
    judge(room, ending, "an output that appears")
    if appeared and out.read_bytes() != b"precious":
        room.report("an output that appeared was replaced", words)
    if appeared and ending.code == 0:
        room.report("exit 0 though the output was there", words)


def linked(room: Room) -> None:
    """Outputs that are links: to a file, to nowhere, to each other, to the input, elsewhere."""
    numbers = room.random
    chosen = numbers.choice(WRITING)
    ending = ".mp4" if chosen == "video" else ".png"
    out, place = room.folder / f"out{ending}", room.folder / "place"
    place.mkdir()
    words = words_of(room, chosen, "p.png", out.name)
    source = room.folder / ("c.mp4" if chosen == "video" else "p.png")
    target = place / f"target{ending}"
    other = Path("/dev/shm") / f"matte-attack-{os.getpid()}-{room.number}{ending}"
    makers: dict[str, Callable[[], object]] = {
        "file": lambda: out.symlink_to(target),
        "nowhere": lambda: out.symlink_to(target),
        "loop": lambda: out.symlink_to(out.name),
        "input": lambda: out.symlink_to(source.name),
        "hard": lambda: out.hardlink_to(source),
        "folder": lambda: out.symlink_to("place"),
        "other disk": lambda: out.symlink_to(other),
    }
    way = numbers.choice(sorted(makers))
    makers[way]()
    if way == "file":
        target.write_bytes(b"old")
    if overwrite := numbers.random() < 0.5:
        words.insert(1, "--overwrite")
    before = room.listing()
    running = start(room, words)
    stopped = chosen == "video" and numbers.random() < 0.3
    if stopped:
        running.wait_until(lambda: running.cpu > 1.2)
        running.send(signal.SIGINT)
    finished = running.end()
    judge(room, finished, f"a link to {way}", silent=stopped)
    allowed = list(room.folder.rglob("*.partial*"))
    if overwrite or way == "nowhere":
        allowed.append(target)
    if way == "folder":  # which some commands fill
        allowed += place.iterdir()
    room.check_files(before, words, allowed)
    if way in ("input", "hard", "loop") and finished.code == 0:
        room.report(f"exit 0 with a link to {way}", words)
    written = {"file": target, "nowhere": target, "other disk": other}.get(way)
    if finished.code == 0 and written is not None and not is_whole(written):
        room.report(f"a link to {way}: its target was not written", words)
    for left in Path("/dev/shm").glob(f"matte-attack-{os.getpid()}-{room.number}*"):
        left.unlink()
