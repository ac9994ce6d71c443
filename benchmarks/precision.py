"""Whether the shipped networks are as good in bf16 and int8 as in fp32, and how much faster.

    python benchmarks/precision.py DATA [NAME…] [--int8 FOLDER] [--pictures N | --times]
    python benchmarks/precision.py DATA [NAME…] --make-int8 FOLDER

Measures each network on what its recipe holds back, as score_weights.py does, in fp32, bf16 and
int8 on OpenVINO, and in int8 on ONNX Runtime: the same file, other arithmetic. A network is as good
in a precision if no metric is worse by over half a percent over all its pictures, nor by over one
in any set of 25 pictures or more; then it may stand in `accurate_precisions` of its row of the
manifest. For int8 both runtimes count; a segmenter before a refiner then stays in fp32.

`--make-int8` writes NAME.int8.onnx, calibrated on pictures that the network's recipe trains on;
`--int8` measures the files of a folder, without it those beside the manifest. Renews the networks'
rows of benchmarks/results/precision.json; with --pictures it is a try, and with --times only the
times in the rows are renewed: scores don't mind a busy machine, times do.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import harness
from harness import Row
from held_back import trained_on
from score_weights import ScoringOptions, measure_network, shipped_names

from matte.configs.settings import RuntimeSettings
from matte.conversion.quantise import MAX_PICTURES, quantise_weights
from matte.errors import MatteError
from matte.files import write_file
from matte.pipeline.networks import as_runtime_network
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.machine import describe_machine
from matte.runtime.opener import open_session
from matte.weights.registering import register_weights
from matte.weights.scores import NetworkScore
from matte.weights.store import (
    SHIPPED_FOLDER,
    Weights,
    all_weights,
    weights_named,
)

RESULTS = harness.RESULTS / "precision.json"
MAX_LOSS = 0.005  # of a metric over all pictures
MAX_LOSS_IN_A_SET = 0.01
LEAST_PICTURES = 25  # of a set, for it to count alone
HIGHER_IS_BETTER = ("miou", "accuracy")
ROUNDS = 15
REFINER_SIZE = 512

BackendAndPrecision = tuple[Literal["openvino", "onnx"], Literal["fp32", "bf16", "int8"]]
EXACT = "fp32"
MEASURED: dict[str, BackendAndPrecision] = {
    EXACT: ("openvino", "fp32"),
    "bf16": ("openvino", "bf16"),
    "int8": ("openvino", "int8"),
    "int8 on onnx": ("onnx", "int8"),
}
TIMED: dict[str, BackendAndPrecision] = {"fp32 on onnx": ("onnx", "fp32"), **MEASURED}


def main() -> None:
    """Measure, print, write; or make the int8 files."""
    parser = harness.parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--int8", type=Path, default=SHIPPED_FOLDER)
    parser.add_argument("--make-int8", type=Path, metavar="FOLDER")
    parser.add_argument("--pictures", type=int, default=0)
    options = parser.parse_args()
    names = options.names or shipped_names()
    if options.make_int8:
        try:
            make_int8(names, options.data, options.make_int8)
        except MatteError as error:
            parser.exit(1, f"Error: {error}\n")
        return
    scoring = ScoringOptions(options.data, options.pictures)
    with tempfile.TemporaryDirectory() as home:
        os.environ["MATTE_HOME"] = home
        for name in names:
            list_networks(Path(home) / "weights", name, options.int8.resolve())
            if options.times:
                save_row(name, forward_times(weights_named(name)))
                continue
            row = compare_precisions(name, scoring)
            good = ", ".join(row["as_good_in"]) or "none"
            print(f"{name}: as good as fp32 in {good}", flush=True)
            if not options.pictures:
                save_row(name, row)


def make_int8(names: Sequence[str], data: Path, folder: Path) -> None:
    """Write the int8 files of networks and print how far they are from fp32."""
    for name in names:
        path = folder / f"{name}.int8.onnx"
        pictures = trained_on(name, data, MAX_PICTURES)
        done = quantise_weights(weights_named(name), pictures, path, overwrite=True)
        farthest = max(done.differences, key=lambda difference: difference.mean)
        far = f"at most {farthest.mean:.4f} from fp32 on average ({farthest.runtime})"
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {done.pictures} pictures; {far}")


def compare_precisions(name: str, options: ScoringOptions) -> Row:
    """Return a network's scores and times in each precision."""
    weights = weights_named(name)
    asked = {way: pair for way, pair in MEASURED.items() if pair[1] != "int8" or weights.int8}
    scores: dict[str, Sequence[NetworkScore]] = {
        way: measure_network(name, replace(options, precision=precision, backend=backend)).scores
        for way, (backend, precision) in asked.items()
    }
    rows: list[Row] = []
    for number, exact in enumerate(scores[EXACT]):
        row: Row = {
            "set": f"{exact.set} {exact.trimaps}".strip(),
            "pictures": exact.pictures,
            "metric": exact.metric,
        }
        for way in asked:
            value = scores[way][number].value
            loss = loss_of(exact.metric, value, exact.value)
            row[way] = value if way == EXACT else {"value": value, "worse": round(loss, 5)}
        rows.append(row)
    harness.show(rows, name)
    return {"as_good_in": as_good_in(rows), **forward_times(weights), "scores": rows}


