from dataclasses import replace
from pathlib import Path

from matte.fleet.request import FleetRequest
from matte.fleet.rows import row_of_record, rows_as_json, rows_from_json
from matte.photos.run_file import PictureRecord
from matte.stores.stored_file import stored_file
from tests.fleet.clusters import variant

DONE = PictureRecord("a/b-matte.png", "done", "/in/a/b.jpg", 10, 20, 30.5, 400, "5ea1")
FAILED = PictureRecord(
    "c-matte.png", "failed", "/in/c\udcff.jpg", 1, 2, 3.0, 4, cause="it is broken", remedy="send it"
)


def test_rows_come_back_as_they_were_sent() -> None:
    rows = [
        row_of_record("best", DONE, {"width": 4, "height": 3, "subject": True}, machine="one"),
        row_of_record("", FAILED),
    ]
    assert rows_from_json(rows_as_json(rows)) == rows
    assert (rows[0].width, rows[0].subject, rows[0].machine) == (4, True, "one")
    assert (rows[1].width, rows[1].report) == (None, "")


def test_a_row_is_an_outcome_of_photos() -> None:
    request = FleetRequest(Path("/in"), (variant(Path("/out")),))
    outcome = row_of_record("", DONE, {"width": 4}).as_outcome(request)
    assert outcome.written == (Path("/out/a/b-matte.png"),)
    assert outcome.report == {"width": 4}
    failed = row_of_record("", FAILED).as_outcome(request)
    assert str(failed.error) == "it is broken: send it"
    assert failed.written == ()


def test_a_row_of_a_store_names_its_objects() -> None:
    source, out = stored_file("s3://bucket/in"), stored_file("s3://other/out")
    record = replace(DONE, source="s3://bucket/in/a/b?X-Amz-c.jpg")
    row = replace(row_of_record("", record), retries=3)
    outcome = row.as_outcome(FleetRequest(source, (variant(out),)))
    assert outcome.job.source == source / "a/b?X-Amz-c.jpg"
    assert list(map(str, outcome.written)) == ["s3://other/out/a/b-matte.png"]
    assert outcome.retries == 3
