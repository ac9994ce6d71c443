"""Processes killed at any moment: outputs are whole or absent, and the next run goes on."""

import shutil
import signal

from tests.attack.processes import start
from tests.attack.room import Room
from tests.attack.stops import check, job, prepare, store_network, wait_for_moment

__all__ = ["attack", "prepare"]


def attack(room: Room) -> None:
    asked = job(room)
    if asked.words[0] == "weights":
        store_network(room)
    before = room.listing()
    running = start(room, asked.words)
    wait_for_moment(room, asked, running)
    running.send(signal.SIGKILL)
    ending = running.end()
    check(room, asked, before, ending.code, "", hard=True)
    if room.random.random() < 0.2 and not room.found:
        for path in room.folder.rglob(".matte-*"):
            shutil.rmtree(path, ignore_errors=True)
            path.unlink(missing_ok=True)
        again = start(room, [*asked.words, "--overwrite"]).end()
        check(room, asked, before, again.code, again.text, hard=False)
