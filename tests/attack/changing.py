"""Folders that vanish in the middle of a run, processes that begin together, and odd languages."""

import shutil
from pathlib import Path

from tests.attack.drawing import draw, save
from tests.attack.filming import is_whole
from tests.attack.processes import start
from tests.attack.room import Room
from tests.attack.surroundings import WRITING, command, judge, words_of

LANGUAGES = ("C", "POSIX", "C.UTF-8", "xx_XX.UTF-8", "de_DE.ISO-8859-1", "", "a\nb")
NAMES = ("Größe.png", "猫.png", "p q.png", "p.png")


def vanishing(room: Room) -> None:
    """The folder of the pictures or that of the results is removed while they are matted."""
    numbers = room.random
    many, done = room.folder / "many", room.folder / "done"
    many.mkdir()
    for name in "abcd":
        save(many / f"{name}.png", draw(numbers, 300, 200))
    jobs = numbers.choice(((), (), ("--jobs", 2)))
    line = ("--segmenter", room.shared / "tiny.onnx", "--refiner", "guided", *jobs)
    words = ("image", many, *line, "-o", "done")
    running = start(room, words)
    gone, moment = numbers.choice((many, done)), numbers.uniform(0.3, 2)
    running.wait_until(lambda: running.cpu >= moment)
    shutil.rmtree(gone, ignore_errors=True)
    ending = running.end()
    judge(room, ending, f"{gone.name} vanishes")
    if ending.code not in (0, 1):
        room.report(f"exit {ending.code} when {gone.name} vanishes", words)
    for path in done.glob("*.png"):
        if not is_whole(path):
            room.report(f"{path.name} is not whole", words)


def together(room: Room) -> None:
    """Two processes begin at once with nothing in their common caches.

    The runtime is named: each would choose the one that is faster at that moment, and a picture in
    which somebody is hardly found is found by one of them alone.
    """
    home = room.folder / "home"
    home.mkdir()
    runtime = ("--backend", "openvino", "--precision", "fp32")
    line = ("--refiner", "guided", "--width", 2, "--fallback", "none", *runtime)
    words = [
        ("image", "p.png", "--preset", "fast", *line, "-o", name) for name in ("one.png", "two.png")
    ]
    running = [start(room, each, {"MATTE_HOME": str(home)}) for each in words]
    endings = [process.end() for process in running]
    for ending in endings:
        judge(room, ending, "two processes at once")
    told = [(ending.code, ending.last_line) for ending in endings]
    one, two = ((room.folder / name) for name in ("one.png", "two.png"))
    if told[0][0] != 0 and told[0] == told[1]:  # nobody is found in so small a picture
        return
    if not (is_whole(one) and is_whole(two) and one.read_bytes() == two.read_bytes()):
        room.report(f"two processes at once give two results: {told}", words[0])


def odd_language(room: Room) -> None:
    """Languages, encodings and terminals that are odd or not there."""
    numbers = room.random
    changes: dict[str, str | None] = {"LANG": numbers.choice(LANGUAGES)}
    if numbers.random() < 0.5:
        changes["LC_ALL"] = numbers.choice(LANGUAGES)
    if numbers.random() < 0.3:
        changes["PYTHONUTF8"] = "0"
    if numbers.random() < 0.3:
        changes["PYTHONIOENCODING"] = numbers.choice(("ascii", "latin-1", "utf-16"))
    if numbers.random() < 0.3:
        changes["COLUMNS"] = numbers.choice(("0", "1", "99999", "x", "-5"))
    if numbers.random() < 0.3:
        changes["TERM"] = numbers.choice(("dumb", "", "x"))
    words, out = command(room)
    if numbers.random() < 0.6:
        name = numbers.choice(NAMES)
        (room.folder / "p.png").rename(room.folder / name)
        chosen = numbers.choice([word for word in WRITING if word != "video"])
        out = room.folder / f"out-{Path(name).stem}.png"
        words = words_of(room, chosen, name, out.name)
    before = room.listing()
    ending = start(room, words, changes).end()
    if changes.get("PYTHONIOENCODING") != "utf-16":  # whose lines are none for this check
        judge(room, ending, f"{changes}")
    if ending.code != 0 and words[0] != "doctor":
        room.report(f"{changes}: exit {ending.code}: {ending.last_line!r}", words)
    room.check_files(before, words, [out] if out else [])
    if out is not None and ending.code == 0 and not is_whole(out):
        room.report(f"{changes}: exit 0 without a whole output", words)
