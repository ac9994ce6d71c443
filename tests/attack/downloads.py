"""Downloads from servers that lie, stop, or never end, and from addresses that are none."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.attack.room import Room

DATA = b"not really a network" * 50
SLACK_BYTES = 4 << 20  # that a download may store of a file that is larger than it should be
ENDLESS_MEBIBYTES = 64  # after which the endless server gives up
ADDRESSES = (
    "nonsense",
    "",
    "http://",
    "http://[::1",
    "http://[::1]:99999/x",
    "http://127.0.0.1:1/x",
    "http://127.0.0.1:0x/y",
    "http://\nhost/x",
    "http://ho st/ x",
    "http://%zz/\udcff",
    "ftp://127.0.0.1/x",
    "data:text/plain,hello",
    "https://127.0.0.1:1/x",
    "http://user:secret@127.0.0.1:1/x",
    "http://" + "a" * 300 + ".invalid/x",
    "javascript:x",
    "FILE:///etc/passwd",
)
FILES = (
    "net.onnx",
    "net.onnx",
    "../up.onnx",
    "/tmp/matte-attack-up.onnx",
    "a\nb.onnx",
    "",
    ".",
    "x/y",
)
ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "whole": (200, {}, DATA),
    "other": (200, {}, b"other bytes"),
    "odd length": (200, {"Content-Length": "x"}, DATA),
    "negative length": (200, {"Content-Length": "-5"}, DATA),
    "huge length": (200, {"Content-Length": "9" * 30}, DATA),
    "shorter": (200, {"Content-Length": "99999"}, DATA),
    "empty": (200, {}, b""),
    "missing": (404, {}, b"no"),
    "busy": (503, {"Retry-After": "1"}, b""),
    "odd code": (299, {}, DATA),
    "nothing is missing": (416, {}, b""),
    "to a file": (302, {"Location": "file:///etc/passwd"}, b""),
    "to itself": (302, {"Location": "/to%20itself"}, b""),
    "to nowhere": (302, {"Location": "http://[::1"}, b""),
    "a part": (206, {"Content-Range": "bytes 5-9/99"}, DATA[5:10]),
    "line end": (200, {"X": "\udcff"}, DATA),
}


class Liar(BaseHTTPRequestHandler):
    """Answers as the path asks for."""

    def do_GET(self) -> None:
        way = self.path[1:].replace("%20", " ")
        if way == "garbage":
            self.wfile.write(b"\x00\xff garbage\r\n\r\n")
            return
        if way == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(ENDLESS_MEBIBYTES):
                    self.wfile.write(bytes(1 << 20))
            except OSError:  # the other side has enough
                pass
            return
        code, headers, body = ANSWERS[way]
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key, value.encode(errors="surrogateescape").decode("latin-1"))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def prepare(room: Room) -> None:
    """Nothing: each case has a store of its own."""


def attack(room: Room) -> None:
    numbers = room.random
    with serving() as address:
        ways = [f"{address}/{way}".replace(" ", "%20") for way in (*ANSWERS, "endless", "garbage")]
        url = numbers.choice(ways if numbers.random() < 0.7 else ADDRESSES)
        run(room, url, numbers.choice(FILES))


def run(room: Room, url: str, file: str) -> None:
    """Downloads into a new store: only the file with the known hash may appear, there."""
    numbers, store = room.random, room.folder / "home/weights"
    store.mkdir(parents=True)
    digest = hashlib.sha256(DATA).hexdigest()
    row = {"file": file, "kind": "segmenter", "url": url or "x", "sha256": digest}
    lines = [f"{key} = {json.dumps(value)}" for key, value in row.items()]
    text = "\n".join(["[net]", *lines, ""])
    (store / "manifest.toml").write_text(text, errors="surrogateescape")
    if numbers.random() < 0.2 and file == "net.onnx":
        (store / "net.onnx.part").write_bytes(numbers.choice((DATA[:50], DATA + b"more", b"")))
    before = room.listing()
    words = ["weights", "download", "net", *(("--url", url) if numbers.random() < 0.5 else ())]
    if "\0" in url:
        return
    online = {"MATTE_OFFLINE": ""}
    ending = room.matte(*words, home=room.folder / "home", environment=online)
    inside = (store / file).resolve().is_relative_to(store.resolve()) and (store / file) != store
    target = store / file if inside else store / "net.onnx"
    part = target.with_name(target.name + ".part")
    new = room.check_files(before, words, [target, part])
    for path in (Path("/tmp/matte-attack-up.onnx"), room.folder / "home/up.onnx"):
        if path.exists():
            room.report(f"{path} was written", words)
            path.unlink()
    if target in new and new[target] != digest:
        room.report(f"{target.name} has other bytes", words)
    if ending.code == 0 and target not in new:
        room.report(f"exit 0 without the file: {url!r} as {file!r}", words)
    if part.exists() and part.stat().st_size > SLACK_BYTES:
        room.report(f"{part.stat().st_size / 1e6:.0f} MB were stored", words)
