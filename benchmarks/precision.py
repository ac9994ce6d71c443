"""Whether the shipped networks are as good in bf16 as in fp32, and how much faster.

    python benchmarks/precision.py --data DATA [NAME…] [--pictures N]

Measures each network on what its recipe holds back, as score_weights.py does, once in fp32 and once
in bf16, on OpenVINO. A network is as good if no score is worse by over half a percent; then `bf16 =
true` may stand in its row of the manifest. Writes benchmarks/results/precision.json.
"""

import argparse
import json
import platform
import time
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from score_weights import Options, measure_network

from matte.files import write_file
from matte.runtime.threads import usable_threads
from matte.weights.store import SHIPPED, all_weights

RESULTS = Path(__file__).parent / "results" / "precision.json"
WORSE = 0.005  # at most, of a score
HIGHER_IS_BETTER = ("miou", "accuracy")


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pictures", type=int, default=0)
    given = parser.parse_args()
    options = Options(given.data, (), given.pictures, None, 0)
    names = given.names or sorted(n for n, w in all_weights().items() if w.folder == SHIPPED)
    found = {name: compared(name, options) for name in names}
    for name, row in found.items():
        print(f"{name}: bf16 {'is' if row['as_good'] else 'is NOT'} as good as fp32")
    report = {
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, {usable_threads()} cores",
        "openvino": version("openvino"),
        "networks": found,
    }
    if not given.pictures and not given.names:
        write_file(RESULTS, (json.dumps(report, indent=1) + "\n").encode(), overwrite=True)


def compared(name: str, options: Options) -> dict[str, Any]:
    """The network's scores in both precisions."""
    scores, seconds = {}, {}
    for precision in ("fp32", "bf16"):
        start = time.perf_counter()
        scores[precision] = measure_network(name, replace(options, precision=precision)).scores
        seconds[precision] = round(time.perf_counter() - start, 1)
    rows, as_good = [], True
    for exact, fast in zip(scores["fp32"], scores["bf16"], strict=True):
        change = fast.value / exact.value - 1 if exact.value else 0.0
        worse = -change if exact.metric in HIGHER_IS_BETTER else change
        where = " ".join((exact.set, exact.trimaps)).strip()
        values = {"fp32": exact.value, "bf16": fast.value, "worse": round(worse, 5)}
        rows.append({"set": where, "metric": exact.metric, **values})
        as_good = as_good and worse <= WORSE
        print(f"  {name}, {where}, {exact.metric}: {exact.value} → {fast.value} ({worse:+.2%})")
    return {
        "as_good": as_good,
        "seconds": seconds,  # of the whole measurement, reading and comparing included
        "scores": rows,
    }


if __name__ == "__main__":
    main()
