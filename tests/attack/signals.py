"""Ctrl-C, requests to end and hang-ups, one or two, at any moment of the commands that write."""

import signal
import time

from tests.attack.endings import Ending, faults
from tests.attack.processes import SIGNALS, Started, start
from tests.attack.room import Room
from tests.attack.stops import (
    FRAMES,
    Job,
    check,
    is_temporary,
    job,
    prepare,
    store_network,
    wait_for_moment,
)

__all__ = ["attack", "prepare"]
ENCODED_BYTES = 30_000  # in an unfinished file: some frames are surely there


def attack(room: Room) -> None:
    numbers = room.random
    asked = job(room)
    if asked.words[0] == "weights":
        store_network(room)
    before = room.listing()
    running = start(room, asked.words)
    wait_for_moment(room, asked, running)
    sent = [numbers.choice(SIGNALS)]
    written = unfinished_bytes(room) or 0
    running.send(sent[0])
    if numbers.random() < 0.3:
        time.sleep(numbers.random() ** 3)
        sent.append(numbers.choice((sent[0], *SIGNALS)))
        running.send(sent[1])
    ending = running.end()
    judge(room, asked, running, ending, sent, written)
    check(room, asked, before, ending.code, ending.text, hard=ending.code < 0)


def unfinished_bytes(room: Room) -> int | None:
    """The bytes of outputs under temporary names; None if there are none."""
    files = [p for p in room.folder.rglob("*") if is_temporary(p, room.folder) and p.is_file()]
    sizes = []
    for path in files:
        try:
            sizes.append(path.stat().st_size)
        except OSError:  # renamed meanwhile
            continue
    return sum(sizes) if sizes else None


def judge(
    room: Room, asked: Job, running: Started, ending: Ending, sent: list[signal.Signals], size: int
) -> None:
    """Reports exit codes and messages that are not those of an interruption."""
    words = (*asked.words, *(number.name for number in sent))
    for fault in faults(ending, signalled=True):
        if "traceback" not in fault or "/matte/" in ending.text:
            room.report(fault, words)
    interrupted = ending.code != 0
    if interrupted and sent[0] == signal.SIGINT and ending.code not in (130, *(-n for n in sent)):
        room.report(f"Ctrl-C ends with exit {ending.code}: {ending.last_line!r}", words)
    if ending.code == -2 and running.cpu > 1:
        room.report("Ctrl-C ends without a word", words)
    kept = "kept in" in ending.text
    if interrupted and asked.is_video and size > ENCODED_BYTES and not kept:
        state = f"{size} bytes of at most {FRAMES} frames"
        room.report(f"{state} were lost, exit {ending.code}: {ending.last_line!r}", words)
