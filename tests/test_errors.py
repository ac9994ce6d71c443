"""One line for each error and warning, whatever a file is called."""

import pytest

from matte.errors import MatteError, MatteWarning, printable

NAMES = {
    "w\nError: forged.png": r"w\nError: forged.png",
    "a\r\x1b[31mb\t.png": r"a\r\x1b[31mb\t.png",
    b"\xff.png".decode(errors="surrogateescape"): r"\xff.png",
    "gnp.\u202e\u2028\x85x": r"gnp.\u202e\u2028\x85x",
    "日本\u3000é ñ.png": "日本\u3000é ñ.png",
}


@pytest.mark.parametrize("name", NAMES, ids=NAMES.values())
def test_what_a_name_may_contain_is_escaped_in_every_message(name: str) -> None:
    assert printable(name) == NAMES[name]
    assert str(MatteError(f"{name} exists", "choose")) == f"{NAMES[name]} exists: choose"
    assert str(MatteWarning(f"{name}: unsure")) == f"{NAMES[name]}: unsure"
    assert MatteError(name).cause == name, "reports have the name itself"
    printable(name).encode()
