"""Whether --max-memory holds: the peak of a process that mattes pictures of extreme shapes.

    python benchmarks/memory_limits.py [--presets fast balanced best] [--backends onnx openvino]
                                       [--limits 400MiB 600MiB] [--json FILE]

Each case is a process of its own, twice: the first compiles and measures the networks, the second
finds them in its cache. Pictures are parts of the sample portrait, resized; "all unknown" has them
refined from one end to the other. A picture that is refused is no failure. Exits with 1 if a peak
is more than a tenth above its limit. Not for Windows.
"""

import argparse
import itertools
import json
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator

import cv2
import harness
import numpy as np
from harness import Row

import matte
from matte.configs.amounts import parse_bytes
from matte.errors import MatteError
from matte.media.pictures import read_photo

MIB = 1 << 20
MAX_RATIO = 1.1  # of a peak to its limit
SIZES = ("1x1", "1x60", "319x1", "2x100", "900x1400", "50x50000", "50000x50")
NETWORKS = ("line", "all unknown", "modnet")
MAX_SECONDS = 300


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "memory_limits.json", data=False)
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced", "best"])
    parser.add_argument("--backends", nargs="+", default=["onnx", "openvino"])
    parser.add_argument("--limits", nargs="+", default=["400MiB", "600MiB"])
    parser.add_argument("--sizes", nargs="+", default=list(SIZES))
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)  # in this process
    options = parser.parse_args()
    if options.one:
        print(json.dumps(matte_one(*options.one)))
        return
    rows = list(measure(options))
    harness.show(rows)
    harness.write(options.json, {"max_ratio": MAX_RATIO, "rows": rows})
    over = [row for row in rows if row["ratio"] > MAX_RATIO]
    print(f"{len(rows)} cases, {len(over)} over {MAX_RATIO:.0%} of their limit")
    if over:
        raise SystemExit(1)


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """Yield the peak of each case, with networks that are compiled first and then cached."""
    cases = itertools.product(options.backends, options.limits, options.presets, NETWORKS)
    for backend, limit, preset, network in cases:
        if network == "modnet" and preset != options.presets[0]:
            continue  # it is the same in all
        with tempfile.TemporaryDirectory() as cache:
            for start, size in [("cold", options.sizes[0])] + [("warm", s) for s in options.sizes]:
                found = harness.run_self(
                    "--one", backend, limit, preset, network, size, MATTE_HOME=cache
                )
                row = {"backend": backend, "limit": limit, "preset": preset, "network": network}
                row |= {"start": start, "size": size, **found}
                row["ratio"] = round(found["peak_mib"] * MIB / parse_bytes(limit), 3)
                print(json.dumps(row), file=sys.stderr, flush=True)
                yield row


def matte_one(backend: str, limit: str, preset: str, network: str, size: str) -> Row:
    """Matte one picture in this process, and return its peak in MiB."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    warnings.simplefilter("ignore")
    width, height = (int(length) for length in size.split("x"))
    whole = np.asarray(read_photo(harness.SAMPLE).pixels)
    picture = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    trimap = None
    if network == "all unknown":
        trimap = np.full((height, width), 128, np.uint8)
        trimap.flat[0] = 0
    start = time.perf_counter()
    outcome = "matted"
    try:
        pipeline = matte.load(
            preset,
            backend=backend,
            max_memory=limit,
            **({"modnet": "modnet"} if network == "modnet" else {}),
        )
        pipeline(np.asarray(picture), trimap=trimap)
    except MatteError as error:
        outcome = str(error)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_bytes = peak if sys.platform == "darwin" else peak << 10
    seconds = round(time.perf_counter() - start, 1)
    return {"peak_mib": peak_bytes // MIB, "seconds": seconds, "outcome": outcome[:90]}


if __name__ == "__main__":
    main()
