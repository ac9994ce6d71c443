"""Every name of TensorRT that matte uses, in the bindings of TensorRT 10 and 11.

TensorRT itself can't be had wherever tests run. Its bindings were asked what they offer
(snapshot_tensorrt.py); here matte's modules are read, and what they take from TensorRT is looked
up: names, methods, how many arguments and of which names. What a name holds is found from what the
bindings say that a call results in.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / "matte"
SNAPSHOTS = sorted(HERE.glob("tensorrt-1*.json"))
# Calls that must be seen, so that nobody is content with having looked at nothing.
SEEN = {
    "Builder.build_serialized_network",
    "Builder.create_network",
    "IBuilderConfig.clear_flag",
    "IBuilderConfig.set_timing_cache",
    "ICudaEngine.create_execution_context",
    "ICudaEngine.serialize",
    "IExecutionContext.device_memory",
    "IExecutionContext.execute_async_v3",
    "IExecutionContext.set_input_shape",
    "IExecutionContext.set_tensor_address",
    "IOptimizationProfile.set_shape",
    "ITimingCache.serialize",
    "NetworkDefinitionCreationFlag.STRONGLY_TYPED",
    "OnnxParser.parse",
    "ParserError.desc",
    "Runtime.deserialize_cuda_engine",
}


# What the bindings say in C++.
ALIASES = {"nvonnxparser::IParserError": "ParserError"}


def modules() -> list[Path]:
    """Those that import TensorRT."""
    return [file for file in sorted(ROOT.rglob("*.py")) if "import tensorrt as trt" in read(file)]


def read(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("snapshot", SNAPSHOTS, ids=lambda file: file.stem)
def test_all_that_is_used_is_there(snapshot: Path) -> None:
    offered = json.loads(snapshot.read_text())
    seen: set[str] = set()
    for file in modules():
        reader = Reader(offered)
        reader.visit(ast.parse(read(file)))
        assert not reader.missing, f"{file}: {reader.missing}"
        seen |= reader.seen
    assert seen >= SEEN


def test_versions_10_and_11_are_looked_at() -> None:
    versions = {file.stem.split("-")[1].split(".")[0] for file in SNAPSHOTS}
    assert versions == {"10", "11"}
    assert {file.name for file in modules()} == {"engine_builder.py", "tensorrt.py", "torch2trt.py"}


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("trt.Bilder(log)", "trt.Bilder"),
        ("trt.BuilderFlag.FP16", "BuilderFlag.FP16"),
        ("trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH", "NetworkDefinitionCreationFlag.EXPLI"),
        ("b = trt.Builder(log)\nb.build_engine(n, c)", "Builder.build_engine"),
        ("b = trt.Builder(log)\nb.platform_has_fast_fp16", "Builder.platform_has_fast_fp16"),
        ("b = trt.Builder(log)\nb.create_builder_config(1)", "Builder.create_builder_config(1"),
        ("def f(p: trt.OnnxParser):\n p.parse(model=b, paths=c)", "OnnxParser.parse(model, paths"),
        ("c = trt.Builder(log).create_builder_config()\nc.max_workspace_size = 1", "IBuilderConfi"),
    ],
)
def test_what_is_gone_would_be_found(code: str, missing: str) -> None:
    (newest,) = (json.loads(file.read_text()) for file in SNAPSHOTS if "-11." in file.name)
    reader = Reader(newest)
    reader.visit(ast.parse(code))
    assert any(name.startswith(missing) for name in reader.missing), reader.missing


class Reader(ast.NodeVisitor):
    """Looks up what a module takes from TensorRT."""

    def __init__(self, offered: dict[str, Any]) -> None:
        self.offered = offered
        self.kinds: dict[str, str] = {}  # of names and attributes of self, as far as known
        self.seen: set[str] = set()
        self.missing: list[str] = []

    def visit_Module(self, node: ast.Module) -> None:  # ast's name for it
        for each in ast.walk(node):  # what is said of names, wherever that stands
            if isinstance(each, ast.arg) and each.annotation is not None:
                self._note(each.arg, self._annotated(each.annotation))
            if isinstance(each, ast.AnnAssign):
                self._note(self._named(each.target), self._annotated(each.annotation))
        for _ in range(3):  # what names hold depends on what other names hold
            for each in ast.walk(node):
                if isinstance(each, ast.Assign):
                    name = self._named(each.targets[0])
                    self._note(name, self._kind(each.value))
                    if isinstance(each.value, ast.ListComp):
                        self._note(f"{name}[]", self._kind(each.value.elt))
                if isinstance(each, ast.comprehension):
                    self._note(self._named(each.target), self._element(each.iter))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name) and node.value.id == "trt":
            if node.attr != "__version__" and not self._is_there(node.attr):
                self.missing.append(f"trt.{node.attr}")
        elif owner := self._owner(node.value):
            self.seen.add(f"{owner}.{node.attr}")
            if not any(True for _ in self._members(owner, node.attr)):
                self.missing.append(f"{owner}.{node.attr}")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        for owner, name, overloads in self._called(node.func):
            self.seen.add(f"{owner}.{name}")
            given = [keyword.arg for keyword in node.keywords]
            if not any(self._fits(o, len(node.args), given) for o in overloads):
                self.missing.append(f"{owner}.{name}({', '.join(map(str, given))}{len(node.args)}")
        self.generic_visit(node)

    def _called(self, function: ast.expr) -> Iterator[tuple[str, str, list[Any]]]:
        """The class, the method and its overloads, where they are TensorRT's."""
        if not isinstance(function, ast.Attribute):
            return
        made = self._trt(function)
        owner = made or self._owner(function.value)
        name = "__init__" if made else function.attr
        for kind, member in self._members(owner, name) if owner else ():
            # An enumeration is called with any of its values; some constructors tell nothing.
            if kind == "methods" and member:
                yield str(owner), name, member

    def _members(self, owner: str, name: str) -> Iterator[tuple[str, Any]]:
        row = self.offered.get(owner, {})
        for kind in ("methods", "attributes"):
            if name in row.get(kind, {}):
                yield kind, row[kind][name]
        if name in row.get("values", ()) or f"{owner}.{name}" in self.offered:
            yield "values", owner
        for base in row.get("bases", ()):
            yield from self._members(base, name)

    @staticmethod
    def _fits(overload: list[Any], positional: int, named: list[str | None]) -> bool:
        names, optional, _ = overload
        taken = names[:positional]
        return (
            positional <= len(names)
            and all(name in names and name not in taken for name in named)
            and positional + len(named) >= len(names) - optional
        )

    def _is_there(self, name: str) -> bool:
        return name in self.offered

    def _trt(self, node: ast.expr | None) -> str:
        """`trt.Builder` is "Builder"; anything else nothing."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr if node.value.id == "trt" else ""
        return ""

    def _owner(self, node: ast.expr) -> str:
        """The class of TensorRT's that an expression is of, or is."""
        if direct := self._trt(node):
            return direct
        if isinstance(node, ast.Attribute) and (outer := self._trt(node.value)):
            nested = f"{outer}.{node.attr}"
            return nested if nested in self.offered else outer
        return self._kind(node)

    def _kind(self, node: ast.expr) -> str:
        if isinstance(node, ast.Call):
            if made := self._trt(node.func):
                return made if made in self.offered else ""
            if isinstance(node.func, ast.Attribute) and (owner := self._owner(node.func.value)):
                for kind, member in self._members(owner, node.func.attr):
                    if kind == "methods" and member:
                        return str(member[0][2])
        return self.kinds.get(self._named(node), "")

    def _element(self, node: ast.expr) -> str:
        return self.kinds.get(f"{self._named(node)}[]", "")

    def _annotated(self, node: ast.expr) -> str:
        return self._trt(node)

    def _note(self, name: str, kind: str) -> None:
        kind = ALIASES.get(kind, kind)
        if name and kind in self.offered:
            self.kinds[name] = kind

    @staticmethod
    def _named(node: ast.expr) -> str:
        """`engine` and `self._engine`."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{node.value.id}.{node.attr}" if node.value.id == "self" else ""
        return ""
