"""A server's address, and who may use it."""

import pytest

from matte.errors import SettingError
from matte.server.options import is_loopback
from tests.server.running import quick_options


def test_who_reaches_an_address() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "[::1]", "127.8.9.1"):
        assert is_loopback(host)
    for host in ("0.0.0.0", "::", "192.168.1.2", "box.example"):
        assert not is_loopback(host)
    quick_options(host="0.0.0.0", token="x" * 9).check_access(open_to_all=False)
    quick_options(host="0.0.0.0").check_access(open_to_all=True)
    with pytest.raises(SettingError, match="everybody"):
        quick_options(host="0.0.0.0").check_access(open_to_all=False)
