import io
import sys

import pytest

from matte.cli.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "quiet"), [(io.StringIO(), False), (Terminal(), True)])
def test_pipes_and_quiet_runs_see_nothing(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, quiet: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("pictures", quiet) as watch:
        watch(1, 2)
    assert stream.getvalue() == ""


def test_terminals_see_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("pictures") as watch:
        watch(1, 2)
    assert "pictures" in stream.getvalue()


def test_a_name_draws_one_line_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("[red]a\nError: b") as watch:
        watch(1, 0)
    assert r"[red]a\nError: b" in stream.getvalue()
