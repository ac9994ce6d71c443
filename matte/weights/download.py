"""Download files: resumed where they were cut off, checked, then put in place."""

import contextlib
import os
import shutil
import ssl
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from matte.errors import OutputError, WeightsError
from matte.limits import (
    MAX_DOWNLOAD_BYTES,
    MAX_DOWNLOAD_TRIES,
    MAX_SILENCE_SECONDS,
    format_bytes,
)
from matte.onnx_files import read_onnx_file
from matte.stages import Progress
from matte.weights.hashes import file_hash, parse_hash

CHUNK_BYTES = 1 << 20
BROKEN_CONNECTIONS = (
    urllib.error.URLError,
    HTTPException,
    ConnectionError,
    TimeoutError,
    ssl.SSLError,
)
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a server's redirection only to an address that a user may give, too."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """Return the request for the new address; raises WeightsError if that is not allowed."""
        check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def check_address(url: str) -> None:
    """Raise WeightsError unless an address is one of https, or of http on this machine."""
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise WeightsError(f"{url} is no address ({error})", "give one of https://") from error
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK_HOSTS)):
        return
    raise WeightsError(f"{url} can't be fetched safely", "give an address of https://")


def download(
    url: str,
    target: Path,
    published: str,
    progress: Progress = lambda _done, _all: None,
    listed_bytes: int = 0,
) -> str:
    """Fetch `url` to `target`, which appears only when it is whole; return its SHA-256.

    `published` is the hash that it must have, as "sha256:…" or "md5:…". With "" nobody can say that
    it is the file: it must be an ONNX file then, if it is to be one, of `listed_bytes` if those are
    known. What was fetched before a failure stays beside the target as .part; where there is a hash
    to check the whole by, the next call goes on from there. MATTE_OFFLINE forbids the attempt. The
    address is of https, or of http on this machine; a file of more than `listed_bytes`, or
    MAX_DOWNLOAD_BYTES without them, is refused. `progress` gets bytes so far and in all, 0 where
    nobody knows.
    """
    if os.environ.get("MATTE_OFFLINE", "") not in ("", "0"):
        raise WeightsError(
            f"{target.name} is not here and MATTE_OFFLINE is set",
            f"unset it, or fetch {url} elsewhere and run 'matte weights import'",
        )
    check_address(url)
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        max_bytes = listed_bytes or MAX_DOWNLOAD_BYTES
        resumed = bool(published) and part.exists() and part.stat().st_size <= max_bytes
        if not resumed:
            part.unlink(missing_ok=True)
        _fetch_with_retries(url, part, progress, max_bytes)
        if resumed and not parse_hash(published).matches(part):
            part.unlink()  # the beginning was another file's
            _fetch_with_retries(url, part, progress, max_bytes)
        _check_fetched(url, part, target, published, listed_bytes)
        digest = file_hash(part)
        part.replace(target)
    except OSError as error:
        remedy = "free some space, or set MATTE_HOME"
        raise OutputError(f"can't write {part} ({error.strerror})", remedy) from error
    return digest


def _check_fetched(url: str, part: Path, target: Path, published: str, listed_bytes: int) -> None:
    """Raise WeightsError, and forget what was fetched, unless it is what was wanted."""
    try:
        if published:
            wanted = parse_hash(published)
            if not wanted.matches(part):
                cause = f"{url} is not the file that it was (other {wanted.algorithm})"
                raise WeightsError(cause, "tell the authors of matte")
            return
        count = part.stat().st_size
        if listed_bytes and count != listed_bytes:
            cause = f"{url} has {count:,} bytes, and {listed_bytes:,} are listed"
            raise WeightsError(cause, "tell the authors of matte")
        if target.suffix == ".onnx":
            try:
                read_onnx_file(part)
            except WeightsError as error:
                raise WeightsError(f"{url} is no ONNX file", "check the address") from error
    except WeightsError:
        part.unlink()
        raise


def _fetch_with_retries(url: str, part: Path, progress: Progress, max_bytes: int) -> None:
    """Fetch the rest of a file into `part`; a connection that breaks is resumed a few times."""
    for attempt in range(1, MAX_DOWNLOAD_TRIES + 1):
        try:
            return _fetch_remaining(url, part, progress, max_bytes)
        except urllib.error.HTTPError as error:
            if error.code == 416 and part.exists():  # nothing is missing
                return None
            remedy = "check the address" if error.code < 500 else "try again later"
            raise WeightsError(f"{url} answers {error.code} {error.reason}", remedy) from error
        except BROKEN_CONNECTIONS as error:
            if attempt == MAX_DOWNLOAD_TRIES:
                reason = getattr(error, "reason", None) or error
                raise WeightsError(
                    f"{url} can't be fetched ({reason})", "try again; it goes on where it stopped"
                ) from error
        except ValueError as error:  # of a redirection
            cause = f"{url} leads to what is no address ({error})"
            raise WeightsError(cause, "check the address") from error
    return None


def _fetch_remaining(url: str, part: Path, progress: Progress, max_bytes: int) -> None:
    """Fetch the rest of a file into `part` over one connection."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "matte"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_CheckedRedirects)
    with contextlib.closing(opener.open(request, timeout=MAX_SILENCE_SECONDS)) as answer:
        resumed = answer.status == 206
        done = have if resumed else 0
        length = _announced_bytes(url, answer.headers.get("Content-Length") or "0")
        _check_size(url, part, done + length, max_bytes)
        _check_room(part, length if resumed else length - have)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                done += len(chunk)
                _check_size(url, part, done, max_bytes)
                file.write(chunk)
                progress(done, (have if resumed else 0) + length if length else 0)
    if length and done < (have if resumed else 0) + length:
        raise ConnectionError("the connection broke off")


def _announced_bytes(url: str, text: str) -> int:
    """Return the length that a server announces, in bytes; raises WeightsError for no number."""
    if not (text.isdecimal() and len(text) < 19):
        raise WeightsError(f"{url} answers with a length of {text[:20]!r}", "check the address")
    return int(text)


def _check_size(url: str, part: Path, count: int, max_bytes: int) -> None:
    """Raise WeightsError, and forget what was fetched, if a file is larger than it may be."""
    if count > max_bytes:
        part.unlink(missing_ok=True)
        raise WeightsError(f"{url} has more than {max_bytes:,} bytes", "check the address")


def _check_room(part: Path, count: int) -> None:
    """Raise OutputError if so many bytes more don't fit on a part's disk."""
    free = shutil.disk_usage(part.parent).free
    if count > free:
        cause = f"{part.parent} has room for {format_bytes(free)}, and {format_bytes(count)} are"
        raise OutputError(f"{cause} to come", "free some space, or set MATTE_HOME")
