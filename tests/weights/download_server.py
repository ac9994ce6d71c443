"""A server on this machine that has one file, and misbehaves where its path asks for it."""

import contextlib
import time
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

CONTENT = bytes(range(256)) * 8000


class DownloadServer(BaseHTTPRequestHandler):
    """/whole, /slow, /cut (breaks off twice), /stalled (falls silent once), /stubborn (no ranges),
    /moved, /away, /nowhere, /gone, /broken, /nonsense (no number as length), /endless.
    """

    requests: ClassVar[list[tuple[str, str | None]]] = []
    content: ClassVar[bytes] = CONTENT

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.requests.append((self.path, wanted))
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/broken":
            self.send_error(503)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.end_headers()
            return
        if self.path in ("/away", "/nowhere", "/nonsense", "/endless"):
            self.misbehave()
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if self.path == "/stubborn":
            start = 0
        if start >= len(self.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        body = self.content[start:]
        if self.path == "/cut" and len(self.requests) < 3:
            body = body[:700_000]
        if self.path == "/slow":
            for at in range(0, len(body), 300_000):
                self.wfile.write(body[at : at + 300_000])
                time.sleep(0.05)
            return
        if self.path == "/stalled" and len(self.requests) == 1:
            self.wfile.write(body[: 1 << 20])
            self.wfile.flush()
            time.sleep(1)
            return
        self.wfile.write(body)

    def misbehave(self) -> None:
        places = {"/away": "http://example.org/whole", "/nowhere": "http://[::1"}
        self.send_response(302 if self.path in places else 200)
        if self.path in places:
            self.send_header("Location", places[self.path])
        if self.path == "/nonsense":
            self.send_header("Content-Length", "many")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(10_000 if self.path == "/endless" else 0):
                self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        pass
