"""The notebook of docs/: short cells by the public names, run from the first to the last.

`make test-notebook` runs it, in a kernel of this environment and a folder of its own.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import matte
from matte.media.pictures import read_image

DOCS = Path(__file__).parents[1] / "docs"
NOTEBOOK, PICTURE = DOCS / "quick.ipynb", DOCS / "images" / "quick.jpg"
MAX_CELL_LINES = 10
# Of the drawn picture from the committed one, in levels of 255. Measured: 0 where nothing changed,
# 0.7 between bf16 and fp32, 2.5 where the band of the trimap is another one.
MAX_MEAN_DIFFERENCE = 1.5
RUN = "from nbclient.cli import main; main()"


def cells() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return found


def test_outputs_are_not_committed() -> None:
    code = [cell for cell in cells() if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)


def test_each_short_cell_has_its_sentence() -> None:
    kinds = [cell["cell_type"] for cell in cells()]
    assert kinds[0] == "markdown"
    assert kinds[1:] == ["markdown", "code"] * (len(kinds) // 2)
    assert all(len(cell["source"]) <= MAX_CELL_LINES for cell in cells())


def test_it_calls_what_is_public() -> None:
    code = "".join("".join(cell["source"]) for cell in cells() if cell["cell_type"] == "code")
    names = set(re.findall(r"\bmatte\.(\w+)", code)) - {"onnx", "toml", "__file__"}
    assert names
    assert names <= set(matte.__all__)
    assert "from matte" not in code


@pytest.mark.notebook
def test_it_runs_and_draws_what_the_docs_show(tmp_path: Path) -> None:
    copy = tmp_path / NOTEBOOK.name
    copy.write_bytes(NOTEBOOK.read_bytes())
    own = {name: str(tmp_path / name) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, copy.name, "--inplace", "--timeout=300"],
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    executed = json.loads(copy.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in executed if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for cell in code:
        assert cell["outputs"], "".join(cell["source"])
        assert not any(output.get("name") == "stderr" for output in cell["outputs"]), cell[
            "outputs"
        ]
    drawn, committed = tmp_path / "quick.jpg", PICTURE
    difference = np.abs(read_image(drawn).astype(float) - read_image(committed)).mean()
    assert difference <= MAX_MEAN_DIFFERENCE, f"if that is meant: cp {drawn} {committed}"
