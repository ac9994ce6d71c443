"""Which numbers a run calculates with."""

import warnings

import pytest

from matte.errors import MatteWarning, SettingError
from matte.runtime.processor import ProcessorAbilities
from matte.training import precision
from matte.training.precision import choose_precision

WITH_BF16, WITHOUT = ProcessorAbilities(bf16=True), ProcessorAbilities()


def test_auto_follows_the_processor() -> None:
    assert choose_precision("auto", False, WITH_BF16).name == "bf16-mixed"
    chosen = choose_precision("auto", False, WITHOUT)
    assert str(chosen) == "precision 32-true: this processor has no bfloat16"


@pytest.mark.parametrize(
    ("types", "name"),
    [
        ({"gpu:0": ("fp32", "fp16", "bf16")}, "bf16-mixed"),
        ({"gpu:0": ("fp32", "fp16", "bf16"), "gpu:1": ("fp32", "fp16")}, "32-true"),
    ],
)
def test_auto_follows_the_gpus_where_they_train(
    types: dict[str, tuple[str, ...]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        precision, "torch_device_precisions", lambda: {"cpu": ("fp32", "bf16"), **types}
    )
    assert choose_precision("auto", True, WITHOUT).name == name


def test_bf16_where_there_is_none_is_warned_of_with_the_remedy() -> None:
    with pytest.warns(MatteWarning, match=r"several times slower than fp32: write precision = \"a"):
        assert choose_precision("bf16-mixed", False, WITHOUT).name == "bf16-mixed"


def test_what_suits_the_processor_is_not_warned_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert choose_precision("bf16-mixed", False, WITH_BF16).name == "bf16-mixed"
        assert choose_precision("32-true", False, WITHOUT).name == "32-true"


def test_float16_does_not_become_something_else_on_a_cpu() -> None:
    with pytest.raises(SettingError, match="16-mixed is for GPUs"):
        choose_precision("16-mixed", False, WITH_BF16)
