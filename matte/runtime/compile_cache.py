"""Networks that OpenVINO compiled, on disk: none is used that is not, byte for byte, as written.

OpenVINO loads a file of its cache (a blob) whatever has happened to it since, and gives other
pixels. So each has a seal beside it: its size and CRC-32, which find every kind of damage. They are
no defence against forgery: whoever can write into the cache can write seals. A seal also holds the
results of a small example until they are compared, once, with those of the first network that was
loaded from the blob.
"""

import os
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.places import cache_folder
from matte.runtime.records import read_record, record_name, write_record

SEAL_SUFFIX = ".seal"
SAMPLED_VALUES = 64  # of an example's results, which a seal holds
MAX_SAMPLE_DIFFERENCE = 1e-3  # of the largest value, between a network compiled and loaded


@dataclass(frozen=True, slots=True)
class CompileCache:
    """The folder of the blobs of one network, compiled in one way."""

    folder: Path

    def remove_damaged(self) -> None:
        """Remove blobs that are not as they were written, or that nobody sealed."""
        for blob in self.folder.glob("*.blob"):
            if _read_seal(blob).get("blob") != _blob_facts(blob):
                self._remove(blob)

    def seal(self, sample: Sequence[float]) -> None:
        """Seal the blobs that are new, with some results of the network that was compiled."""
        for blob in self.folder.glob("*.blob"):
            if not os.path.exists(_seal_file(blob)):
                write_record(_seal_file(blob), {"blob": _blob_facts(blob), "sample": list(sample)})

    def unchecked_sample(self) -> list[float] | None:
        """Return the results that nothing was compared with yet; None if there are none."""
        for blob in self.folder.glob("*.blob"):
            sample = _read_seal(blob).get("sample")
            if isinstance(sample, list) and all(isinstance(v, float) for v in sample):
                return sample
        return None

    def settle(self, sample: Sequence[float]) -> bool:
        """Return whether a loaded network's results are those that it gave when compiled.

        Blobs whose results are others are removed, the others are not compared again.
        """
        expected = self.unchecked_sample()
        is_same = expected is None or _samples_agree(sample, expected)
        for blob in self.folder.glob("*.blob"):
            if is_same:
                write_record(_seal_file(blob), {"blob": _read_seal(blob).get("blob")})
            else:
                self._remove(blob)
        return is_same

    @staticmethod
    def _remove(blob: Path) -> None:
        """Remove a blob, and its seal before it."""
        for file in (_seal_file(blob), blob):
            with suppress(OSError):
                file.unlink(missing_ok=True)


def open_compile_cache(*facts: object) -> CompileCache:
    """Return the cache of what is compiled under these facts; raises OSError if there is none.

    The facts are all that a compiled network depends on: the bytes of all files that are read, the
    version of what compiles it, and the settings.
    """
    folder = cache_folder() / "openvino" / record_name(*facts)
    folder.mkdir(parents=True, exist_ok=True)
    cache = CompileCache(folder)
    cache.remove_damaged()
    return cache


def sample_results(results: Sequence[NDArray[Any]]) -> list[float]:
    """Return a few values of a network's results, spread over all."""
    values = np.concatenate([np.asarray(r, np.float64).ravel() for r in results])
    step = max(1, len(values) // SAMPLED_VALUES)
    return [float(value) for value in values[::step]]


def _samples_agree(found: Sequence[float], expected: Sequence[float]) -> bool:
    """Return whether two samples are the same but for rounding; NaN never is."""
    if len(found) != len(expected):
        return False
    size = max(1.0, *(abs(value) for value in expected), 0.0)
    return bool(np.abs(np.subtract(found, expected)).max(initial=0) <= MAX_SAMPLE_DIFFERENCE * size)


def _blob_facts(blob: Path) -> list[int] | None:
    """Return a blob's size and CRC-32; None if it can't be read."""
    try:
        data = blob.read_bytes()
    except OSError:
        return None
    return [len(data), zlib.crc32(data)]


def _seal_file(blob: Path) -> Path:
    """Return the file of a blob's seal."""
    return blob.with_name(blob.name + SEAL_SUFFIX)


def _read_seal(blob: Path) -> dict[str, Any]:
    """Return a blob's seal; an empty one where there is none that can be read."""
    seal = read_record(_seal_file(blob))
    return seal if isinstance(seal.get("blob"), list) else {}
