"""A data set read from beginning to end and measured: `matte data check`."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.arrays import BACKGROUND, SUBJECT, UNKNOWN
from matte.datasets.duplicates import difference_hashes, near_duplicates
from matte.datasets.finding import Broken
from matte.datasets.layouts import AUTO, guess_layout, list_set
from matte.datasets.reading import read_sample
from matte.datasets.samples import Entry, Kind, Listing, Sample, UnusableError
from matte.datasets.sheet import shrink_sample
from matte.stages import Progress

SHEET_SAMPLES = 24


@dataclass(frozen=True, slots=True)
class PictureMeasurement:
    """The size of a usable picture, and shares 0 … 1 of its pixels.

    `subject`: of the pixels that count; alpha counts as a part. `soft`: alpha between 0 and 1.
    `ignored`: pixels of a mask that don't count.
    """

    name: str
    kind: Kind
    width: int
    height: int
    subject: float
    soft: float
    ignored: float


@dataclass(frozen=True, slots=True, eq=False)
class SetReport:
    """What `check_set` found in a data set.

    `shown`: some of its samples, small; `duplicates`: pairs of names.
    """

    folder: Path
    layout: str
    found: tuple[PictureMeasurement, ...]
    broken: tuple[Broken, ...]
    duplicates: tuple[tuple[str, str], ...]
    shown: tuple[Sample, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON takes it; shares are means over the pictures."""
        return {
            "folder": str(self.folder),
            "layout": self.layout,
            "usable": len(self.found),
            "kinds": dict(sorted(Counter(f.kind for f in self.found).items())),
            "smallest": self._size(0),
            "median": self._size(len(self.found) // 2),
            "largest": self._size(-1),
            "subject": self._mean("subject"),
            "soft": self._mean("soft"),
            "ignored": self._mean("ignored"),
            "without_subject": [
                f.name for f in self.found if f.kind != "background" and f.subject == 0
            ],
            "duplicates": [list(pair) for pair in self.duplicates],
            "broken": [{"path": str(path), "reason": reason} for path, reason in self.broken],
        }

    def _size(self, at: int) -> list[int]:
        """Return [width, height] of the picture at that place by area; [] if there is none."""
        sizes = sorted((f.width * f.height, f.width, f.height) for f in self.found)
        return list(sizes[at][1:]) if sizes else []

    def _mean(self, share: str) -> float:
        """Return the mean of one share over all pictures with a truth, 0 without any."""
        values = [getattr(f, share) for f in self.found if f.kind != "background"]
        return round(float(np.mean(values)), 6) if values else 0.0


def check_set(
    folder: Path,
    layout: str = AUTO,
    classes: Sequence[str] = (),
    progress: Progress = lambda done, of: None,
) -> SetReport:
    """Read and measure every entry of a data set; what can't be used is named in the report.

    `progress` is called with the number of entries done and their number.
    """
    chosen, listing = _list_entries(folder, layout, classes)
    entries = listing.entries
    shown = set(
        np.linspace(0, len(entries) - 1, min(SHEET_SAMPLES, len(entries))).astype(int).tolist()
    )
    found: list[PictureMeasurement] = []
    hashed: list[NDArray[np.uint64]] = []
    samples: list[Sample] = []
    broken = list(listing.broken)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        results = pool.map(_examine_entry, entries, (at in shown for at in range(len(entries))))
        try:
            for at, (entry, result) in enumerate(zip(entries, results, strict=True), 1):
                if isinstance(result, str):
                    broken.append((entry.picture, result))
                else:
                    found.append(result[0])
                    hashed.append(result[1])
                    samples += result[2]
                progress(at, len(entries))
        finally:
            pool.shutdown(cancel_futures=True)
    pairs = near_duplicates(np.array(hashed, np.uint64).reshape(-1, 2))
    duplicates = tuple((found[i].name, found[j].name) for i, j in pairs)
    return SetReport(folder, chosen, tuple(found), tuple(broken), duplicates, tuple(samples))


def set_files(folder: Path, layout: str = AUTO, classes: Sequence[str] = ()) -> list[Path]:
    """Return the pictures and truths of a data set, those that can't be used included."""
    listing = _list_entries(folder, layout, classes)[1]
    used = [path for entry in listing.entries for path in (entry.picture, entry.truth) if path]
    return used + [path for path, _ in listing.broken]


def _list_entries(folder: Path, layout: str, classes: Sequence[str]) -> tuple[str, Listing]:
    """Return a data set's layout and its entries."""
    chosen = guess_layout(folder, classes) if layout == AUTO and folder.is_dir() else layout
    return chosen, list_set(folder, chosen, classes)


def _examine_entry(
    entry: Entry, show: bool
) -> tuple[PictureMeasurement, NDArray[np.uint64], tuple[Sample, ...]] | str:
    """Return an entry's measurement, hash and samples to show; or why it can't be used.

    There is one sample, a small one, if `show`, else none.
    """
    try:
        sample = read_sample(entry)
    except UnusableError as error:
        return str(error)
    small = (shrink_sample(sample),) if show else ()
    return measure_sample(sample), difference_hashes([sample.picture])[0], small


def measure_sample(sample: Sample) -> PictureMeasurement:
    """Return a sample's size and its shares of subject, soft and ignored pixels."""
    truth = sample.truth
    mask = sample.kind == "mask"
    ignored = float((truth == UNKNOWN).mean()) if mask else 0.0
    soft = 0.0 if mask else float(((truth > BACKGROUND) & (truth < SUBJECT)).mean())
    counted = truth[truth != UNKNOWN] if mask else truth
    subject = float(counted.mean()) / SUBJECT if counted.size else 0.0
    height, width = truth.shape
    return PictureMeasurement(sample.name, sample.kind, width, height, subject, soft, ignored)