def loss_of(metric: str, value: float, exact: float) -> float:
    """Return by which share a metric is worse than in fp32."""
    change = value / exact - 1 if exact else 0.0
    return -change if metric in HIGHER_IS_BETTER else change


def as_good_in(rows: Sequence[Mapping[str, object]]) -> list[str]:
    """Return the precisions in which a network with these scores is as good as in fp32."""
    good = dict.fromkeys(("bf16", "int8"), True)
    for way, (_, precision) in MEASURED.items():
        if way != EXACT:
            good[precision] &= all(way in row for row in rows) and _is_as_good(rows, way)
    return [precision for precision, fine in good.items() if fine]


def _is_as_good(rows: Sequence[Row | Mapping[str, object]], way: str) -> bool:
    for metric in {row["metric"] for row in rows}:
        sets: list[Row] = [dict(row) for row in rows if row["metric"] == metric]
        exact = sum(row["pictures"] * row[EXACT] for row in sets)
        value = sum(row["pictures"] * row[way]["value"] for row in sets)
        # Phrased so that NaN fails.
        if not (
            loss_of(str(metric), value, exact) <= MAX_LOSS
            and all(
                row[way]["worse"] <= MAX_LOSS_IN_A_SET
                for row in sets
                if row["pictures"] >= LEAST_PICTURES
            )
        ):
            return False
    return True


def forward_times(weights: Weights) -> Row:
    """Return medians of a forward's milliseconds on the sample portrait, in turns."""
    size = weights.size or REFINER_SIZE
    network = as_runtime_network(weights)
    sessions = {}
    for way, (backend, precision) in TIMED.items():
        if precision != "int8" or network.int8:
            settings = RuntimeSettings(backend=backend, device="cpu", precision=precision)
            sessions[way] = open_session(network, settings)
    inputs = portrait_inputs(next(iter(sessions.values())).inputs, 1, size, size)
    calls = {way: partial(session.run, inputs) for way, session in sessions.items()}
    found = harness.time_in_turns(calls, ROUNDS)
    return {"size": size, "ms": {way: round(ms.median, 1) for way, ms in found.items()}}


def list_networks(store: Path, measured: str, folder: Path) -> None:
    """Put the shipped networks into a store of the user's, whose rows count before the shipped
    ones: the measured one with its int8 file, the others with float32 for it.
    """
    store.mkdir(parents=True, exist_ok=True)
    int8 = folder / f"{measured}.int8.onnx"
    for name, weights in all_weights().items():
        if weights.recipe:
            files = [SHIPPED_FOLDER / weights.file]
            row = replace(weights, int8=weights.file, int8_sha256="")
            if name == measured:
                row = replace(row, int8=int8.name if int8.is_file() else "")
                files += [int8] * int8.is_file()
            for file in files:
                if not (store / file.name).exists():
                    (store / file.name).symlink_to(file)
            register_weights(name, row)


def save_row(name: str, row: Row) -> None:
    """Replace a network's row of the results."""
    report = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {"networks": {}}
    machine = describe_machine()
    about = {
        "date": harness.about()["date"],
        "machine": f"{machine['system']}, {machine['processor']}, {machine['threads']} threads",
        "packages": machine["versions"],
    }
    before = report["networks"].get(name, {})
    networks = {**report["networks"], name: {**before, **about, **row}}
    print(f"{name}: {row['ms']} ms", flush=True)
    text = json.dumps({"networks": dict(sorted(networks.items()))}, indent=1)
    write_file(RESULTS, (text + "\n").encode(), overwrite=True)


if __name__ == "__main__":
    main()
