"""`matte serve` against library calls: one request, many clients, a k slider, a brush, memory.

    python benchmarks/serving.py DATA [--only once many slider brush memory] [--json FILE]

The server is a process of its own, reached over a socket; networks are loaded on both sides, and
results are compared before anything is timed. "once": a 1080p photo, from its file's bytes to the
composite's, in one request and in one library call, in turns. "many": 200 portraits from one client
and from eight; every answer has to be there and to be the same. "slider": on a 12 MP photo, values
of k that were not asked for before, as a preview and in full, against a whole `matte refine`.
"brush": strokes on 2 % of the band, against all of it, and what differs from refining the changed
trimap anew. "memory": what 1,000 requests leave behind. large.py makes the large photos; each part
replaces that part of results/serving.json.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import harness
import httpx
import numpy as np
from harness import Row
from scenes import PORTRAITS, entries_of
from serving_bench import MAX_PIXELS, Bench, jpeg, pixels, serving
from serving_strokes import brush

import matte
from matte.arrays import Image
from matte.media.encoding import encode
from matte.media.pictures import decode_photo

COLOUR = "#205080"
CLIENTS = 8
WARM_UP = 100  # requests before memory counts
MEMORY_SIDE = 320  # pixels
SLIDER = (5, 9, 13, 17, 21, 7, 11, 15, 19)
MIB = 1 << 20


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "serving.json")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--kind", choices=("portrait", "strands"), default="strands")
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--photos", type=int, default=200, help="of many")
    parser.add_argument("--requests", type=int, default=1000, help="of memory, after the warm-up")
    options = parser.parse_args()
    pipeline = matte.load(options.preset)
    with serving(options.preset) as client:
        bench = Bench(client, pipeline, options)
        for part in options.only:
            row = {"preset": options.preset, **PARTS[part](bench)}
            print(f"{part}: {json.dumps(row)}", flush=True)
            if options.json is not None:
                harness.write_part(options.json, part, row)


def once(bench: Bench) -> Row:
    """Time one request against one library call."""
    data = jpeg(bench.large(2.0736).image)

    def ask() -> bytes:
        form = {"bg": COLOUR, "format": "png"}
        answer = bench.client.post("/v1/matte", files={"image": ("a.jpg", data)}, data=form)
        answer.raise_for_status()
        return answer.content

    def call() -> bytes:
        photo = decode_photo(data, "a.jpg", MAX_PIXELS)
        result = bench.pipeline(photo)
        composed = matte.composite(result.foreground, result.alpha, COLOUR)
        return bytes(encode(composed, ".png", photo.profile, photo.exif))

    assert (pixels(ask()) == pixels(call())).all(), "the server's result is another"
    times = harness.time_in_turns({"request": ask, "call": call}, bench.options.rounds, warm_up=2)
    found = {name: spread.median for name, spread in times.items()}
    ratio = round(found["request"] / found["call"], 3)
    return {"ms": found, "ratio": ratio, "target": 1.1}


def many(bench: Bench) -> Row:
    """Time many photos from one client and from several at once."""
    entries = entries_of(bench.data, PORTRAITS)
    files = [jpeg(decode_photo(e.picture.read_bytes(), "", MAX_PIXELS).pixels) for e in entries]
    photos = [files[n % len(files)] for n in range(bench.options.photos)]

    def ask(data: bytes) -> tuple[float, bytes]:
        begin = time.perf_counter()
        form = {"bg": COLOUR, "format": "jpeg"}
        answer = bench.client.post("/v1/matte", files={"image": ("a.jpg", data)}, data=form)
        answer.raise_for_status()
        return time.perf_counter() - begin, answer.content

    for photo in photos[:3]:
        ask(photo)
    begin = time.perf_counter()
    alone = [ask(photo) for photo in photos]
    middle = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        together = list(pool.map(ask, photos))
    end = time.perf_counter()
    same = [a[1] == b[1] for a, b in zip(alone, together, strict=True)]
    assert all(same), f"{same.count(False)} answers are others"
    single = statistics.median(seconds for seconds, _ in alone)
    slow = float(np.percentile([seconds for seconds, _ in together], 95))
    rates = len(photos) / (middle - begin), len(photos) / (end - middle)
    return {
        "photos": len(photos),
        "lost": len(photos) - len(together),
        "photos_per_s": {"one client": round(rates[0], 3), "8 clients": round(rates[1], 3)},
        "throughput_ratio": round(rates[1] / rates[0], 3),
        "p95_of_singles": round(slow / single, 2),
        "targets": {"throughput_ratio": 0.95, "p95_of_singles": 10},
    }


def slider(bench: Bench) -> Row:
    """Time values of k on a large photo: previews, and results in full."""
    data = jpeg(bench.large(bench.options.megapixels).image)
    place = bench.upload(data)
    bench.get(f"{place}/composite", quick=1, format="webp", k=3)
    bench.get(f"{place}/alpha", k=3)

    def times_of(result: str, kernels: Sequence[int], **values: object) -> list[float]:
        found = []
        for k in kernels:
            begin = time.perf_counter()
            bench.get(f"{place}/{result}", k=k, **values)
            found.append(1000 * (time.perf_counter() - begin))
        return found

    previews = times_of("composite", SLIDER, quick=1, format="webp")
    full, fresh = [], []
    with tempfile.TemporaryDirectory() as folder:
        for k in SLIDER[: max(2, bench.options.rounds // 2)]:
            alpha = Path(folder, f"alpha-{k}.png")
            full += times_of("alpha", [k])
            photo, trimap = Path(folder, f"photo-{k}.jpg"), Path(folder, f"trimap-{k}.png")
            photo.write_bytes(data)
            trimap.write_bytes(bench.get(f"{place}/trimap", k=k).content)
            fresh.append(refine_process(photo, trimap, alpha, bench.options.preset))
            served = pixels(bench.get(f"{place}/alpha", k=k).content)
            assert (served == pixels(alpha.read_bytes())).all(), "another alpha than matte refine's"
    medians = {"preview": previews, "full": full, "matte refine": fresh}
    return {
        "megapixels": bench.options.megapixels,
        "ms": {name: round(statistics.median(values)) for name, values in medians.items()},
        "preview_worst_ms": round(max(previews)),
        "full_ratio": round(statistics.median(full) / statistics.median(fresh), 3),
        "targets": {"preview_ms": "300 with bf16 or VNNI, 500 with AVX2", "full_ratio": 1},
    }


def refine_process(photo: Path, trimap: Path, alpha: Path, preset: str) -> float:
    """Return the milliseconds of a whole `matte refine`."""
    words = [sys.executable, "-m", "matte", "refine", photo, trimap, "-o", alpha, "--quiet"]
    begin = time.perf_counter()
    subprocess.run([*map(str, words), "--preset", preset], check=True, env=os.environ)
    return 1000 * (time.perf_counter() - begin)


def memory(bench: Bench) -> Row:
    """Return how much the server's memory grows over many requests of all kinds."""
    entries = entries_of(bench.data, PORTRAITS)
    files = []
    for entry in entries:
        whole = decode_photo(entry.picture.read_bytes(), "", MAX_PIXELS).pixels
        files.append(jpeg(Image(np.ascontiguousarray(whole[:MEMORY_SIDE, :MEMORY_SIDE]))))
    samples = []
    every = max(1, bench.options.requests // 10)
    for number in range(WARM_UP + bench.options.requests):
        data = files[number % len(files)]
        if number % 2:
            place = bench.upload(data)
            bench.get(f"{place}/composite", bg="white", k=3 + 2 * (number % 9))
            bench.client.delete(place)
        else:
            sent = bench.client.post("/v1/matte", files={"image": ("a.jpg", data)})
            sent.raise_for_status()
        if number >= WARM_UP - 1 and (number - WARM_UP + 1) % every == 0:
            samples.append(resident_mib(bench.client))
    return {
        "requests": bench.options.requests,
        "mib": [round(sample, 1) for sample in samples],
        "growth_mib": round(samples[-1] - samples[0], 1),
        "target": 30,
    }


def resident_mib(client: httpx.Client) -> float:
    """Return the memory that the server holds, by its own metrics."""
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("matte_resident_memory_bytes "):
            return float(line.split()[1]) / MIB
    raise ValueError("the server does not tell its memory")


PARTS: dict[str, Callable[[Bench], Row]] = {
    "once": once,
    "many": many,
    "slider": slider,
    "brush": brush,
    "memory": memory,
}


if __name__ == "__main__":
    main()
