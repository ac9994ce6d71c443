"""`matte serve`, from its command line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from matte.cli.main import main
from matte.cli.serve import parse_seconds, read_token
from matte.errors import SettingError


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "0.0.0.0"], "--token-file, MATTE_TOKEN or --new-token, or say --no-token"),
        (["--forget-after", "soon"], "is no time"),
        (["--max-upload", "much"], "amount of memory"),
        (["--token-file", "none.txt"], "can't read a token"),
        (["--host", "not a host"], "everybody"),
    ],
)
def test_what_can_not_be_is_told(arguments: list[str], told: str, tmp_path: Path) -> None:
    result = CliRunner(env={"MATTE_TOKEN": ""}).invoke(main, ["serve", "--port", "0", *arguments])
    assert result.exit_code == 2
    assert told in result.output
    assert result.output.count("\n") == 1


def test_times_and_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [parse_seconds(text) for text in ("90s", "30m", "8h")] == [90, 1800, 28800]
    for text in ("", "m", "-5m", "5", "0s", "1e3s", "٣m"):
        with pytest.raises(SettingError):
            parse_seconds(text)
    file = tmp_path / "token"
    file.write_text("a-secret-word\n")
    assert read_token(file) == "a-secret-word"
    monkeypatch.setenv("MATTE_TOKEN", "another-word")
    assert read_token(None) == "another-word"
    for text in ("", "short", "with a\x7f in it", "ümläüts-in-it"):
        file.write_text(text)
        with pytest.raises(SettingError):
            read_token(file)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "matte", "serve", "--port", "0", "--preset", "fast"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert not list(tmp_path.glob("matte-serve-*"))
