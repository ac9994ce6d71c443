"""Whether the shipped networks are as good in bf16 and int8 as in fp32, and how much faster.

    python benchmarks/precision.py --data DATA [NAME…] [--int8 FOLDER] [--pictures N]

Measures each network on what its recipe holds back, as score_weights.py does, in fp32, bf16 and
int8 on OpenVINO, and in int8 on ONNX Runtime: the same file, other arithmetic. A network is as good
in a precision if no metric is worse by over half a percent over all its pictures, nor by over one
in any set, of which some have three pictures; then it may stand in `as_good_in` of its row of the
manifest. For int8 both runtimes count; a segmenter before a refiner then stays in fp32.
`--int8` is where quantise_weights.py put NAME.int8.onnx; without it, beside the manifest.

Renews the networks' rows of benchmarks/results/precision.json; with --pictures it is a try, and
with --times only the times in the rows are renewed: scores don't mind a busy machine, times do.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from score_weights import Options, measure_network

from matte.configs.loader import MergedSettings, merge_settings
from matte.configs.settings import RuntimeSettings
from matte.files import write_file
from matte.pipeline.networks import as_runtime_network
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.machine import describe_machine
from matte.runtime.opener import open_session
from matte.weights.scores import Score
from matte.weights.store import SHIPPED, Weights, add, all_weights, stored

RESULTS = Path(__file__).parent / "results" / "precision.json"
WORSE = 0.005  # at most, of a metric over all pictures
WORSE_IN_A_SET = 0.01
HIGHER_IS_BETTER = ("miou", "accuracy")
ROUNDS = 15
REFINER_SIZE = 512

Way = tuple[Literal["openvino", "onnx"], Literal["fp32", "bf16", "int8"]]
EXACT = "fp32"
WAYS: dict[str, Way] = {
    EXACT: ("openvino", "fp32"),
    "bf16": ("openvino", "bf16"),
    "int8": ("openvino", "int8"),
    "int8 on onnx": ("onnx", "int8"),
}
TIMED: dict[str, Way] = {"fp32 on onnx": ("onnx", "fp32"), **WAYS}


@dataclass(frozen=True, slots=True)
class OnBackend(Options):
    """Options that name a backend too."""

    backend: str = "auto"

    def merged(self, preset: str = "balanced", **flags: str) -> MergedSettings:
        """The preset's settings."""
        asked = {"threads": self.threads, "precision": self.precision, "backend": self.backend}
        return merge_settings(preset, None, {**asked, **flags})


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--int8", type=Path, default=SHIPPED)
    parser.add_argument("--pictures", type=int, default=0)
    given = parser.parse_args()
    options = OnBackend(given.data, (), given.pictures, None, 0)
    names = given.names or sorted(n for n, w in all_weights().items() if w.folder == SHIPPED)
    with tempfile.TemporaryDirectory() as home:
        os.environ["MATTE_HOME"] = home
        for name in names:
            _list_networks(Path(home) / "weights", name, given.int8.resolve())
            if given.times:
                _keep(name, _speed(stored(name)))
                continue
            row = compared(name, options)
            good = ", ".join(row["as_good_in"]) or "none"
            print(f"{name}: as good as fp32 in {good}", flush=True)
            if not given.pictures:
                _keep(name, row)


def compared(name: str, options: OnBackend) -> dict[str, Any]:
    """The network's scores and times in each precision."""
    weights = stored(name)
    ways = {way: asked for way, asked in WAYS.items() if asked[1] != "int8" or weights.int8}
    scores: dict[str, Sequence[Score]] = {}
    for way, (backend, precision) in ways.items():
        asked = replace(options, precision=precision, backend=backend)
        scores[way] = measure_network(name, asked).scores
    rows: list[dict[str, Any]] = []
    for number, exact in enumerate(scores[EXACT]):
        where = f"{exact.set} {exact.trimaps}".strip()
        row: dict[str, Any] = {
            "set": where,
            "pictures": exact.pictures,
            "metric": exact.metric,
        }
        for way in ways:
            value = scores[way][number].value
            change = value / exact.value - 1 if exact.value else 0.0
            worse = -change if exact.metric in HIGHER_IS_BETTER else change
            row[way] = value if way == EXACT else {"value": value, "worse": round(worse, 5)}
            print(f"  {name}, {where}, {exact.metric}, {way}: {value} ({worse:+.2%})")
        rows.append(row)
    return {"as_good_in": as_good_in(rows), **_speed(weights), "scores": rows}


