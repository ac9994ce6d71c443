"""A small S3 server in this process, over real sockets, that can be made to fail.

It knows one region, path-style addresses, listings in pages, conditions, and uploads in parts.
"""

import hashlib
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, quote_plus, unquote, urlsplit
from xml.sax.saxutils import escape

KEY, SECRET = "test-key", "test-secret-that-is-never-printed"
# Before a request is answered: refuse it as too many, say nothing, cut the connection while it
# sends; or do it, and send half of the answer, or none. Or send the client to another server.
Fault = Literal["slow down", "silent", "cut", "truncate", "lost", "elsewhere"]


@dataclass
class Call:
    """A request: its method, the object, its query, and what it does: "put", "list", "part", …"""

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: Any
    body: bytes = b""

    @property
    def action(self) -> str:
        if "uploads" in self.query:
            return "begin"
        if "uploadId" in self.query:
            copied = "x-amz-copy-source" in self.headers
            names = {"PUT": "copy part" if copied else "part", "POST": "complete"}
            return names.get(self.method, "abort")
        if not self.key:
            return "list" if self.method == "GET" else "delete many"
        return {"PUT": "put", "GET": "get", "HEAD": "head", "DELETE": "delete"}[self.method]


@dataclass
class S3Server:
    """Buckets and uploads by name; `fault` says what goes wrong with a call, if anything."""

    buckets: dict[str, dict[str, tuple[bytes, float]]] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    fault: Callable[[Call], Fault | None] = lambda _: None
    latency_seconds: float = 0.0
    page: int = 1000
    listed: Callable[[str, list[str]], list[str]] = lambda _, names: names
    denied: set[str] = field(default_factory=set)
    types: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    endpoint: str = ""

    def put(self, bucket: str, key: str, data: bytes, modified: float | None = None) -> None:
        self.buckets.setdefault(bucket, {})[key] = (data, modified or time.time())

    def names(self, bucket: str, beginning: str = "") -> list[str]:
        return sorted(name for name in self.buckets[bucket] if name.startswith(beginning))

    def data(self, bucket: str, key: str) -> bytes:
        return self.buckets[bucket][key][0]


