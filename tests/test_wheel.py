"""The wheel: built, installed into an empty environment, and run where no checkout is.

`make test-wheel` runs it. It installs packages, by pip's own index and cache, which takes minutes.
"""

import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

import matte
from tests.conftest import SAMPLE

pytestmark = pytest.mark.wheel
ROOT = Path(__file__).parents[1]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    (found,) = folder.iterdir()
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [str(interpreter), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*install, "-c", str(ROOT / "constraints.txt"), str(wheel)], check=True)
    return interpreter


@pytest.fixture
def run(python: Path, tmp_path: Path) -> Run:
    """Runs the environment's `python -m …` in an empty folder, as somebody who has no checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-I", *(str(word) for word in words)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done

    return run


def test_everything_in_the_package_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "matte").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - names == set()
    for ending in ("weights/*.onnx", "configs/presets/*.toml", "configs/recipes/*.toml"):
        assert any(Path(file).match(ending) for file in files), ending
    assert {file.partition("matte/")[2] for file in files} >= {
        "bench/peers.toml",
        "media/samples/astronaut.jpg",
        "pipeline/costs.json",
        "py.typed",
        "weights/catalogue.toml",
        "weights/manifest.toml",
        "weights/rules.toml",
    }
    others = {name.partition("/")[0] for name in names} - {"matte"}
    assert others == {f"mattekit-{matte.__version__}.dist-info"}, "and nothing besides"


def test_distribution_and_command_agree_on_the_version(run: Run) -> None:
    assert run("-m", "matte", "--version").stdout.split()[-1] == matte.__version__
    code = "import sys, importlib.metadata as m; sys.stdout.write(m.version('mattekit'))"
    assert run("-c", code).stdout == matte.__version__


def test_the_demo_picture(run: Run, tmp_path: Path) -> None:
    beach = tmp_path / "beach.jpg"
    subprocess.run([sys.executable, ROOT / "examples/draw_beach.py", beach], check=True)
    code = "import sys, matte; sys.stdout.write(matte.__file__)"
    package = Path(run("-c", code).stdout).parent
    assert ROOT not in package.parents
    words = ("--bg", beach, "-o", "composite.png", "--alpha", "alpha.png", "--quiet")
    run("-m", "matte", package / "media/samples/astronaut.jpg", *words)
    sample = cv2.imread(str(SAMPLE))
    composite = cv2.imread(str(tmp_path / "composite.png"))
    alpha = cv2.imread(str(tmp_path / "alpha.png"), cv2.IMREAD_UNCHANGED)
    assert sample is not None
    assert composite is not None
    assert alpha is not None
    assert composite.shape == sample.shape
    assert 0.2 < (alpha > 250).mean() < 0.8, "there is a subject, and a background"


def test_the_doctor_finds_what_is_needed(run: Run) -> None:
    found = run("-m", "matte", "doctor").stdout
    assert re.search(rf"ok +matte +{re.escape(matte.__version__)}", found)
    assert "onnx" in found, "the runtimes and what they run"


USER = """
import numpy as np
import matte

pipeline: matte.Pipeline = matte.load("fast")
made: matte.Matte = pipeline(np.zeros((8, 8, 3), np.uint8))
alpha = made.alpha
"""


def test_mypy_sees_the_types(python: Path, tmp_path: Path) -> None:
    def errors(source: str) -> str:
        (tmp_path / "user.py").write_text(source)
        words = ("--strict", "--python-executable", str(python), "user.py")
        environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
        done = subprocess.run(
            [sys.executable, "-m", "mypy", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    assert errors(USER).startswith("Success"), errors(USER)
    assert 'has type "Pipeline"' in errors(USER + 'wrong: int = matte.load("fast")\n')
