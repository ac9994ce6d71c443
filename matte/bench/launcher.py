"""Run a command and print, as JSON, its seconds, its peak of memory and its exit code.

It is run by its path, in an interpreter without packages, so that it is small: Linux counts into a
process's peak what the process that started it held. The command is read from standard input, as
JSON: words and environment.
"""

import json
import os
import subprocess
import sys
import time


def main() -> None:
    """Run the command that standard input names, and print its time and memory."""
    job = json.load(sys.stdin)
    start = time.perf_counter()
    process = subprocess.Popen(
        job["words"], env=job["env"], stdin=subprocess.DEVNULL, stdout=sys.stderr
    )
    peak = None
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(process.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        process.returncode = code
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        peak = round(usage.ru_maxrss / unit, 1)
    else:
        code = process.wait()
    seconds = time.perf_counter() - start
    json.dump({"seconds": seconds, "peak_mib": peak, "code": code}, sys.stdout)


if __name__ == "__main__":
    main()
