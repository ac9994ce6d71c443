"""Download files: resumed where they were cut off, checked, then put in place."""

import contextlib
import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from matte.errors import OutputError, WeightsError
from matte.limits import MAX_DOWNLOAD_TRIES, MAX_SILENCE_SECONDS

DownloadProgress = Callable[[int, int], None]  # bytes so far, bytes in all (0: unknown)

CHUNK_BYTES = 1 << 20


def download(
    url: str, target: Path, sha256: str, progress: DownloadProgress = lambda _done, _all: None
) -> None:
    """Fetch `url` to `target`, which appears only when it is whole and has that hash.

    `sha256` may be the hash's beginning, where its publisher names no more, or "". What was fetched
    before a failure stays beside the target as .part, and the next call goes on from there.
    MATTE_OFFLINE forbids the attempt.
    """
    if os.environ.get("MATTE_OFFLINE", "") not in ("", "0"):
        raise WeightsError(
            f"{target.name} is not here and MATTE_OFFLINE is set",
            f"unset it, or fetch {url} elsewhere and run 'matte weights import'",
        )
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch_with_retries(url, part, progress)
        if not _file_digest(part).startswith(sha256):
            part.unlink()
            raise WeightsError(
                f"{url} is not the file that it was (other sha256)", "tell the authors of matte"
            )
        part.replace(target)
    except OSError as error:
        raise OutputError(f"can't write {part} ({error.strerror})", "set MATTE_HOME") from error


def _fetch_with_retries(url: str, part: Path, progress: DownloadProgress) -> None:
    """Fetch the rest of a file into `part`; a connection that breaks is resumed a few times."""
    for attempt in range(1, MAX_DOWNLOAD_TRIES + 1):
        try:
            return _fetch_remaining(url, part, progress)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # nothing is missing
                return None
            remedy = "check the address" if error.code < 500 else "try again later"
            raise WeightsError(f"{url} answers {error.code} {error.reason}", remedy) from error
        except (urllib.error.URLError, HTTPException, ConnectionError, TimeoutError) as error:
            if attempt == MAX_DOWNLOAD_TRIES:
                reason = getattr(error, "reason", None) or error
                raise WeightsError(
                    f"{url} can't be fetched ({reason})", "try again; it goes on where it stopped"
                ) from error
    return None


def _fetch_remaining(url: str, part: Path, progress: DownloadProgress) -> None:
    """Fetch the rest of a file into `part` over one connection."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "matte"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with contextlib.closing(urllib.request.urlopen(request, timeout=MAX_SILENCE_SECONDS)) as answer:
        resumed = answer.status == 206
        done = have if resumed else 0
        length = int(answer.headers.get("Content-Length") or 0)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                done += len(chunk)
                progress(done, (have if resumed else 0) + length if length else 0)
    if length and done < (have if resumed else 0) + length:
        raise ConnectionError("the connection broke off")


def _file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
