from pathlib import Path

from matte.fleet.rows import row_of_record, rows_as_json, rows_from_json
from matte.photos.run_file import PictureRecord

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
    outcome = row_of_record("", DONE, {"width": 4}).as_outcome(Path("/out"))
    assert outcome.written == (Path("/out/a/b-matte.png"),)
    assert outcome.report == {"width": 4}
    failed = row_of_record("", FAILED).as_outcome(Path("/out"))
    assert str(failed.error) == "it is broken: send it"
    assert failed.written == ()
