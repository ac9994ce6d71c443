import sys

import pytest

from matte.errors import BackendError, SettingError, StoreError
from matte.stores.s3 import S3Store
from matte.stores.s3_clients import CallTimes

TIMES = CallTimes(connect=1, first_wait=0.002)


def test_servers_that_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hidden@127.0.0.1:9")
    with pytest.raises(StoreError, match=r"http://127\.0\.0\.1:9 can't be reached: check") as found:
        list(S3Store("bucket", "", TIMES).objects())
    assert "hidden" not in str(found.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    with pytest.raises(SettingError, match="AWS_ENDPOINT_URL is no address: write it as https://"):
        S3Store("bucket").read("a")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(BackendError, match=r"s3:// needs obstore: run pip install '\.\[stores\]'"):
        list(S3Store("bucket").objects())
