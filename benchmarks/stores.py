"""What a library for S3 costs: 1,000 small objects listed, read and written, by obstore and s3fs.

    python benchmarks/stores.py ENDPOINT [--libraries obstore s3fs botocore] [--count N]
        [--json FILE]

ENDPOINT is a server that speaks S3 and has a bucket "bench": moto's (pip install 'moto[server]';
moto_server -p 5123) in a process of its own. A library need not be installed that is not named.
Each library works in a process of its own, in turns with the others; objects have 20 kB. The rows
say how long it was imported, and of all calls of a kind the seconds that passed and those that this
process computed: a Python server takes most of the former, and the latter are what matting lacks.
The last columns are what is on the disk with all that only this library needs, and the memory.

Writes benchmarks/results/stores.json unless --json names another file.
"""

import importlib.metadata
import json
import os
import re
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import harness

BUCKET = "bench"
OBJECT_BYTES = 20_000
# What a library brings along that matte does not have without it.
PACKAGES = {
    "obstore": ("obstore",),
    "s3fs": (
        *("s3fs", "aiobotocore", "botocore", "jmespath", "python-dateutil", "six", "urllib3"),
        *("aioitertools", "wrapt", "fsspec", "aiohttp", "aiosignal", "aiohappyeyeballs"),
        *("frozenlist", "multidict", "propcache", "yarl", "attrs", "idna"),
    ),
    "botocore": ("botocore", "jmespath", "python-dateutil", "six", "urllib3"),
}
Calls = tuple[
    Callable[[str, bytes], object], Callable[[str], bytes], Callable[[str], Sequence[str]]
]


def main() -> None:
    """Measure, print, write."""
    parser = harness.parser(__doc__, "stores.json", data=False)
    parser.add_argument("endpoint", metavar="ENDPOINT")
    parser.add_argument("--libraries", nargs="+", choices=tuple(PACKAGES), default=list(PACKAGES))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--key", default="bench", help="AWS_ACCESS_KEY_ID; moto takes any")
    parser.add_argument("--one", nargs=2, help="LIBRARY THREADS: work in this process")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one[0], int(options.one[1]), options.count)))
        return
    rows = []
    for threads in (1, 16):
        found: dict[str, list[dict[str, float]]] = {name: [] for name in options.libraries}
        for _ in range(options.rounds):
            for name, runs in found.items():
                words = (options.endpoint, "--count", options.count, "--one", name, threads)
                runs.append(harness.run_self(*words, **environment(options.endpoint, options.key)))
        for name, runs in found.items():
            medians = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            row = {"library": name, "version": importlib.metadata.version(name)}
            rows.append(
                {**row, "threads": threads, **medians, "disk MB": round(disk_megabytes(name), 1)}
            )
    harness.show(rows, f"{options.count} objects of {OBJECT_BYTES} bytes, seconds")
    harness.write(options.json, {"count": options.count, "bytes": OBJECT_BYTES, "rows": rows})


def environment(endpoint: str, key: str) -> dict[str, str]:
    """Return what tells every library where to ask."""
    keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "bench"}
    region = {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    return {"AWS_ENDPOINT_URL": endpoint, **keys, **region}


def measure(library: str, threads: int, count: int) -> dict[str, float]:
    """Return what a library takes to be imported, and to write, list and read the objects."""
    begin = time.perf_counter()
    write, read, names_below = CLIENTS[library]()
    found = {"import": round(time.perf_counter() - begin, 3)}
    folder = f"{library}-{os.getpid()}/"
    names, data = [f"{folder}{n:05d}" for n in range(count)], os.urandom(OBJECT_BYTES)

    def timed(what: str, work: Callable[[], Any]) -> Any:
        wall, computed = time.perf_counter(), time.process_time()
        result = work()
        found[what] = round(time.perf_counter() - wall, 3)
        found[f"{what} CPU"] = round(time.process_time() - computed, 3)
        return result

    with ThreadPoolExecutor(threads) as pool:
        timed("put", lambda: list(pool.map(lambda name: write(name, data), names)))
        listed = timed("list", lambda: names_below(folder))
        assert sorted(re.sub(f"^{BUCKET}/", "", name) for name in listed) == names
        assert all(each == data for each in timed("get", lambda: list(pool.map(read, names))))
    found["memory MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def by_obstore() -> Calls:
    """Return the calls of obstore."""
    import obstore
    from obstore.store import S3Store

    store = S3Store(BUCKET, client_options={"allow_http": True})
    return (
        lambda name, data: obstore.put(store, name, data, mode="create"),
        lambda name: bytes(obstore.get(store, name).bytes()),
        lambda below: [row["path"] for page in obstore.list(store, below) for row in page],
    )


def by_s3fs() -> Calls:
    """Return the calls of s3fs, which must not remember its listings."""
    import s3fs

    files = s3fs.S3FileSystem(use_listings_cache=False)
    return (
        lambda name, data: files.pipe_file(f"{BUCKET}/{name}", data, mode="create"),
        lambda name: files.cat_file(f"{BUCKET}/{name}"),
        lambda below: files.find(f"{BUCKET}/{below}"),
    )


def by_botocore() -> Calls:
    """Return the calls of botocore, on which s3fs stands."""
    import botocore.session
    from botocore.config import Config

    client = botocore.session.get_session().create_client(
        "s3", config=Config(max_pool_connections=16)
    )
    pages = client.get_paginator("list_objects_v2")
    return (
        lambda name, data: client.put_object(Bucket=BUCKET, Key=name, Body=data, IfNoneMatch="*"),
        lambda name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read(),
        lambda below: [
            row["Key"]
            for page in pages.paginate(Bucket=BUCKET, Prefix=below)
            for row in page.get("Contents", ())
        ],
    )


CLIENTS = {"obstore": by_obstore, "s3fs": by_s3fs, "botocore": by_botocore}


def disk_megabytes(library: str) -> float:
    """Return the size of a library's files with those of all that it brings along."""
    files: set[Path] = set()
    for package in PACKAGES[library]:
        for file in importlib.metadata.files(package) or ():
            files.add(Path(str(file.locate())))
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


if __name__ == "__main__":
    main()