class QuietServer(ThreadingHTTPServer):
    """Prints nothing of clients that went away, which the tests ask for."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    s3: S3Server

    def log_message(self, *_: Any) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def do(self) -> None:
        url = urlsplit(self.path)
        _, bucket, *key = unquote(url.path).split("/", 2)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        call = Call(self.command, bucket, key[0] if key else "", query, self.headers)
        length = int(self.headers.get("Content-Length") or 0)
        fault = self.s3.fault(call)
        with self.s3.lock:
            self.s3.calls[call.action] += 1
        if fault == "cut":
            self.rfile.read(length // 2)
            self._reset()
            return
        call.body = self.rfile.read(length)
        if fault == "silent":
            time.sleep(1.0)
            self._reset()
            return
        time.sleep(self.s3.latency_seconds)
        if fault == "slow down":
            self._send(503, _error("SlowDown"))
            return
        if fault == "elsewhere":
            self._send(307, _error("TemporaryRedirect"), {"Location": f"{self.s3.endpoint}/else"})
            return
        with self.s3.lock:
            status, body, headers = _answer(self.s3, call)
        if fault == "lost":
            self._reset()
            return
        self._send(status, body, headers, len(body) // 2 if fault == "truncate" else None)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do  # noqa: N815  # as the library names them

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        sent: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:sent])
        if sent is not None:
            self.wfile.flush()
            self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)  # no good-bye: the other side sees a reset
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()


Answer = tuple[int, bytes, dict[str, str]]


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><StringToSign>{SECRET}</StringToSign></Error>".encode()


def _answer(s3: S3Server, call: Call) -> Answer:
    signed = re.search("Credential=([^/]+)/", call.headers.get("Authorization", ""))
    if signed is None or signed.group(1) != KEY:
        return 403, _error("InvalidAccessKeyId"), {}
    if call.key in s3.denied:
        return 403, _error("AccessDenied"), {}
    objects = s3.buckets.get(call.bucket)
    if objects is None:
        return 404, _error("NoSuchBucket"), {}
    if call.action == "list":
        return _listing(s3, call, objects)
    if call.action in ("get", "head"):
        return _object(call, objects)
    if call.action in ("delete", "delete many"):
        keys = [call.key] if call.key else re.findall("<Key>(.*?)</Key>", call.body.decode())
        for key in keys:
            objects.pop(key, None)
        return (204 if call.key else 200), b"<DeleteResult/>", {}
    if call.action == "put":
        return _place(s3, call, objects, call.body)
    return _upload(s3, call, objects)


def _listing(s3: S3Server, call: Call, objects: dict[str, tuple[bytes, float]]) -> Answer:
    after = call.query.get("continuation-token") or call.query.get("start-after", "")
    beginning = call.query.get("prefix", "")
    names = sorted(name for name in objects if name.startswith(beginning) and name > after)
    page = s3.listed(after, names[: s3.page])
    shown = quote_plus if call.query.get("encoding-type") == "url" else escape
    rows = "".join(
        f"<Contents><Key>{shown(name)}</Key><Size>{len(objects.get(name, (b'', 0))[0])}</Size>"
        f"<LastModified>{_iso(objects.get(name, (b'', 0.0))[1])}</LastModified>"
        '<ETag>"x"</ETag></Contents>'
        for name in page
    )
    more = len(names) > s3.page
    token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
    text = f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}"
    return 200, f"{text}</ListBucketResult>".encode(), {"Content-Type": "application/xml"}


def _object(call: Call, objects: dict[str, tuple[bytes, float]]) -> Answer:
    if call.key not in objects:
        return 404, _error("NoSuchKey"), {}
    data, modified = objects[call.key]
    headers = {
        "Last-Modified": formatdate(modified, usegmt=True),
        "ETag": f'"{hashlib.md5(data).hexdigest()}"',
        "Accept-Ranges": "bytes",
    }
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", call.headers.get("Range", ""))
    if asked is None:
        return 200, data, headers
    begin, end = int(asked.group(1)), int(asked.group(2) or len(data) - 1)
    headers["Content-Range"] = f"bytes {begin}-{end}/{len(data)}"
    return 206, data[begin : end + 1], headers


def _place(
    s3: S3Server, call: Call, objects: dict[str, tuple[bytes, float]], data: bytes
) -> Answer:
    if call.headers.get("If-None-Match") == "*" and call.key in objects:
        return 412, _error("PreconditionFailed"), {}
    objects[call.key] = (data, time.time())
    s3.types[call.key] = call.headers.get("Content-Type", "")
    tag = hashlib.md5(data).hexdigest()
    text = f'<CompleteMultipartUploadResult><ETag>"{tag}"</ETag></CompleteMultipartUploadResult>'
    return 200, text.encode(), {"ETag": f'"{tag}"'}


def _upload(s3: S3Server, call: Call, objects: dict[str, tuple[bytes, float]]) -> Answer:
    if call.action == "begin":
        name = f"upload-{s3.calls['begin']}"
        s3.uploads[name] = {}
        root = "InitiateMultipartUploadResult"
        return 200, f"<{root}><UploadId>{name}</UploadId></{root}>".encode(), {}
    name = call.query["uploadId"]
    if name not in s3.uploads:
        return 404, _error("NoSuchUpload"), {}
    if call.action == "abort":
        del s3.uploads[name]
        return 204, b"", {}
    if call.action == "complete":
        parts = s3.uploads[name]
        answer = _place(s3, call, objects, b"".join(parts[n] for n in sorted(parts)))
        if answer[0] == 200:
            del s3.uploads[name]
        return answer
    data = call.body
    if call.action == "copy part":
        _, key = unquote(call.headers["x-amz-copy-source"]).lstrip("/").split("/", 1)
        data = objects[key][0]
    s3.uploads[name][int(call.query["partNumber"])] = data
    return 200, b'<CopyPartResult><ETag>"part"</ETag></CopyPartResult>', {"ETag": '"part"'}


def _iso(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.789Z", time.gmtime(seconds))


@contextmanager
def serving() -> Iterator[S3Server]:
    """Yields a server that answers until the end of the block."""
    s3 = S3Server()
    handler = type("BoundHandler", (Handler,), {"s3": s3})
    with QuietServer(("127.0.0.1", 0), handler) as server:
        s3.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield s3
        finally:
            server.shutdown()
            thread.join()
