"""Listings of folders that hold names which obstore refuses, a whole page for each of them.

S3 knows names with empty parts (`a//b.jpg`), with `..` and with control characters. This asks for
the listing by itself, signed as AWS wants it (Signature Version 4), with the keys
that are set.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote_plus, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from xml.etree import ElementTree

from matte.limits import MAX_LISTING_BYTES, MAX_SILENCE_SECONDS
from matte.stores.s3_errors import SignedCallError
from matte.stores.s3_settings import has_keys, s3_keys, s3_region, s3_server

NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()  # of the body of a request without one
Row = dict[str, Any]  # as obstore's


class _NoRedirects(HTTPRedirectHandler):
    """Follows to no other server, which would get the signature."""

    def redirect_request(self, *_: Any) -> None:
        """Return no request."""


def may_list() -> bool:
    """Return whether there are keys to sign a request with."""
    return has_keys(s3_keys())


def listed_pages(bucket: str, folder: str, after: str | None) -> Iterator[list[Row]]:
    """Yield the pages of a listing, from behind a name on; raise SignedCallError."""
    query = {"list-type": "2", "encoding-type": "url", "prefix": f"{folder}/" if folder else ""}
    query |= {"start-after": after} if after else {}
    while True:
        root = _asked(bucket, query)
        yield [_row(each) for each in root.iterfind("{*}Contents")]
        token = root.findtext("{*}NextContinuationToken")
        if not token:
            return
        query = {**query, "continuation-token": token}


def _row(item: ElementTree.Element) -> Row:
    """Return what a listing says of an object; a folder's mark has no slash at its end."""
    modified = item.findtext("{*}LastModified") or "1970-01-01T00:00:00Z"
    return {
        "path": unquote_plus(item.findtext("{*}Key") or "").removesuffix("/"),
        "size": int(item.findtext("{*}Size") or 0),
        "last_modified": datetime.fromisoformat(modified),
    }


def _asked(bucket: str, query: Mapping[str, str]) -> ElementTree.Element:
    """Return the server's answer to a request for a bucket's listing."""
    region = s3_region() or "us-east-1"
    url = urlsplit(s3_server() or f"https://s3.{region}.amazonaws.com")
    host = url.netloc.rpartition("@")[2]
    path = f"{url.path.rstrip('/')}/{bucket}"
    words = canonical_query(query)
    headers = signed_headers(host, path, words, region, datetime.now(UTC))
    request = Request(f"{url.scheme}://{host}{path}?{words}", headers=headers)
    try:
        with build_opener(_NoRedirects).open(request, timeout=MAX_SILENCE_SECONDS) as answer:
            return ElementTree.fromstring(answer.read(MAX_LISTING_BYTES))
    except HTTPError as error:
        said = error.read(MAX_LISTING_BYTES).decode(errors="replace")
        raise SignedCallError(f"status code: {error.code} {said}") from error
    except TimeoutError as error:
        raise SignedCallError("kind: Timeout,") from error
    except URLError as error:
        raise SignedCallError("kind: Connect,") from error
    except (OSError, EOFError, ElementTree.ParseError) as error:
        raise SignedCallError("kind: Interrupted,") from error


def canonical_query(query: Mapping[str, str]) -> str:
    """Return a query as it is signed: sorted, with all that is no letter or digit escaped."""
    return "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in sorted(query.items()))


def signed_headers(host: str, path: str, query: str, region: str, now: datetime) -> dict[str, str]:
    """Return the headers of a GET for S3, with its signature.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    """
    stamp, scope = f"{now:%Y%m%dT%H%M%SZ}", f"{now:%Y%m%d}/{region}/s3/aws4_request"
    keys = s3_keys()
    headers = {"host": host, "x-amz-content-sha256": NOTHING_SHA256, "x-amz-date": stamp}
    if token := keys.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = "\n".join(("GET", path, query, lines, names, NOTHING_SHA256))
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{keys['AWS_SECRET_ACCESS_KEY']}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={keys['AWS_ACCESS_KEY_ID']}/{scope},"
        f"SignedHeaders={names},Signature={signature}"
    )
    return headers
