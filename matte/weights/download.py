"""Download files: resumed where they were cut off, checked, then put in place."""

import contextlib
import hashlib
import os
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
    check_bytes,
)
from matte.stages import Progress

CHUNK_BYTES = 1 << 20
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
    sha256: str,
    progress: Progress = lambda _done, _all: None,
    listed_bytes: int = 0,
) -> None:
    """Fetch `url` to `target`, which appears only when it is whole and has that hash.

    `sha256` may be the hash's beginning, where its publisher names no more, or "". What was fetched
    before a failure stays beside the target as .part, and the next call goes on from there.
    MATTE_OFFLINE forbids the attempt. The address is of https, or of http on this machine; a file
    of more than `listed_bytes`, or MAX_DOWNLOAD_BYTES without them, is refused. `progress` gets
    bytes so far and in all, 0 where nobody knows.
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
        _fetch_with_retries(url, part, progress, listed_bytes or MAX_DOWNLOAD_BYTES)
        if not _file_digest(part).startswith(sha256):
            part.unlink()
            raise WeightsError(
                f"{url} is not the file that it was (other sha256)", "tell the authors of matte"
            )
        part.replace(target)
    except OSError as error:
        raise OutputError(f"can't write {part} ({error.strerror})", "set MATTE_HOME") from error


def _fetch_with_retries(url: str, part: Path, progress: Progress, max_bytes: int) -> None:
    """Fetch the rest of a file into `part`; a connection that breaks is resumed a few times."""
    for attempt in range(1, MAX_DOWNLOAD_TRIES + 1):
        try:
            return _fetch_remaining(url, part, progress, max_bytes)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # nothing is missing
                return None
            remedy = "check the address" if error.code < 500 else "try again later"
            raise WeightsError(f"{url} answers {error.code} {error.reason}", remedy) from error
        except ValueError as error:  # of a redirection
            cause = f"{url} leads to what is no address ({error})"
            raise WeightsError(cause, "check the address") from error
        except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
            if attempt == MAX_DOWNLOAD_TRIES:
                reason = getattr(error, "reason", None) or error
                raise WeightsError(
                    f"{url} can't be fetched ({reason})", "try again; it goes on where it stopped"
                ) from error
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
    try:
        check_bytes(url, count, max_bytes, WeightsError, "check the address")
    except WeightsError:
        part.unlink(missing_ok=True)
        raise


def _file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
