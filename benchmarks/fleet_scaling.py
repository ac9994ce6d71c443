"""What 1 to 1,000 workers of a fleet would do on a bucket: simulated from fleet.json.

    python benchmarks/fleet_scaling.py

Reads the measured times of `fleet.py` (stages, dispatch); writes fleet_scaling.json and its plot.
The bucket's limits are those that Amazon states for S3: 5,500 reads and 3,500 writes a second for
each prefix; 30 ms for a request and 85 MB a second for a connection are assumed, and 12.5 GB a
second (100 Gbit) in all.
"""

import argparse
import json

import harness
from harness import Row

from matte.arrays import Image
from matte.evaluation.chart_pen import BLUE, GREEN, ORANGE, PINK
from matte.evaluation.charts import ChartLine, ChartPanel, draw_charts
from matte.files import write_file
from matte.fleet.items import MAX_BLOCK_JOBS
from matte.fleet.simulation import BlockCost, PictureCost, SimulatedRun, StoreLimits, simulate_fleet
from matte.media.encoding import encode

WORKERS = (1, 10, 100, 300, 600, 1000)
PICTURES_PER_WORKER = 96
ONE_PREFIX = {"reads": 5500.0, "writes": 3500.0}
LATENCY, CONNECTION, ALL_BYTES = 0.03, 85e6, 12.5e9
COLOURS = (BLUE, ORANGE, GREEN, PINK)


def main() -> None:
    """Simulate, write the results and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    measured = json.loads((harness.RESULTS / "fleet.json").read_text())
    lines = {name: simulate_line(measured, *given) for name, given in scenarios().items()}
    report = {
        "limits": {
            **ONE_PREFIX,
            "latency": LATENCY,
            "connection_bytes": CONNECTION,
            "bytes": ALL_BYTES,
        },
        "mean_ms": measured["stages"]["mean_ms"],
        "driver_cpu_ms": measured["dispatch"]["driver_cpu_ms"],
        "block": MAX_BLOCK_JOBS,
        "lines": lines,
    }
    harness.write(harness.RESULTS / "fleet_scaling.json", report)
    picture = draw(lines, measured)
    write_file(harness.IMAGES / "fleet-scaling.png", encode(picture, ".png"), overwrite=True)
    for name, rows in lines.items():
        for row in rows:
            print(f"{name:<40} {row['workers']:>5} {row['rate']:>8.1f} a second  {row['limit']}")


def scenarios() -> dict[str, tuple[int, int]]:
    """Return the prefixes of the bucket and the pictures in a block, by name."""
    return {
        "one prefix": (1, MAX_BLOCK_JOBS),
        "one prefix, blocks of 4": (1, 4),
    }


def simulate_line(measured: Row, prefixes: int, block: int) -> list[Row]:
    """Return the rate of each number of workers, and what is the busiest then."""
    stages, driver = measured["stages"], measured["dispatch"]["driver_cpu_ms"] / 1000
    costs = [
        PictureCost(ms / 1000, stages["read_bytes"], stages["written_bytes"])
        for ms in stages["rows"]
    ]
    store = StoreLimits(
        ONE_PREFIX["reads"] * prefixes,
        ONE_PREFIX["writes"] * prefixes,
        LATENCY,
        ALL_BYTES,
        CONNECTION,
    )
    per_block = BlockCost(block, driver, writes=2)
    rows = []
    for workers in WORKERS:
        run: SimulatedRun = simulate_fleet(
            workers, workers * PICTURES_PER_WORKER, costs, per_block, store
        )
        busy = {name: round(share, 3) for name, share in run.busy.items()}
        rows.append(
            {"workers": workers, "rate": round(run.rate, 2), "limit": run.limit, "busy": busy}
        )
    return rows


def draw(lines: dict[str, list[Row]], measured: Row) -> Image:
    """Draw pictures a second against workers."""
    one = next(iter(lines.values()))[0]["rate"]
    drawn = [ChartLine("if nothing else limited them", [(w, w * one) for w in WORKERS], PINK, True)]
    for (name, rows), colour in zip(lines.items(), COLOURS, strict=False):
        points = [(row["workers"], row["rate"]) for row in rows]
        bent = [row for row in rows if row["limit"] != "workers"]
        why = f": {bent[0]['limit']} bound at {bent[0]['workers']}" if bent else ""
        drawn.append(ChartLine(name + why, points, colour))
    panel = ChartPanel("Simulated fleet", "workers", "pictures a second", drawn, list(WORKERS))
    about = f"{measured['stages']['mean_ms']:g} ms of a processor for a picture of 640 pixels"
    whole = draw_charts("Where a fleet stops scaling", about, [panel])
    return Image(whole[:, : whole.shape[1] // 2 + 40])  # the other half is for a second panel


if __name__ == "__main__":
    main()
