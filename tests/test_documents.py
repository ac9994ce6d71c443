"""What the documents name is there: files, links, layers."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    *ROOT.glob("*.md"),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "decisions").glob("*.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    missing = [
        link for link in links if "://" not in link and not (document.parent / link).exists()
    ]
    assert not missing


def test_architecture_names_files_and_folders_that_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    files = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|toml))`", text))
    assert files
    assert not [
        file for file in files if not any((ROOT / at / file).exists() for at in ("matte", ""))
    ]
    named = set(re.findall(r"^\| `matte/(\w+)` \|", text, re.MULTILINE))
    folders = {path.parent.name for path in (ROOT / "matte").glob("*/__init__.py")}
    assert named == folders


def test_architecture_draws_the_layers_that_are_enforced() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    drawn = re.search(r"^    cli > .*?\n\n", text, re.MULTILINE | re.DOTALL)
    assert drawn is not None
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    layers = [layer for layer in contracts["contracts"][0]["layers"] if layer != "__main__"]
    assert " ".join(drawn[0].split()) == " > ".join(layers)


def test_the_glossary_is_short() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    terms = re.findall(r"^\| ([^|]+) \|", text[text.index("## Glossary") :], re.MULTILINE)
    assert len(terms) - 1 <= 25  # without the head
