import hashlib
from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.weights.hashes import file_hash, parse_hash


def test_a_file_has_its_hashes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"some bytes")
    for algorithm in ("md5", "sha256", "sha512"):
        digest = hashlib.new(algorithm, b"some bytes").hexdigest()
        assert file_hash(file, algorithm) == digest
        assert parse_hash(f"{algorithm}:{digest}").matches(file)
        other = hashlib.new(algorithm, b"other bytes").hexdigest()
        assert not parse_hash(f"{algorithm}:{other}").matches(file)
    beginning = hashlib.sha256(b"some bytes").hexdigest()[:8]
    assert parse_hash(f"sha256:{beginning}").matches(file)


NO_HASHES = ("", "md5", "md5:", "md5:12345678", "sha256:1234567", "sha1:" + "0" * 40, "0" * 64)
ODD_DIGITS = ("md5:" + "G" * 32, "sha256:" + "0" * 65, "md5:" + "0" * 32 + "\n")


@pytest.mark.parametrize("text", [*NO_HASHES, *ODD_DIGITS])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="give md5:, sha256: or sha512: and the digits"):
        parse_hash(text)
