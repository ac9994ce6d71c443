"""What goes wrong with a bucket, by what obstore raises: a cause and a remedy, and no secrets.

The library's own texts hold what the server sent, which may be parts of a signature: of them only
the error's code is shown.
"""

import re
from typing import NamedTuple

from matte.errors import ExistingObjectError, MissingObjectError, StoreError

CODE = re.compile(r"<Code>(\w{1,60})</Code>")
STATUS = re.compile(r"status code: (\d{3})")
ODD_NAME = re.compile(r'path: "((?:[^"\\]|\\.)*)"')
INSTANCE_METADATA = "169.254.169.254"  # where obstore asks for credentials if there are none
BAD_KEYS = {
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
PASSING_CODES = {"RequestTimeout", "SlowDown", "Throttling", "InternalError"}


class FailedCall(NamedTuple):
    """What was asked of which store, for a message: "read", "s3://bucket/a.jpg", its server."""

    doing: str
    address: str
    bucket: str
    server: str


class SignedCallError(Exception):
    """A call that matte itself signed and that failed; its text is written as obstore writes it."""


def is_passing(error: Exception) -> bool:
    """Return whether a call may succeed if it is made again."""
    text, name = str(error), type(error).__name__
    if is_upload_over(error):
        return True  # the object is not there: another upload may get through
    if name not in ("GenericError", "SignedCallError") or INSTANCE_METADATA in text:
        return False
    code, status = _code(text), _status(text)
    if code in PASSING_CODES:
        return True
    if status is not None:
        return status in PASSING_STATUS
    return "redirect" not in text and "Missing" not in text


def is_upload_over(error: Exception) -> bool:
    """Return whether an upload in parts is ended or aborted already."""
    return _code(str(error)) == "NoSuchUpload"


def as_store_error(error: Exception, call: FailedCall) -> StoreError:
    """Return the error to raise for what obstore raised."""
    text, name = str(error), type(error).__name__
    code, status = _code(text), _status(text)
    if code == "NoSuchBucket":
        remedy = "check its name, and AWS_ENDPOINT_URL"
        return StoreError(f"there is no bucket {call.bucket} at {call.server}", remedy)
    if isinstance(error, FileNotFoundError) and not is_upload_over(error):
        cause = f"{call.address} is not there, or not any more"
        return MissingObjectError(cause, "list the folder again")
    if name == "AlreadyExistsError":
        remedy = "choose another name or add --overwrite"
        return ExistingObjectError(f"{call.address} exists", remedy)
    if name == "InvalidPathError":
        return _odd_name_error(text, call)
    if INSTANCE_METADATA in text:
        remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        return StoreError(f"no credentials for {call.address}", remedy)
    if code in BAD_KEYS or name == "UnauthenticatedError" or status == 401:
        remedy = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
        return StoreError(f"{call.server} refuses the credentials ({code or status})", remedy)
    if name == "PermissionDeniedError" or status == 403:
        cause = f"these credentials may not {call.doing} {call.address} ({code or status})"
        return StoreError(cause, "use others in AWS_ACCESS_KEY_ID …, or have them allowed to")
    if "redirect" in text or code == "AuthorizationHeaderMalformed" or status in (301, 307):
        return StoreError(f"{call.bucket} lies in another region", "name it in AWS_REGION")
    if status is not None:
        cause = f"can't {call.doing} {call.address} ({code or status})"
        remedy = "try again later" if is_passing(error) else "ask whoever runs the store"
        return StoreError(cause, remedy)
    cause = f"can't {call.doing} {call.address}: {_connection_fault(text, call.server)}"
    return StoreError(cause, "check AWS_ENDPOINT_URL and the network")


def _odd_name_error(text: str, call: FailedCall) -> StoreError:
    """Return the error for a listing with a name in it that obstore refuses."""
    found = ODD_NAME.search(text)
    name = f" ({found.group(1)})" if found else ""
    cause = f"{call.address} holds an object whose name can't be used{name}"
    return StoreError(cause, "rename it, or name a folder without it")


def _connection_fault(text: str, server: str) -> str:
    """Return what is wrong with a connection, in a few words."""
    if "kind: Timeout" in text:
        return f"{server} does not answer in time"
    if "kind: Connect," in text:
        return f"{server} can't be reached"
    return f"the connection to {server} broke"


def _code(text: str) -> str:
    """Return the code that an S3 server gave its error; "" if there is none."""
    found = CODE.search(text)
    return found.group(1) if found else ""


def _status(text: str) -> int | None:
    """Return the status of the server's answer; None if there was none."""
    found = STATUS.search(text)
    return int(found.group(1)) if found else None
