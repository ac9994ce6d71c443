from pathlib import Path

import pytest

from matte.cli.outcomes import ShownOutcomes, print_outcome
from matte.errors import PictureError
from matte.files import STREAM
from matte.photos.batch import PhotoOutcome
from matte.photos.jobs import PhotoJob

JOB = PhotoJob(Path("a.jpg"), Path("a.png"))


def test_files_are_printed_unless_that_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = PhotoOutcome(JOB, (Path("a.png"),))
    print_outcome(outcome, is_one=False, shown=ShownOutcomes(False, False, None, False))
    print_outcome(outcome, is_one=False, shown=ShownOutcomes(True, False, None, False))
    assert capsys.readouterr().out == "a.png\n"


def test_names_leave_standard_output_to_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = PhotoOutcome(PhotoJob(Path("a.jpg"), STREAM), (Path("alpha.png"),))
    print_outcome(outcome, is_one=True, shown=ShownOutcomes(False, False, None, False))
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "alpha.png\n")


def test_an_error_of_several_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = PhotoOutcome(JOB, error=PictureError("a.jpg is broken", "send it again"))
    print_outcome(outcome, is_one=False, shown=ShownOutcomes(True, True, None, False))
    assert capsys.readouterr().err == "Error: a.jpg is broken: send it again\n"
    print_outcome(outcome, is_one=True, shown=ShownOutcomes(True, True, None, False))
    assert capsys.readouterr().err == ""
