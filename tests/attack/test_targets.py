"""A few inputs of each kind that `make fuzz` makes by the thousand."""

import random
from contextlib import suppress
from pathlib import Path

import pytest

from matte.errors import MatteError
from tests.attack.targets import TARGETS

SLOW = ("h5",)  # a process for each input


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [kind for kind in TARGETS if kind not in SLOW])
def test_damaged_inputs_are_read_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("FUZZ_FOLDER", str(tmp_path))
    monkeypatch.setenv("MATTE_HOME", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    target = TARGETS[kind]
    for number in range(8):
        data = target.make(random.Random(f"{kind} 0 {number}"))
        with suppress(MatteError):
            target.read(data, tmp_path / "work")