def as_good_in(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The precisions in which a network with these scores is as good as in fp32."""
    good = dict.fromkeys(("bf16", "int8"), True)
    for way, (_, precision) in WAYS.items():
        if way != EXACT:
            good[precision] &= all(way in row for row in rows) and _as_good(rows, way)
    return [precision for precision, fine in good.items() if fine]


def _as_good(rows: Sequence[Mapping[str, Any]], way: str) -> bool:
    for metric in {row["metric"] for row in rows}:
        sets = [row for row in rows if row["metric"] == metric]
        exact = sum(row["pictures"] * row[EXACT] for row in sets)
        change = sum(row["pictures"] * row[way]["value"] for row in sets) / exact - 1
        worse = -change if metric in HIGHER_IS_BETTER else change
        # Phrased so that NaN fails.
        if not (worse <= WORSE and all(row[way]["worse"] <= WORSE_IN_A_SET for row in sets)):
            return False
    return True


def _speed(weights: Weights) -> dict[str, Any]:
    """Medians of a forward's milliseconds on the sample portrait, taken in turns."""
    size = weights.size or REFINER_SIZE
    network = as_runtime_network(weights)
    sessions = {}
    for way, (backend, precision) in TIMED.items():
        if precision != "int8" or network.int8:
            settings = RuntimeSettings(backend=backend, device="cpu", precision=precision)
            sessions[way] = open_session(network, settings)
    seconds: dict[str, list[float]] = {way: [] for way in sessions}
    inputs = portrait_inputs(next(iter(sessions.values())).inputs, 1, size, size)
    for number in range(ROUNDS + 1):
        for way, session in sessions.items():
            start = time.perf_counter()
            session.run(inputs)
            if number:  # the first warms up
                seconds[way].append(time.perf_counter() - start)
    times = {way: round(1000 * statistics.median(s), 1) for way, s in seconds.items()}
    return {"size": size, "ms": times}


def _list_networks(store: Path, measured: str, folder: Path) -> None:
    """Puts the shipped networks into a store of the user's, whose rows count before the shipped
    ones: the measured one with its int8 file, the others with float32 for it.
    """
    store.mkdir(parents=True, exist_ok=True)
    int8 = folder / f"{measured}.int8.onnx"
    for name, weights in all_weights().items():
        if weights.recipe:
            files = [SHIPPED / weights.file]
            row = replace(weights, int8=weights.file, int8_sha256="")
            if name == measured:
                row = replace(row, int8=int8.name if int8.is_file() else "")
                files += [int8] * int8.is_file()
            for file in files:
                if not (store / file.name).exists():
                    (store / file.name).symlink_to(file)
            add(name, row)


def _keep(name: str, row: dict[str, Any]) -> None:
    """Puts the network's row into the results."""
    report = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"networks": {}}
    machine = describe_machine()
    told = {
        "date": date.today().isoformat(),
        "machine": f"{machine['system']}, {machine['processor']}, {machine['threads']} threads",
        "packages": machine["versions"],
    }
    before = report["networks"].get(name, {})
    networks = {**report["networks"], name: {**before, **told, **row}}
    print(f"{name}: {row['ms']} ms", flush=True)
    report = {"networks": dict(sorted(networks.items()))}
    write_file(RESULTS, (json.dumps(report, indent=1) + "\n").encode(), overwrite=True)


if __name__ == "__main__":
    main()
