"""Full disks: every command that writes, where only so many bytes fit."""

import os
import subprocess

from tests.attack.drawing import draw, save
from tests.attack.room import Room
from tests.attack.stops import Job, check, job, store_network
from tests.attack.stops import prepare as prepare_jobs

MAX_KILOBYTES = 600
PAGE_KILOBYTES = 4


def prepare(room: Room) -> None:
    prepare_jobs(room)
    save(room.shared / "photo.png", draw(room.random, 300, 200))


def attack(room: Room) -> None:
    """Runs a command on a small disk of its own or, without root, with a limit on files."""
    kilobytes = int(MAX_KILOBYTES ** room.random.random()) + 2 * PAGE_KILOBYTES
    mounted = os.geteuid() == 0 and mount(room, kilobytes)
    try:
        asked = job(room)
        if asked.words[0] == "weights":
            run_import(room, asked, kilobytes)
            return
        before = room.listing()
        ending = room.matte(*asked.words, file_bytes=0 if mounted else kilobytes * 1024)
        check(room, asked, before, ending.code, ending.text, hard=False)
    except OSError:  # the inputs themselves do not fit
        room.found.clear()
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(room.folder)], check=False)


def run_import(room: Room, asked: Job, kilobytes: int) -> None:
    """Imports into a store whose disk is small: files can't grow beyond a few bytes."""
    store_network(room)
    before = room.listing()
    ending = room.matte(*asked.words, file_bytes=room.random.randrange(1, 600))
    check(room, asked, before, ending.code, ending.text, hard=False)
    del kilobytes


def mount(room: Room, kilobytes: int) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(room.folder)]
    return subprocess.run(words, check=False, capture_output=True).returncode == 0
