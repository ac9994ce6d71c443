from pathlib import Path

import pytest

from matte.errors import SettingError
from matte.photos.run_file import (
    RUN_FOLDER,
    PictureRecord,
    RunFile,
    RunHistory,
    check_fingerprint,
    read_run_file,
    source_state,
)

DONE = PictureRecord("a/b-matte.png", "done", "in/b.jpg", 12, 34, 5.0, 6, "abc")
PRINT = {"k": 7, "network": "person"}


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    with RunFile(tmp_path, PRINT) as run:
        run.add(PictureRecord("a/b-matte.png", "began", "in/b.jpg", 12, 34, 4.0))
        run.add(DONE)
    found = read_run_file(tmp_path)
    assert found.records == {DONE.target: DONE}
    assert found.fingerprint == PRINT


def test_a_run_without_pictures_leaves_nothing(tmp_path: Path) -> None:
    with RunFile(tmp_path, PRINT):
        pass
    assert list(tmp_path.iterdir()) == []
    assert read_run_file(tmp_path) == RunHistory()


def test_each_run_has_a_segment_and_the_newest_record_counts(tmp_path: Path) -> None:
    for state, at in (("failed", 1.0), ("done", 3.0), ("began", 2.0)):
        with RunFile(tmp_path, PRINT) as run:
            run.add(PictureRecord("x.png", state, "x.jpg", 1, 1, at))  # type: ignore[arg-type]  # a state
    assert len(list((tmp_path / RUN_FOLDER).iterdir())) == 3
    assert read_run_file(tmp_path).records["x.png"].state == "done"


@pytest.mark.parametrize(
    "torn",
    [
        '{"target":"y.png","sta',
        "[]",
        '{"target":"","state":"done"}',
        '{"target":"y.png","state":"won"}',
        '{"target":"y.png","state":"done","size":"large"}',
        "\x00\xff",
        "[" * 100_000,
    ],
)
def test_torn_and_foreign_lines_do_not_count(tmp_path: Path, torn: str) -> None:
    with RunFile(tmp_path, PRINT) as run:
        run.add(DONE)
    (segment,) = (tmp_path / RUN_FOLDER).iterdir()
    with segment.open("a", encoding="utf-8") as file:
        file.write(torn)
    assert read_run_file(tmp_path).records == {DONE.target: DONE}


def test_other_settings_are_named(tmp_path: Path) -> None:
    history = RunHistory({}, PRINT)
    check_fingerprint(history, dict(PRINT))
    check_fingerprint(RunHistory(), PRINT)
    with pytest.raises(SettingError, match="k was 7 and is 9; new was not there and is true"):
        check_fingerprint(history, {**PRINT, "k": 9, "new": True})


def test_a_source_s_state(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12")
    assert source_state(path)[0] == 2
    assert source_state(tmp_path / "none") == (0, 0)
