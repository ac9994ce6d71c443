"""The report of a run over photos."""

import csv
import io
import json
from pathlib import Path

from matte.compositing.backgrounds import parse_background
from matte.configs.loader import merge_settings
from matte.photos.batch import Batch, PhotoOutcome
from matte.photos.finishing import FinishOptions
from matte.photos.jobs import PhotoJob
from matte.photos.report import report_table, run_report
from tests import fakes
from tests.conftest import disc, save

PIPELINE = fakes.build(merge_settings("fast", flags={"k": 3, "iterations": 2}))


def test_a_report_has_the_runs_facts_once_and_each_photos_own(tmp_path: Path) -> None:
    good = save(tmp_path / "a.png", disc(40, 50)[0])
    bad = tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    jobs = [PhotoJob(path, tmp_path / f"{path.stem}-matte.png") for path in (good, bad)]
    batch = Batch(jobs, FinishOptions(parse_background("#205080")))
    outcomes = list(batch.run(PIPELINE))
    report = json.loads(run_report(batch, PIPELINE.facts, outcomes[::-1], ["image", "a.png"]))
    assert report["command"] == ["image", "a.png"]
    assert report["background"] == {"colour": [32, 80, 128]}
    assert report["preset"] == "fast"
    first, second = report["pictures"]
    assert len(first["sha256"]) == 64
    assert first["written"] == [str(tmp_path / "a-matte.png")]
    assert "settings" not in first
    assert first["ms"]
    assert set(second) == {"file", "sha256", "written", "error"}


def test_a_table_has_a_line_for_each_photo(tmp_path: Path) -> None:
    good = save(tmp_path / "a.png", disc(40, 50)[0])
    bad = tmp_path / "b.png"
    bad.write_bytes(b"no picture")
    jobs = [PhotoJob(path, tmp_path / f"{path.stem}-matte.png") for path in (good, bad)]
    outcomes = list(Batch(jobs, FinishOptions()).run(PIPELINE))
    first, second = csv.DictReader(io.StringIO(report_table(outcomes).decode()))
    assert (first["width"], first["height"], first["error"]) == ("50", "40", "")
    assert first["written"] == str(tmp_path / "a-matte.png")
    assert "not a readable picture" in second["error"]


def test_no_name_is_a_formula() -> None:
    outcome = PhotoOutcome(PhotoJob(Path("=1+1.jpg"), Path("x")), (Path("@x"),))
    (row,) = csv.DictReader(io.StringIO(report_table([outcome]).decode()))
    assert (row["file"], row["written"]) == ("'=1+1.jpg", "'@x")
