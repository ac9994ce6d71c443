"""Odd homes, streams, folders and names."""

import ctypes
import os
from typing import Any

import onnx

from tests.attack.changing import odd_language, together, vanishing
from tests.attack.drawing import draw, draw_trimap, save
from tests.attack.filming import is_whole
from tests.attack.names import appearing, linked, odd_name
from tests.attack.processes import MATTE, start
from tests.attack.room import Room
from tests.attack.surroundings import command, judge, words_of
from tests.attack.tiny import segmenter, write_segmenter

# Numbers of Linux's.
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER = 24, 1, 2, 3
# As in a container whose user has a number and no name.
NO_USER = (
    "-c",
    "import pwd, runpy\n"
    "def nobody(number): raise KeyError(number)\n"
    "pwd.getpwuid = nobody\n"
    "runpy.run_module('matte', run_name='__main__', alter_sys=True)",
)


def prepare(room: Room) -> None:
    write_segmenter(room.shared / "tiny.onnx")
    onnx.save_model(segmenter({"matte.kind": "segmenter"}), room.shared / "other.onnx")


def attack(room: Room) -> None:
    numbers = room.random
    pixels = draw(numbers, 40, 30)
    save(room.folder / "p.png", pixels)
    save(room.folder / "t.png", draw_trimap(40, 30))
    around = (odd_home, odd_streams, odd_name, unwritable, appearing, linked)
    numbers.choice((*around, vanishing, together, odd_language))(room)


def odd_home(room: Room) -> None:
    """Homes that are not set, not there, not folders, or relative."""
    numbers = room.random
    (room.folder / "plain").write_text("x")
    values = (None, "", "~", "relative", "/nonexistent/x", "/dev/null", "/proc", "a\nb", "\udcff")
    changes: dict[str, str | None] = {"MATTE_HOME": None}
    changes["HOME"] = numbers.choice(values)
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "MATTE_HOME"):
        if numbers.random() < 0.2:
            changes[name] = numbers.choice((*values, str(room.folder / "plain")))
    program = NO_USER if (unknown := numbers.random() < 0.4) else MATTE
    words, out = command(room)
    before = room.listing()
    ending = start(room, words, changes, program=program).end()
    judge(room, ending, f"{changes}, {'not in' if unknown else 'in'} the list of users")
    excused = words[0] in ("doctor", "config") or "import" in words or "MATTE_HOME" in ending.text
    if ending.code != 0 and not excused:
        room.report(f"{changes}: exit {ending.code}: {ending.last_line!r}", words)
    caches = [p for p in room.listing() if p.parts[-2] != room.folder.name or out is None]
    room.check_files(before, words, [*([out] if out else []), *caches])


def obey_permissions() -> None:
    """Lets root be refused as others are."""
    library = ctypes.CDLL(None)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER):
        library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def odd_streams(room: Room) -> None:
    """Streams that are closed, full, or that nobody reads."""
    numbers = room.random
    words, out = command(room)
    if out is not None and words[0] == "image" and numbers.random() < 0.3:
        words, out = words_of(room, "image", "p.png", "-"), None
    names = numbers.choice((("stdout",), ("stderr",), ("stdout", "stderr"), ("stdin",)))
    way = numbers.choice(("closed", "full", "pipe"))
    before = room.listing()
    options: dict[str, Any] = {}
    closing: list[int] = []
    for name in names:
        if way == "closed":
            closing.append(("stdin", "stdout", "stderr").index(name))
        elif way == "full":
            options[name] = os.open("/dev/full", os.O_WRONLY)
        else:
            read, options[name] = os.pipe()
            os.close(read)

    def close_streams() -> None:
        for fd in closing:
            os.close(fd)

    running = start(room, words, prepare=close_streams, **options)
    for handle in options.values():
        os.close(handle)
    ending = running.end()
    what = f"{' and '.join(names)} {way}"
    judge(room, ending, what, silent=True)
    if "stderr" in names and b"Error: " in ending.out:
        room.report(f"{what}: the error goes to standard output", words)
    room.check_files(before, words, [out] if out else [])
    if ending.code == 0 and way == "full" and "stdout" in names and out is None:
        room.report(f"{what}: exit 0, and nothing was written", words)
    if out is not None and ending.code == 0 and not is_whole(out):
        room.report(f"{what}: exit 0 without a whole output", words)


def unwritable(room: Room) -> None:
    """Folders that can't be written, files that can't be read, stores on a disk of their own."""
    numbers = room.random
    words, out = command(room)
    folder = room.folder / "closed"
    folder.mkdir()
    store = room.folder / "store"
    store.mkdir(mode=numbers.choice((0o555, 0o777)))
    if out is not None:
        at = words.index("-o") + 1
        words[at] = folder / out.name
    kept = numbers.choice((room.folder / "p.png", None))
    if kept is not None and numbers.random() < 0.4:
        kept.chmod(0)
    before = room.listing()
    folder.chmod(numbers.choice((0o555, 0o000)))
    changes: dict[str, str | None] = {"MATTE_HOME": str(store)}
    ending = start(room, words, changes, obey_permissions).end()
    for path in (folder, store, room.folder / "p.png"):
        path.chmod(0o755)
    judge(room, ending, "unwritable")
    if out is not None and ending.code == 0:
        room.report("exit 0 into a folder that can't be written", words)
    room.check_files(before, words, [p for p in room.listing() if store in p.parents])
