"""The shipped int8 files."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from matte.configs.settings import RuntimeSettings
from matte.errors import MissingWeightsError
from matte.pipeline.networks import as_runtime_network
from matte.runtime.example_inputs import portrait_inputs
from matte.runtime.opener import open_session
from matte.runtime.processor import ProcessorAbilities, processor_abilities
from matte.weights.cards import model_card
from matte.weights.store import SHIPPED_FOLDER, all_weights, weights_named
from tests.conftest import SetAbilities
from tests.tolerances import INT8_MEAN, INT8_MEAN_WITHOUT_VNNI

WITH_INT8 = [name for name, w in all_weights().items() if w.folder == SHIPPED_FOLDER and w.int8]
NEAR = INT8_MEAN if processor_abilities().vnni else INT8_MEAN_WITHOUT_VNNI
RESULTS = Path(__file__).parents[2] / "benchmarks/results/precision.json"


@pytest.mark.parametrize("name", WITH_INT8)
@pytest.mark.parametrize("backend", ["onnx", "openvino"])
def test_int8_agrees_with_fp32_on_the_sample(
    name: str, backend: str, set_abilities: SetAbilities
) -> None:
    set_abilities(ProcessorAbilities(vnni=True))
    weights = weights_named(name)
    weights.check()
    outputs = {}
    for precision in ("fp32", "int8"):
        settings = RuntimeSettings(
            backend=backend,  # type: ignore[arg-type]  # parametrised
            device="cpu",
            precision=precision,
            threads=1,
        )
        session = open_session(as_runtime_network(weights), settings)
        assert session.execution.precision == precision
        given = portrait_inputs(session.inputs, 1, 320, 256)
        (outputs[precision],) = session.run(given).values()
    apart = np.abs(outputs["int8"] - outputs["fp32"])
    assert 0 < apart.mean() < NEAR


def test_int8_is_taken_only_where_it_measured_as_good() -> None:
    measured = json.loads(RESULTS.read_text())["networks"]
    assert WITH_INT8
    for name, weights in all_weights().items():
        assert ("int8" in weights.accurate_precisions) == bool(weights.int8)
        assert not weights.int8 or "int8" in measured[name]["as_good_in"]


def test_a_damaged_int8_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATTE_HOME", str(tmp_path))
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "own.int8.onnx").write_bytes(b"int8")
    shutil.copy(weights_named("person-light").path, folder / "own.onnx")
    row = '[own]\nfile = "own.onnx"\nkind = "segmenter"\nint8 = "own.int8.onnx"\n'
    manifest = folder / "manifest.toml"
    manifest.write_text(f'{row}int8_sha256 = "{hashlib.sha256(b"int8").hexdigest()}"\n')
    weights_named("own").check()
    manifest.write_text(f'{row}int8_sha256 = "00"\n')
    with pytest.raises(MissingWeightsError, match=r"own\.int8\.onnx is damaged: store it again"):
        weights_named("own").check()
    (folder / "own.int8.onnx").unlink()
    with pytest.raises(MissingWeightsError, match=r"can't read .*own\.int8\.onnx"):
        weights_named("own").check()


def test_cards_tell_it() -> None:
    for name in WITH_INT8:
        assert f"int8 score like fp32 (`{name}.int8.onnx`, " in model_card(name)
