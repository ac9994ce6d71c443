"""One line for each fault: cause, remedy, and nothing of what the server sent but its code."""

import pytest

from matte.errors import ExistingObjectError, MissingObjectError, StoreError
from matte.stores.s3_errors import FailedCall, as_store_error, is_passing

CALL = FailedCall("read", "s3://b/x.jpg", "b", "https://host")


class GenericError(Exception):
    """Named as obstore names it."""


class PermissionDeniedError(GenericError):
    pass


def answer(status: int, code: str) -> str:
    return f"status code: {status} Oh: <Error><Code>{code}</Code><Key>HUSH</Key></Error>"


@pytest.mark.parametrize(
    ("error", "line", "passes"),
    [
        (answer(503, "SlowDown"), "can't read s3://b/x.jpg (SlowDown): try again later", True),
        (answer(500, "InternalError"), "(InternalError): try again later", True),
        (answer(400, "RequestTimeout"), "(RequestTimeout): try again later", True),
        (answer(400, "ExpiredToken"), "https://host refuses the credentials (ExpiredToken)", False),
        (answer(405, "Odd"), "(Odd): ask whoever runs the store", False),
        (answer(404, "NoSuchBucket"), "there is no bucket b at https://host: check", False),
        (answer(301, "PermanentRedirect"), "b lies in another region: name it in", False),
        ("http://169.254.169.254/latest HUSH", "no credentials for s3://b/x.jpg: set", False),
        ("kind: Timeout, HUSH", "https://host does not answer in time: check", True),
        ("kind: Connect, HUSH", "https://host can't be reached: check AWS_ENDPOINT_URL", True),
        ("kind: ConnectionReset HUSH", "the connection to https://host broke: check", True),
    ],
)
def test_each_fault_has_its_line(error: str, line: str, passes: bool) -> None:
    raised = GenericError(error)
    assert is_passing(raised) is passes
    found = as_store_error(raised, CALL)
    assert line in str(found)
    assert "HUSH" not in str(found)


def test_faults_that_obstore_has_names_for() -> None:
    denied = PermissionDeniedError(answer(403, "AccessDenied"))
    assert "may not read s3://b/x.jpg (AccessDenied)" in str(as_store_error(denied, CALL))
    assert isinstance(as_store_error(FileNotFoundError("x"), CALL), MissingObjectError)
    exists = type("AlreadyExistsError", (Exception,), {})("x")
    assert isinstance(as_store_error(exists, CALL), ExistingObjectError)
    odd = type("InvalidPathError", (Exception,), {})('{ path: "a//b.jpg", }')
    found = as_store_error(odd, CALL)
    assert type(found) is StoreError
    assert "whose name can't be used (a//b.jpg): rename it" in str(found)
    assert not any(map(is_passing, (denied, exists, odd, FileNotFoundError())))
