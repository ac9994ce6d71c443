"""Whether two versions of matte give the same results, bit for bit.

    PYTHONPATH=OLD python benchmarks/same_results.py DATA --save FOLDER
    PYTHONPATH=NEW python benchmarks/same_results.py DATA --against FOLDER [--only PATTERN]…

Twenty pictures and forty frames of a clip, all below DATA, go through every preset and through the
settings and commands of result_items.py, by ONNX Runtime and by OpenVINO, in fp32 on one thread.
Only what is public is used, so it measures any version from 0.1.0 on.

`--save` writes alphas, and hashes of all else, to FOLDER. `--against` runs the same items again
and prints for each whether it is equal, or the largest and the mean difference; it exits with 1
if any differs. `--only "photo/*fast*"` restricts both; `--list` prints the items' names.
"""

import argparse
import fnmatch
import hashlib
import json
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from result_items import CLIP, PICTURES, PINNED, Array, Item, Results, all_items


def main() -> None:
    """Run the items and save or compare what they return."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="DATA")
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--save", type=Path, metavar="FOLDER")
    task.add_argument("--against", type=Path, metavar="FOLDER")
    task.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", metavar="PATTERN", default=[])
    options = parser.parse_args()
    items = {
        name: item
        for name, item in all_items(options.data.resolve())
        if not options.only or any(fnmatch.fnmatch(name, pattern) for pattern in options.only)
    }
    if options.list:
        print("\n".join(items))
        return
    with tempfile.TemporaryDirectory() as home:
        # Neither the user's settings nor networks that another version compiled take part.
        os.environ["MATTE_HOME"] = home
        if options.save:
            save(items, options.save, options.data)
        elif not compare(items, options.against, options.data):
            raise SystemExit(1)


def compute(item: Item) -> tuple[Results, str]:
    """Return an item's results, and what went wrong if it failed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return item(), ""
    except Exception as error:  # noqa: BLE001  # one item's fault must not end the others
        return {}, f"{type(error).__name__}: {error}"


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's type, shape and values."""
    head = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def inputs_digest(data: Path) -> str:
    """Return one SHA-256 of all the pictures and the clip that are read."""
    names = sorted({*PICTURES, CLIP})
    return hashlib.sha256(b"".join((data / name).read_bytes() for name in names)).hexdigest()


def array_file(folder: Path, name: str) -> Path:
    """Return the file in which an item's alphas lie."""
    return folder / f"{name.replace('/', '--')}.npz"


def save(items: dict[str, Item], folder: Path, data: Path) -> None:
    """Compute the items and write their hashes and alphas; items not named keep theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest_file = folder / "manifest.json"
    manifest = json.loads(manifest_file.read_text()) if manifest_file.exists() else {"items": {}}
    manifest |= {"inputs": inputs_digest(data), "package": package_folder(), **PINNED}
    for name, item in items.items():
        started = time.perf_counter()
        results, fault = compute(item)
        hashes = {part: digest(array) for part, array in results.items()}
        manifest["items"][name] = {"hashes": hashes, "fault": fault}
        alphas: Any = {part: array for part, array in results.items() if part.startswith("alpha")}
        if alphas:
            np.savez_compressed(array_file(folder, name), **alphas)
        manifest_file.write_text(json.dumps(manifest, indent=1) + "\n")
        print(f"{name}: {fault or 'saved'}, {time.perf_counter() - started:.1f} s", flush=True)


def compare(items: dict[str, Item], folder: Path, data: Path) -> bool:
    """Compute the items, print how they differ from the saved ones, and return if none does."""
    manifest = json.loads((folder / "manifest.json").read_text())
    if manifest["inputs"] != inputs_digest(data):
        raise SystemExit(f"the pictures below {data} are not those that {folder} was made from")
    print(f"{package_folder()} against {manifest['package']}", flush=True)
    different = []
    for name, item in items.items():
        saved = manifest["items"].get(name)
        if saved is None:
            print(f"{name}: not in {folder}", flush=True)
            continue
        results, fault = compute(item)
        findings = differences(results, fault, saved, array_file(folder, name))
        if findings:
            different.append(name)
        print(f"{name}: {'; '.join(findings) or 'equal'}", flush=True)
    print(f"{len(items) - len(different)} of {len(items)} equal; different: {different or 'none'}")
    return not different


def differences(results: Results, fault: str, saved: dict[str, Any], file: Path) -> list[str]:
    """Return a line for each array that is not the saved one, and for what failed only now."""
    if fault or saved["fault"]:
        now, before = (text or "no fault" for text in (fault, saved["fault"]))
        return [] if now == before else [f"{now}, was {before}"]
    lines = []
    for part in sorted({*results, *saved["hashes"]}):
        if part not in results or part not in saved["hashes"]:
            lines.append(f"{part} {'is new' if part in results else 'is missing'}")
        elif digest(results[part]) != saved["hashes"][part]:
            lines.append(f"{part} differs{amount(results[part], part, file)}")
    return lines


def amount(array: Array, part: str, file: Path) -> str:
    """Return in words how far an array is from the saved one, if that was saved whole."""
    if not part.startswith("alpha"):
        return ""
    saved = np.load(file)[part]
    if saved.shape != array.shape or saved.dtype != array.dtype:
        return f": {saved.dtype} {saved.shape} became {array.dtype} {array.shape}"
    apart = np.abs(array.astype(np.float64) - saved)
    where = ""
    if apart.ndim == 3:
        frames = np.flatnonzero(apart.reshape(len(apart), -1).any(axis=1))
        where = f", in {len(frames)} frames from number {frames[0]} on"
    return f" by at most {apart.max():.3g}, {apart.mean():.3g} on average{where}"


def package_folder() -> str:
    """Return where the matte that is measured lies."""
    import matte

    return str(Path(matte.__file__).parent)


if __name__ == "__main__":
    main()
