"""Whether a run over a folder that is killed at any moment loses or repeats anything.

    python benchmarks/killed_runs.py [--kills 50] [--pictures 40] [--seed 1] [--json FILE]

A folder of pictures is matted once undisturbed. Then again and again, into new folders: the run is
killed (SIGKILL) at a random moment, with one process or two (then the first one, one of the others,
or all of them), and gone on with by `--resume`. Afterwards

- every result is, byte by byte, the undisturbed run's;
- before that, none was half written: what had its name was whole;
- no other file is left but the run file, and hidden ones (.matte-…) of pictures that were just
  written, which are counted;
- nothing was done twice but what was in flight: at the most three pictures for each process.

Linux only. Exits with 1 if anything else was found.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import cv2
import harness
import numpy as np
from harness import Row

from matte.media.pictures import read_photo
from matte.photos.run_file import RUN_FOLDER, SEGMENT_SUFFIX

QUICK = ("--preset", "fast", "--refiner", "guided", "--backend", "onnx", "--precision", "fp32")
IN_FLIGHT = 3  # pictures of a process: read, matted, written
KINDS = ("one", "first", "other", "all")  # which process is killed; "one" is alone


def main() -> None:
    """Kill, go on, compare, write."""
    parser = harness.parser(__doc__, "killed_runs.json", data=False)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    numbers, rows = random.Random(options.seed), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pictures(folder / "in", options.pictures)
        start = time.perf_counter()
        command(folder / "in", folder / "whole", 1).wait()
        seconds = time.perf_counter() - start
        whole = results(folder / "whole")
        if len(whole) != options.pictures:
            raise SystemExit("the undisturbed run failed")
        for number in range(options.kills):
            kind = KINDS[number % len(KINDS)]
            row = kill_once(folder / "in", folder / str(number), kind, numbers, seconds, whole)
            rows.append(row)
            print(f"{number + 1:3} {row}", flush=True)
    bad = [row for row in rows if row["found"]]
    killed = sum(row["was killed"] for row in rows)
    harness.write(
        options.json,
        {
            "pictures": options.pictures,
            "seed": options.seed,
            "kills": killed,
            "with something found": len(bad),
            "most done twice": max(row["done twice"] for row in rows),
            "hidden files left": sum(row["hidden files left"] for row in rows),
            "rows": rows,
        },
    )
    print(f"{killed} runs killed of {len(rows)}; {len(bad)} with something found")
    raise SystemExit(bool(bad))


def make_pictures(folder: Path, count: int) -> None:
    """Write parts of the portrait, each another one."""
    folder.mkdir()
    whole = read_photo(harness.SAMPLE).pixels
    for number in range(count):
        part = cv2.resize(whole[number % 16 :, number // 16 :], (384, 384))
        cv2.imwrite(str(folder / f"{number:03d}.png"), np.ascontiguousarray(part[:, :, ::-1]))


def command(source: Path, out: Path, jobs: int, *more: str) -> subprocess.Popen[bytes]:
    """Start matte in a group of processes of its own."""
    words = [sys.executable, "-m", "matte", "image", str(source), "-o", str(out), "-q", *more]
    return subprocess.Popen(
        [*words, "--jobs", str(jobs), *QUICK], stderr=subprocess.DEVNULL, start_new_session=True
    )


def kill_once(
    source: Path,
    out: Path,
    kind: str,
    numbers: random.Random,
    seconds: float,
    whole: dict[str, bytes],
) -> Row:
    """Kill a run at a random moment, go on with it, and return what is wrong then."""
    jobs = 1 if kind == "one" else 2
    process = command(source, out, jobs)
    moment = numbers.uniform(0.1, 1.0) * seconds
    time.sleep(moment)
    was_killed = process.poll() is None and kill(process, kind)
    process.wait()
    until = time.monotonic() + 30
    while members(process.pid) and time.monotonic() < until:
        time.sleep(0.01)
    found = ["processes are left"] if members(process.pid) else []
    between = results(out)
    found += [f"{name} is half" for name, data in between.items() if data != whole.get(name)]
    done_before = Counter(record_states(out))
    command(source, out, 1, "--resume").wait()
    after = results(out)
    if after != whole:
        found.append(f"{len(after)} results, or others than undisturbed")
    others = [path.name for path in out.iterdir() if path.name not in {*whole, RUN_FOLDER}]
    hidden = [name for name in others if name.startswith(".matte-")]
    found += [f"{name} is left" for name in others if name not in hidden]
    states = Counter(record_states(out))
    twice = sum(n - 1 for (_, state), n in states.items() if state == "began" and n > 1)
    again = [t for (t, s), n in states.items() if s == "done" and n > 1 and done_before[(t, s)]]
    if again or twice > jobs * IN_FLIGHT:
        found.append(f"{twice} begun again, {len(again)} though they were done")
    return {
        "kind": kind,
        "after s": round(moment, 2),
        "was killed": was_killed,
        "results then": len(between),
        "done twice": twice,
        "hidden files left": len(hidden),
        "found": found,
    }


def kill(process: subprocess.Popen[bytes], kind: str) -> bool:
    """Kill the run's processes of that kind; return whether there was one."""
    others = [pid for pid in members(process.pid) if pid != process.pid and is_worker(pid)]
    targets = {
        "one": [process.pid],
        "first": [process.pid],
        "other": others[:1],
        "all": [process.pid, *others],
    }[kind]
    for target in targets:
        with suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)
    return bool(targets)


def is_worker(process: int) -> bool:
    """Return whether a process is one that works on pictures."""
    with suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def members(group: int) -> list[int]:
    """Return the processes of a group that are not only waited for."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            state, _, of_group, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(of_group) == group and state != "Z":
                found.append(int(folder.name))
    return found


def results(folder: Path) -> dict[str, bytes]:
    """Return the results in a folder, by their names."""
    return {path.name: path.read_bytes() for path in folder.glob("*-matte.png")}


def record_states(folder: Path) -> list[tuple[str, str]]:
    """Return what the run file says, line by line: a result's name and its state."""
    found = []
    for segment in (folder / RUN_FOLDER).glob(f"*{SEGMENT_SUFFIX}"):
        for line in segment.read_text().splitlines():
            with suppress(ValueError):
                row = json.loads(line)
                if "state" in row:
                    found.append((row["target"], row["state"]))
    return found


if __name__ == "__main__":
    main()
