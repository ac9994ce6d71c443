from pathlib import Path

import numpy as np
import pytest

from matte.datasets.check import SHEET_SAMPLES, check_set, measure_sample
from matte.datasets.samples import Sample
from matte.datasets.sheet import TILE
from tests.datasets.sets import half, photo, put


def test_shares_leave_out_what_does_not_count() -> None:
    mask = half()
    mask[:6] = 128
    finding = measure_sample(Sample("a", "mask", photo(), mask))
    assert (finding.subject, finding.ignored, finding.soft) == (0.5, 0.5, 0)


def test_alpha_counts_as_a_part() -> None:
    finding = measure_sample(Sample("a", "alpha", photo(), half(top=51)))
    assert finding.subject == pytest.approx(0.1)
    assert (finding.soft, finding.ignored) == (0.5, 0)


def test_a_set_is_counted_and_its_faults_named(tmp_path: Path) -> None:
    for seed, name in enumerate("abcd"):
        put(tmp_path, f"images/{name}.png", array=photo(20 + seed, 30, seed))
        put(tmp_path, f"masks/{name}.png", array=half(20 + seed, 30))
    put(tmp_path, "images/e.png", array=photo(20, 30, 0))
    put(tmp_path, "masks/e.png", array=np.zeros((20, 30), np.uint8))
    (tmp_path / "masks/c.png").write_bytes(b"")
    put(tmp_path, "images/lonely.jpg")
    steps: list[tuple[int, int]] = []
    report = check_set(tmp_path, progress=lambda done, of: steps.append((done, of)))
    told = report.as_dict()
    assert report.layout == "pairs"
    assert told["kinds"] == {"mask": 4}
    assert (told["smallest"], told["largest"]) == ([30, 20], [30, 23])
    assert told["subject"] == pytest.approx(0.375)
    assert told["without_subject"] == ["e"]
    assert told["duplicates"] == [["a", "e"]]
    assert {Path(one["path"]).name for one in told["broken"]} == {"c.png", "lonely.jpg"}
    assert steps[-1] == (5, 5)


def test_an_empty_set_has_an_empty_report(tmp_path: Path) -> None:
    told = check_set(tmp_path, "backgrounds").as_dict()
    assert (told["usable"], told["smallest"], told["subject"]) == (0, [], 0)


def test_some_samples_are_kept_small(tmp_path: Path) -> None:
    for n in range(SHEET_SAMPLES + 6):
        put(tmp_path, f"{n}.jpg", array=photo(30, 300, n))
    report = check_set(tmp_path)
    assert len(report.shown) == SHEET_SAMPLES
    assert {max(sample.truth.shape) for sample in report.shown} == {TILE}
