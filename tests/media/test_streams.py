import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from matte.errors import OutputError, PictureError
from matte.media.streams import check_stdout, read_stdin, write_stdout


def test_what_is_no_picture_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/zero").open() as endless:
        monkeypatch.setattr(sys, "stdin", endless)
        with pytest.raises(PictureError, match="standard input is not a readable picture"):
            read_stdin()


def test_closed_streams_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(PictureError, match="standard input is closed: pipe a picture in"):
        read_stdin()
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="standard output is closed: redirect it"):
        check_stdout()


def test_a_terminal_gets_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(PictureError, match="standard input is the keyboard"):
        read_stdin()
    monkeypatch.setattr(sys, "stdout", Terminal())
    with pytest.raises(OutputError, match="standard output is a terminal"):
        check_stdout()


def test_a_full_disk_behind_a_pipe_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=full))
        with pytest.raises(OutputError, match=r"can't write to standard output \(No space left"):
            write_stdout(b"x" * 10)
