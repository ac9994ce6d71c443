"""One line for each error and warning, whatever a file is called."""

import pytest

from matte.errors import MatteError, MatteWarning, printable, web_address_error

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


def test_addresses_of_the_web_are_not_printed_for_they_may_hold_keys() -> None:
    error = web_address_error("HTTPS://user:1234@host/a.jpg?key=1234", "picture")
    assert str(error) == "HTTPS:// is on the web: download it first, and give the picture"
