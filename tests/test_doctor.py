"""What the doctor says of runtimes, GPUs and choices."""

import importlib.util
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from matte import doctor
from matte.configs.settings import RuntimeSettings
from matte.doctor import EXTRAS, ExaminedPart, examine
from matte.pipeline.networks import open_weights
from matte.runtime import backends
from matte.runtime.gpus import NO_NVIDIA_GPU, nvidia_gpus
from matte.runtime.processor import ProcessorAbilities
from matte.weights.store import find_weights
from tests.conftest import SetAbilities

ROOT = Path(__file__).parents[1]
FOR_DEVELOPERS = {"dev", "notebook"}


def findings() -> dict[str, ExaminedPart]:
    return {part.name: part for part in examine()}


@pytest.mark.parametrize("vnni", [True, False])
def test_devices_precisions_and_missing_gpus_are_said(
    vnni: bool, set_abilities: SetAbilities
) -> None:
    set_abilities(ProcessorAbilities(vnni=vnni))
    found = findings()
    on_cpu = "cpu (fp32, int8)" if vnni else "cpu (fp32)"
    assert on_cpu in found["runtime onnx"].details
    assert "runs 'person' on cpu" in found["runtime onnx"].details
    assert "runs 'person' on cpu" not in found["runtime torch"].details  # it is only for GPUs
    assert found["gpu"].details == (", ".join(nvidia_gpus()) or NO_NVIDIA_GPU)
    if not nvidia_gpus():
        assert "no GPU: " in found["runtime openvino"].details
        assert not found["runtime onnx-tensorrt"].works
        assert not found["runtime onnx-tensorrt"].needed


def test_what_auto_has_chosen_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    execution = open_weights(find_weights("segmenter", "person-light"), RuntimeSettings()).execution
    details = findings()["auto person-light"].details
    assert details == f"{execution}: {execution.why}"


def test_a_runtime_that_is_not_there_has_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.util.find_spec("no_such_package") is None
    monkeypatch.setitem(backends.BACKEND_PACKAGES, "torch", "no_such_package")
    found = findings()["runtime torch"]
    assert (found.works, found.remedy) == (False, "run pip install '.[torch]' in matte's checkout")


def test_extras_are_those_of_the_package_with_what_they_bring() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        extra: {re.split(r"[\[<>=]", each)[0] for each in packages if "mattekit" not in each}
        for extra, packages in project["optional-dependencies"].items()
        if extra not in FOR_DEVELOPERS
    }
    assert {extra: set(packages) for extra, (_, packages) in EXTRAS.items()} == extras


def test_an_extra_is_there_with_all_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRAS, "serve", ("a test", ("click", "no-such-package")))
    monkeypatch.setitem(EXTRAS, "exr", ("a test", ("click", "numpy")))
    monkeypatch.setitem(EXTRAS, "heif", ("a test", ("no-such-heif",)))
    monkeypatch.setitem(doctor.REPLACEMENTS, "no-such-heif", "click")
    found = findings()
    serve = found["extra serve"]
    assert (serve.works, serve.needed) == (False, False)
    assert serve.details == "for a test; no-such-package not installed"
    assert serve.remedy == "run pip install '.[serve]' in matte's checkout"
    for extra in ("exr", "heif"):
        assert found[f"extra {extra}"].works
        assert found[f"extra {extra}"].details == f"for a test; click {version('click')}"
