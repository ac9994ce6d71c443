"""A request that matte signs itself, against the example of AWS's own document."""

from datetime import UTC, datetime

import pytest

from matte.stores.s3_errors import SignedCallError, is_passing
from matte.stores.s3_listing import canonical_query, listed_pages, may_list, signed_headers
from tests.stores.s3_server import S3Server

NOW = datetime(2013, 5, 24, tzinfo=UTC)


@pytest.fixture
def example_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the document, which open nothing."""
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")


@pytest.mark.usefixtures("example_keys")
def test_the_signature_is_that_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    query = canonical_query({"prefix": "J", "max-keys": "2"})
    host = "examplebucket.s3.amazonaws.com"
    headers = signed_headers(host, "/", query, "us-east-1", NOW)
    assert headers["Authorization"].endswith(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    headers = signed_headers(host, "/", query, "us-east-1", NOW)
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-date;x-amz-security-token," in headers["Authorization"]


def test_a_query_is_escaped_as_it_is_signed() -> None:
    assert canonical_query({"b": "a/b c+~", "a": "ü"}) == "a=%C3%BC&b=a%2Fb%20c%2B~"


def test_pages_follow_each_other(s3: S3Server) -> None:
    for name in ("f/a", "f/b//c", "f/d", "g"):
        s3.put("bucket", name, b"1", modified=1.7e9)
    s3.page = 2
    assert may_list()
    pages = list(listed_pages("bucket", "f", None))
    assert [[row["path"] for row in page] for page in pages] == [["f/a", "f/b//c"], ["f/d"]]
    assert pages[0][0]["size"] == 1
    assert int(pages[0][0]["last_modified"].timestamp()) == 1_700_000_000
    assert [row["path"] for row in next(listed_pages("bucket", "", "f/d"))] == ["g"]


def test_what_fails_is_said_as_obstore_says_it(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SignedCallError, match=r"status code: 404 .*NoSuchBucket") as found:
        next(listed_pages("none", "", None))
    assert not is_passing(found.value)
    s3.fault = lambda _: "slow down"
    with pytest.raises(SignedCallError, match="SlowDown") as found:
        next(listed_pages("bucket", "", None))
    assert is_passing(found.value)
    s3.fault = lambda _: "elsewhere"
    s3.calls.clear()
    with pytest.raises(SignedCallError, match="status code: 307"):
        next(listed_pages("bucket", "", None))
    assert s3.calls.total() == 1, "a signature goes to no other server"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(SignedCallError, match="kind: Connect,"):
        next(listed_pages("bucket", "", None))
