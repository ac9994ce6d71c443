"""The page of promises names tests that are there, and each promise has one."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "promises.md"
ROWS = [
    line
    for line in PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| promise |")
]


@cache
def names_of_tests(file: str) -> frozenset[str]:
    """The names of the test functions of a file, also of those in classes."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:50])
def test_each_promise_has_tests_that_are_there(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert len(cells) == 3, row
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", cells[2])
    assert named, "no test proves it"
    assert cells[2].count("`") == 2 * len(named)
    assert not [f"{file}::{test}" for file, test in named if test not in names_of_tests(file)]
    for file in re.findall(r"`(matte/[\w/]+\.py)`", cells[1]):
        assert (ROOT / file).is_file()


def test_the_readme_links_the_page() -> None:
    assert "docs/promises.md" in (ROOT / "README.md").read_text(encoding="utf-8")
