"""One process of fuzz.py: KIND SEED FIRST SECONDS FOLDER [--guided].

It writes into its folder how far it is, and each input before it is read: what ends the process
leaves the input that did it.
"""

import faulthandler
import json
import os
import random
import resource
import sys
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

MAX_SECONDS = 20  # of an input
MAX_BYTES = 3 << 30  # of memory that inputs take
WRITE_SECONDS = 0.5  # between two states


class Worker:
    """Reads inputs of a kind, and counts what becomes of them."""

    def __init__(self, kind: str, seed: int, first: int, seconds: float, folder: Path) -> None:
        from tests.attack.targets import TARGETS

        self.target, self._kind, self._seed = TARGETS[kind], kind, seed
        self._folder, self._end = folder, time.monotonic() + seconds
        self._written = 0.0
        self.state: dict[str, Any] = {"number": first, "inputs": 0, "read": 0, "refused": 0}
        self.state |= {"slowest ms": 0, "failures": {}, "guided inputs": 0, "ended": False}

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def input(self, number: int) -> bytes:
        """The input of a number."""
        return self.target.make(random.Random(f"{self._kind} {self._seed} {number}"))

    def run(self, data: bytes) -> None:
        """Reads one input, and notes what is wrong."""
        from matte.errors import MatteError, is_memory_error

        (self._folder / "input").write_bytes(data)
        place = self._folder / "work"
        place.mkdir(exist_ok=True)
        faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
        began, how = time.perf_counter(), "read"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.target.read(data, place)
        except MatteError as error:
            how = "refused"
            if "\n" in str(error):
                self.fail(f"an error of several lines in {place_of(error)}", repr(error), data)
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            if is_memory_error(error):
                how = "refused"
            else:
                self.fail(f"{type(error).__name__} in {place_of(error)}", str(error), data)
        faulthandler.cancel_dump_traceback_later()
        self.state["inputs"] += 1
        self.state[how] += 1
        ms = round(1000 * (time.perf_counter() - began))
        self.state["slowest ms"] = max(self.state["slowest ms"], ms)
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.write()

    def fail(self, where: str, text: str, data: bytes) -> None:
        """Notes a failure at a new place, and keeps its input."""
        if where not in self.state["failures"]:
            self.state["failures"][where] = f"{text[:200]} (number {self.state['number']})"
            kept = f"/tmp/matte-fuzz-{self._kind.replace(' ', '-')}-{len(self.state['failures'])}"
            Path(kept).write_bytes(data)

    def write(self) -> None:
        """Writes how far it is."""
        self._written = time.monotonic()
        (self._folder / "state.json").write_text(json.dumps(self.state))


def place_of(error: BaseException) -> str:
    """The line of matte that raised an exception."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/matte/" in f.filename]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename.rpartition('/matte/')[2]}:{last.lineno} {last.name}"


def main() -> None:
    """Reads inputs until the time is over."""
    kind, seed, first, seconds, folder = sys.argv[1:6]
    place = Path(folder)
    os.environ |= {"FUZZ_FOLDER": str(place), "MATTE_HOME": str(place / "work")}
    os.environ["MATTE_OFFLINE"] = "1"
    os.chdir(place)
    faulthandler.enable()
    if "--guided" in sys.argv:
        run_guided(kind, int(seed), float(seconds), place)
        return
    worker = Worker(kind, int(seed), int(first), float(seconds), place)
    warm_up(worker)
    limit_memory()
    number = int(first)
    while not worker.is_over:
        worker.state["number"] = number
        try:
            data = worker.input(number)
        except Exception:
            sys.stderr.write(f"the input {number} itself can't be made\n")
            raise
        worker.run(data)
        number += 1
    worker.state["ended"] = True
    worker.write()


def warm_up(worker: Worker) -> None:
    """Reads an input that doesn't count: modules are imported."""
    worker.run(worker.input(-1))
    worker.state |= {"inputs": 0, "read": 0, "refused": 0, "slowest ms": 0, "failures": {}}


def limit_memory() -> None:
    """Limits the process's memory to what it takes now, and some more."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MAX_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def run_guided(kind: str, seed: int, seconds: float, folder: Path) -> None:
    """Lets atheris choose inputs by the lines of matte that they reach."""
    import atheris

    with atheris.instrument_imports(include=["matte"]):
        import matte.clips
        import matte.conversion.checkpoints
        import matte.media.pictures
        import matte.photos.run_file
        import matte.training.recipes  # noqa: F401  # to be instrumented

        worker = Worker(kind, seed, 0, seconds, folder)
        warm_up(worker)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number in range(40):
        with suppress(Exception):  # an input that can't be made
            (corpus / str(number)).write_bytes(worker.input(number))

    def read(data: bytes) -> None:
        """Reads one input; ends the process when time is over."""
        worker.state["guided inputs"] += 1
        worker.run(data)
        if worker.is_over:
            worker.state["ended"] = True
            worker.write()
            os._exit(0)

    words = [sys.argv[0], str(corpus), "-max_len=40000", "-rss_limit_mb=0", "-verbosity=0"]
    atheris.Setup([*words, f"-max_total_time={int(seconds) + 5}"], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
