import pytest

from matte.errors import StoreError
from matte.stores.protocol import check_name


def test_a_name_is_one_that_any_store_can_hold() -> None:
    assert check_name("folder/a b.jpg") == "folder/a b.jpg"
    assert check_name(".matte-run/x.jsonl") == ".matte-run/x.jsonl"
    with pytest.raises(StoreError, match=r"^'a\\x7f' is no object's name"):
        check_name("a\x7f")
