"""Writes what a version of TensorRT's Python bindings offers: names and signatures, no code.

    pip download --no-deps -d DIR tensorrt-cu12-bindings==VERSION
    python tests/runtime/snapshot_tensorrt.py DIR/tensorrt_cu12_bindings-VERSION-….whl …

The bindings are a real wheel, but import TensorRT's libraries, which are none. To be imported they
need no more than libraries of those names with the nine functions that they ask for by name; those
are compiled here (cc), and do nothing. The wheel's Python must be the one that runs this.

A snapshot is JSON: for each class what it is derived from, its methods with the overloads of each
([parameters without self, how many may be left out, result]), its other attributes, and its values
if it is an enumeration.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

FUNCTIONS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)
LIBRARIES = ("nvinfer", "nvonnxparser", "nvinfer_plugin")
PACKAGE = "tensorrt_bindings"
PREFIX = re.compile(rf"{PACKAGE}\.tensorrt\.")


def main() -> None:
    """A snapshot beside this file for each wheel."""
    if sys.argv[1:2] == ["--inside"]:
        found = described(import_module(PACKAGE))
        sys.stdout.write(json.dumps(found, sort_keys=True, separators=(",", ":")))
        return
    for wheel in map(Path, sys.argv[1:]):
        version = wheel.name.split("-")[1]
        target = Path(__file__).with_name(f"tensorrt-{version}.json")
        target.write_text(snapshot(wheel, version).replace('},"', '},\n"') + "\n")
        sys.stdout.write(f"{target}, {target.stat().st_size} bytes\n")


def snapshot(wheel: Path, version: str) -> str:
    """What the wheel's bindings say of themselves, imported in a process of their own."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(wheel).extractall(folder)
        source = Path(folder, "empty.c")
        source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in FUNCTIONS))
        for library in LIBRARIES:
            file = f"lib{library}.so.{version.partition('.')[0]}"
            command = ["cc", "-shared", "-fPIC", "-o", str(Path(folder, file)), str(source)]
            subprocess.run([*command, f"-Wl,-soname,{file}"], check=True)
        where = {"LD_LIBRARY_PATH": folder, "PYTHONPATH": folder}
        done = subprocess.run(
            [sys.executable, __file__, "--inside"],
            env={**os.environ, **where},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()


def described(module: Any) -> dict[str, Any]:
    """The module's classes by name."""
    found: dict[str, Any] = {"__version__": module.__version__}
    for name in dir(module):
        thing = getattr(module, name)
        if isinstance(thing, type) and thing.__module__.startswith(PACKAGE):
            _describe(name, thing, found)
    return found


def _describe(name: str, thing: type, found: dict[str, Any]) -> None:
    row: dict[str, Any] = {}
    bases = [b.__name__ for b in thing.__bases__ if b.__module__.startswith(PACKAGE)]
    if bases:
        row["bases"] = bases
    values = getattr(thing, "__members__", None)
    if values:
        row["values"] = sorted(values)
    else:
        for attribute, member in vars(thing).items():
            if attribute.startswith("_") and attribute != "__init__":
                continue
            if isinstance(member, type):
                _describe(f"{name}.{attribute}", member, found)
            elif callable(member) or isinstance(member, staticmethod):
                row.setdefault("methods", {})[attribute] = _overloads(getattr(thing, attribute))
            elif not attribute.startswith("_"):
                row.setdefault("attributes", {})[attribute] = _result(member)
    found[name] = row


def _overloads(method: Any) -> list[list[Any]]:
    """From pybind11's docstrings: `name(self: Class, a: int, b: int = 1) -> Result`."""
    name = method.__name__
    lines = (method.__doc__ or "").splitlines()
    signatures = [s for s in lines if re.match(rf"(\d+\. )?{re.escape(name)}\((?!\*args)", s)]
    return [_signature(text) for text in signatures]


def _signature(text: str) -> list[Any]:
    inside, _, result = text.partition("(")[2].rpartition(") -> ")
    depth, parts = 0, [""]
    for letter in inside:
        depth += (letter in "[(<{") - (letter in "])>}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    named = [part.strip() for part in parts if part.strip()]
    own = [part for part in named if part.partition(":")[0] != "self"]
    optional = sum(" = " in part for part in own)
    return [[part.partition(":")[0] for part in own], optional, PREFIX.sub("", result)]


def _result(member: Any) -> str:
    getter = getattr(member, "fget", None)
    match = re.search(r"-> (.*)", getattr(getter, "__doc__", None) or "")
    return PREFIX.sub("", match[1]) if match else ""


if __name__ == "__main__":
    main()
