import io
import re
import sys

import pytest

from matte.cli.progress import first_run_noted, progress_bar
from matte.watching import TRYING_STAGE, tell_watcher


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


def test_frames_have_their_rate_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress_bar("matte", frames=True) as watch:
        watch(1, 200)
        watch(3, 200)
        watch(50, 200)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert re.search(r" 50/200 frames, [0-9.]+ fps, time left \d+:\d+:\d+", plain), plain


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_terminals_are_told_once_why_the_first_run_takes_longer(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    with first_run_noted():
        for stage in ("segment", TRYING_STAGE, TRYING_STAGE):
            tell_watcher(stage, 0)
    lines = stream.getvalue().splitlines()
    assert len(lines) == stream.isatty()
    assert all("trying which runtime is the fastest" in line for line in lines)
