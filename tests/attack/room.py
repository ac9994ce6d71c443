"""A case's own folder, the runs in it, and what was found."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matte.photos.run_file import RUN_FOLDER
from tests.attack.endings import MAX_CPU_SECONDS, MAX_MEMORY_BYTES, Ending, faults

SERVER = Path(__file__).with_name("server.py")
WALL_PER_CPU = 6  # a busy machine gives a process that share of a processor
Listing = dict[Path, str]  # files under a folder, and what they hold


class Server:
    """A process that runs `matte` in forks; `code` is the checkout that it runs."""

    def __init__(self, code: Path, home: Path, modules: Iterable[str] = ()) -> None:
        self.code, self.home = code, home
        pillow = tuple(f"PIL.{kind}ImagePlugin" for kind in ("Png", "Tiff", "Jpeg", "Bmp", "Gif"))
        self._modules = ("numpy.ma", "email.message", *pillow, *modules)
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(
                [sys.executable, str(SERVER), str(self.code), *self._modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(self.code, self.home),
            )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline())
        return answer

    def close(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process = None


def environment(code: Path, home: Path) -> dict[str, str]:
    """The environment in which the matte of a checkout runs, with its own stores."""
    return {
        **os.environ,
        "PYTHONPATH": str(code),
        "MATTE_HOME": str(home),
        "OMP_NUM_THREADS": "1",
        "MATTE_OFFLINE": "1",
    }


@dataclass(slots=True)
class Room:
    """One case: an empty folder, random numbers of its own, and runs of `matte` in the folder."""

    folder: Path
    random: random.Random
    server: Server
    number: int
    shared: Path  # what the cases of an attack make once
    found: list[str] = field(default_factory=list)
    runs: int = 0

    def report(self, text: str, words: Iterable[object] = ()) -> None:
        """Notes something that must not be."""
        command = " ".join(repr(str(word))[1:-1] for word in words)
        self.found.append(f"{text} [{command}]" if command else text)

    def matte(
        self,
        *words: object,
        home: Path | None = None,
        cpu_seconds: int = MAX_CPU_SECONDS + 2,
        memory_bytes: int = MAX_MEMORY_BYTES,
        file_bytes: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> Ending:
        """Runs `matte` in the folder; reports what is wrong with any ending."""
        self.runs += 1
        listed = tuple(str(word) for word in words)
        streams = {name: str(self.shared / f"{name}-{id(self)}") for name in ("stdout", "stderr")}
        answer = self.server.ask(
            {
                "words": listed,
                "folder": str(self.folder),
                "environment": {
                    **({"MATTE_HOME": str(home)} if home else {}),
                    **(environment or {}),
                },
                "stdin": "/dev/null",
                **streams,
                "cpu_seconds": cpu_seconds,
                "wall_seconds": WALL_PER_CPU * cpu_seconds,
                "memory_bytes": memory_bytes,
                "file_bytes": file_bytes,
            }
        )
        out, err = (Path(streams[name]).read_bytes() for name in ("stdout", "stderr"))
        ending = Ending(listed, out=out, err=err, **answer)
        for fault in faults(ending):
            self.report(fault, listed)
        return ending

    def listing(self) -> Listing:
        """What the folder holds now."""
        return listing(self.folder)

    def check_files(
        self, before: Listing, words: Iterable[object] = (), allowed: Collection[Path] = ()
    ) -> Listing:
        """Reports files that changed or vanished, and new ones that nobody asked for.

        Returns those that are new.
        """
        now = self.listing()
        for path, held in before.items():
            if path not in allowed and now.get(path) != held:
                state = "changed" if path in now else "lost"
                self.report(f"{state}: {path.name!r}", words)
        new = {path: held for path, held in now.items() if path not in before}
        for path in new:
            if path not in allowed:
                self.report(f"stray file: {path.name!r}", words)
        return new


def listing(folder: Path) -> Listing:
    """The files under a folder, with hashes; links with what they point to; no run files."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if RUN_FOLDER in path.parts:
            continue
        if path.is_symlink():
            found[path] = f"link to {str(path.readlink())!r}"
        elif path.is_file():
            found[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
