from pathlib import Path

import pytest

from matte.cli.outcomes import print_outcome
from matte.errors import PictureError
from matte.files import STREAM
from matte.photos.batch import PhotoOutcome
from matte.photos.jobs import PhotoJob

JOBS = [PhotoJob(Path("a.jpg"), Path("a.png")), PhotoJob(Path("b.jpg"), Path("b.png"))]


def test_files_are_printed_unless_that_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = PhotoOutcome(JOBS[0], (Path("a.png"),))
    print_outcome(outcome, JOBS, quiet=False, verbose=False)
    print_outcome(outcome, JOBS, quiet=True, verbose=False)
    assert capsys.readouterr().out == "a.png\n"


def test_names_leave_standard_output_to_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [PhotoJob(Path("a.jpg"), STREAM)]
    print_outcome(PhotoOutcome(jobs[0], (Path("alpha.png"),)), jobs, quiet=False, verbose=False)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "alpha.png\n")


def test_an_error_of_several_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = PhotoOutcome(JOBS[0], error=PictureError("a.jpg is broken", "send it again"))
    print_outcome(outcome, JOBS, quiet=True, verbose=True)
    assert capsys.readouterr().err == "Error: a.jpg is broken: send it again\n"
    print_outcome(outcome, JOBS[:1], quiet=True, verbose=True)
    assert capsys.readouterr().err == ""
