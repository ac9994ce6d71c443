"""Hashes by which publishers let everybody check a file: their algorithm, and its digest."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from matte.errors import SettingError

# Digits of a whole hash. MD5 tells a damaged file and another one, but no longer one that was made
# to have the same hash: where a SHA is published, too, list that.
HASH_DIGITS = {"md5": 32, "sha256": 64, "sha512": 128}
MIN_DIGITS = 8  # of a SHA whose publisher names its beginning only


@dataclass(frozen=True, slots=True)
class PublishedHash:
    """A file's hash, in lower-case hexadecimal digits; of a SHA maybe the beginning only."""

    algorithm: str
    digest: str

    def matches(self, path: Path) -> bool:
        """Return whether a file has the hash."""
        return file_hash(path, self.algorithm).startswith(self.digest)


def parse_hash(text: str) -> PublishedHash:
    """Return the hash that "md5:8e83…" or "sha256:d381…" names; raises SettingError for no hash."""
    algorithm, _, digest = text.partition(":")
    digits = HASH_DIGITS.get(algorithm, 0)
    fewest = digits if algorithm == "md5" else MIN_DIGITS
    if not (digits and re.fullmatch(f"[0-9a-f]{{{fewest},{digits}}}", digest)):
        raise SettingError(
            f"published_hash = {text!r}", "give md5:, sha256: or sha512: and the digits"
        )
    return PublishedHash(algorithm, digest)


def file_hash(path: Path, algorithm: str = "sha256") -> str:
    """Return a file's hash in hexadecimal digits; raises OSError where it can't be read."""
    with path.open("rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(algorithm, usedforsecurity=False)
        ).hexdigest()
