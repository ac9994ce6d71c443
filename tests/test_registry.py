import doctest
from importlib import import_module

import pytest

import matte
from matte import registry
from matte.cli.main import COMMANDS
from matte.errors import SettingError
from matte.refiner import REFINERS
from matte.registry import nearest, resolve
from matte.runtime.backends import BACKEND_PACKAGES, BACKENDS, DEVICE_PRECISIONS
from matte.segmentation.network import ARCHITECTURES

TABLES = {
    "architecture": ARCHITECTURES,
    "abilities": DEVICE_PRECISIONS,
    "backend": BACKENDS,
    "command": COMMANDS,
    "public name": matte._HOMES,
    "refiner": REFINERS,
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in TABLES.items() for name in table]
)
def test_every_name_stands_for_something(kind: str, name: str) -> None:
    assert callable(resolve(kind, TABLES[kind], name))


def test_tables_are_sorted_and_complete() -> None:
    for table in TABLES.values():
        assert list(table) == sorted(table)
    assert set(BACKEND_PACKAGES) == set(BACKENDS) == set(DEVICE_PRECISIONS)
    assert list(matte.__all__) == sorted(matte._HOMES)


def test_a_mistyped_name_meets_the_nearest() -> None:
    with pytest.raises(SettingError, match="no refiner 'guide': did you mean 'guided'"):
        resolve("refiner", REFINERS, "guide")
    assert nearest("xyz", ["b", "a"]) == "choose from a, b"


def test_unknown_public_names_are_attribute_errors() -> None:
    module = import_module("matte")
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        module.lod  # noqa: B018  # looking it up is the test


def test_the_example_runs_as_written() -> None:
    assert doctest.testmod(registry).failed == 0
