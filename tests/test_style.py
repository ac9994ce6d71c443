"""The house rules that no linter knows: lengths, names of classes, a test file for each module.

Each list of exceptions holds what broke a rule when it was made. It only shrinks.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("matte", "benchmarks", "examples", "tests")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 60

LONG_MODULES: set[str] = set()
LONG_FUNCTIONS: set[str] = set()
SHARED_CLASS_NAMES: set[str] = set()
# Modules that hold declarations only, or that the tests of another module walk.
WITHOUT_TEST_FILE = {
    "bench/launcher.py",
    "bench/worker.py",
    "conversion/int8_graphs.py",
    "conversion/modnet_export.py",
    "conversion/refiner_export.py",
    "conversion/torch2trt.py",
    "errors.py",
    "evaluation/sheet.py",
    "evaluation/table.py",
    "gpu/colours.py",
    "gpu/trimap.py",
    "modnet/backbones.py",
    "modnet/checkpoint.py",
    "refiner/attention.py",
    "refiner/checkpoint.py",
    "runtime/engine_builder.py",
    "segmentation/deeplab_unet.py",
    "stages.py",
}


@cache
def sources() -> dict[str, str]:
    """The text of every Python file by its path in the checkout."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


@cache
def nodes(path: str) -> tuple[ast.AST, ...]:
    """All nodes of a file's syntax tree, parsed once for all rules."""
    return tuple(ast.walk(ast.parse(sources()[path])))


def function_lengths(path: str) -> Iterator[tuple[str, int]]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{path}:{node.name}", node.end_lineno - node.lineno + 1


def test_no_module_is_long() -> None:
    lengths = {path: len(text.splitlines()) for path, text in sources().items()}
    long = {path: n for path, n in lengths.items() if n > MAX_MODULE_LINES}
    assert {path: n for path, n in long.items() if path not in LONG_MODULES} == {}


def test_no_function_is_long() -> None:
    lengths = dict(pair for path in sources() for pair in function_lengths(path))
    long = {name: n for name, n in lengths.items() if n > MAX_FUNCTION_LINES}
    assert {name: n for name, n in long.items() if name not in LONG_FUNCTIONS} == {}


def test_no_two_classes_share_a_name() -> None:
    places = defaultdict(list)
    for path in package():
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    shared = {name: found for name, found in places.items() if len(found) > 1}
    assert {n: found for n, found in shared.items() if n not in SHARED_CLASS_NAMES} == {}


def test_every_module_has_a_test_file_of_its_name() -> None:
    modules = [path.removeprefix("matte/") for path in package() if "/__" not in path]
    lacking = {
        module
        for module in modules
        if not (ROOT / "tests" / Path(module).parent / f"test_{Path(module).name}").is_file()
    }
    assert lacking - WITHOUT_TEST_FILE == set()


def test_tests_import_nothing_from_test_files() -> None:
    for path in sources():
        for node in nodes(path):
            if isinstance(node, ast.ImportFrom) and node.module:
                words = node.module.split(".")
                of_a_test = words[0] == "tests" and words[-1].startswith("test_")
                assert not of_a_test, f"{path} imports from {node.module}"


def package() -> list[str]:
    return [path for path in sources() if path.startswith("matte/")]
