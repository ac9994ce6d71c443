from pathlib import Path

import pytest

from matte.bench.candidates import Candidate, find_candidates, networks_of_line
from matte.configs.loader import merge_settings
from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, SettingError
from matte.runtime.execution import NetworkSource
from matte.runtime.processor import ProcessorAbilities
from tests.conftest import SetAbilities

QUANTISED = NetworkSource(Path("a.onnx"), accurate_precisions=("int8",), int8=Path("a-int8.onnx"))
PLAIN = NetworkSource(Path("b.onnx"))
ANY = RuntimeSettings()


def by_name(found: list[Candidate]) -> dict[str, Candidate]:
    return {candidate.name: candidate for candidate in found}


@pytest.mark.parametrize("vnni", [True, False])
def test_int8_runs_where_the_processor_is_exact_in_it(
    vnni: bool, set_abilities: SetAbilities
) -> None:
    set_abilities(ProcessorAbilities(vnni=vnni))
    names = by_name(find_candidates({"segmenter": QUANTISED}, RuntimeSettings(device="cpu")))
    int8 = {"openvino cpu int8", "onnx cpu int8"} if vnni else set()
    assert set(names) == {"auto", "openvino cpu fp32", "onnx cpu fp32"} | int8


def test_a_network_that_lacks_a_precision_stays_in_fp32_and_that_is_said(
    set_abilities: SetAbilities,
) -> None:
    set_abilities(ProcessorAbilities(vnni=True))
    networks = {"segmenter": QUANTISED, "refiner": PLAIN}
    found = by_name(find_candidates(networks, RuntimeSettings(device="cpu")))
    assert next(iter(found)) == "auto"
    mixed, plain = found["openvino cpu int8"], found["openvino cpu fp32"]
    assert mixed.runtimes["segmenter"].precision == "int8"
    assert mixed.runtimes["refiner"].precision == "fp32"
    assert mixed.note == "refiner fp32"
    assert mixed.runtime is None  # no flag of `matte image` asks for it
    assert plain.note == ""
    assert plain.runtime is not None
    assert (plain.runtime.backend, plain.runtime.precision) == ("openvino", "fp32")


def test_only_what_is_asked_for() -> None:
    names = by_name(find_candidates({"segmenter": PLAIN}, RuntimeSettings(device="cpu"), ["onnx"]))
    assert list(names) == ["onnx cpu fp32"]
    found = find_candidates({"segmenter": PLAIN}, RuntimeSettings(threads=3), ["auto"])
    assert [c.runtimes["segmenter"].threads for c in found] == [3]


def test_what_is_asked_for_and_not_there_is_an_error() -> None:
    with pytest.raises(SettingError, match="no runtime 'openvin': did you mean 'openvino'"):
        find_candidates({"segmenter": PLAIN}, ANY, ["openvin"])
    with pytest.raises(BackendError, match="no torch weights"):
        find_candidates({"segmenter": PLAIN}, ANY, ["torch"])
    assert not any("torch" in name for name in by_name(find_candidates({"segmenter": PLAIN}, ANY)))


def test_the_networks_of_a_line() -> None:
    assert list(networks_of_line(merge_settings("balanced").config)) == ["segmenter", "refiner"]
    guided = merge_settings("balanced", flags={"refiner": "guided"}).config
    assert list(networks_of_line(guided)) == ["segmenter"]
    assert list(networks_of_line(merge_settings(flags={"modnet": "modnet"}).config)) == ["modnet"]
