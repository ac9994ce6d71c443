"""Pack what `make gpu-test` needs, for a machine with a GPU that is reached only by copying files.

    python benchmarks/gpu_bundle.py [BUNDLE.tar.gz]

The bundle is a checkout of the last commit without the networks and pictures that those tests and
benchmarks never open, and wheels.txt with the packages they need in the versions that are tested.
torch is left out: the machine needs one that is built for its GPU. TensorRT is taken if it is
there. Where a bundle is unpacked:

    pip install -r wheels.txt     # with --no-index --find-links WHEELS, if they were copied as well
    PYTHONPATH=$PWD make gpu-test BIN=$(dirname $(which python))
"""

import argparse
import io
import re
import subprocess
import sys
import tarfile
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LEFT_OUT = (
    "docs/images",
    "matte/weights/clothing.onnx",
    "matte/weights/gca-slim-plain.onnx",
    "tests/golden",
)
WHEELS = "wheels.txt"
TESTERS = ("hypothesis", "pytest", "pytest-xdist")  # of the extra `dev`
OF_THE_MACHINE = ("torch", "torchvision")
MAX_MIB = 64  # of what may be copied to the machines that we have met


def main() -> None:
    """Write the bundle, and say how large it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", type=Path, default=ROOT / "build" / "matte-gpu.tar.gz")
    bundle = parser.parse_args().bundle
    bundle.parent.mkdir(parents=True, exist_ok=True)
    write_bundle(bundle)
    size = bundle.stat().st_size / (1 << 20)
    print(f"{bundle}: {size:.1f} MiB")
    if size > MAX_MIB:
        sys.exit(f"that is more than {MAX_MIB} MiB")


def write_bundle(bundle: Path) -> None:
    """Write the tracked files that are needed, as they are on disk, and the list of wheels."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    names = [name for name in listed.stdout.split("\0") if name and not is_left_out(name)]
    lines = "".join(f"{each}\n" for each in wheels()).encode()
    with tarfile.open(bundle, "w:gz") as archive:
        for name in names:
            archive.add(ROOT / name, name)
        about = tarfile.TarInfo(WHEELS)
        about.size = len(lines)
        archive.addfile(about, io.BytesIO(lines))


def is_left_out(name: str) -> bool:
    """Return whether a tracked file is not needed."""
    return any(name == each or name.startswith(f"{each}/") for each in LEFT_OUT)


def wheels() -> list[str]:
    """Return the packages that are needed, and all that those need, as NAME==VERSION, by name."""
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, found, version = line.partition("==")
        if found and not line.startswith("#"):
            pinned[_plain(name)] = version
    ours = [Requirement(each) for each in requires("mattekit") or ()]
    todo = [*TESTERS, *(each.name for each in ours if _applies(each, "torch"))]
    seen: set[str] = set()
    while todo:
        name = _plain(todo.pop())
        if name in seen or name in OF_THE_MACHINE:
            continue
        seen.add(name)
        needed = [Requirement(each) for each in requires(name) or ()]
        todo += [each.name for each in needed if _applies(each)]
    return sorted(f"{name}=={pinned[name]}" for name in seen)


def _applies(requirement: Requirement, extra: str = "") -> bool:
    """Return whether a requirement counts here, with this extra."""
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _plain(name: str) -> str:
    """Return a package's name as indices spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
