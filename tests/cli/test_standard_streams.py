"""Standard streams that are full or closed, as shells hand them to the program."""

import subprocess
import sys
from pathlib import Path

import pytest

CANT_PRINT = "Error: can't print (No space left on device): redirect standard output to another "


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a line of the shell, in which "matte" is this one."""
    words = ["sh", "-c", f'matte() {{ "{sys.executable}" -m matte "$@"; }}; {line}']
    return subprocess.run(words, cwd=folder, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["--help", "weights list", "image --nope; matte config show"])
def test_a_full_disk_behind_standard_output_is_one_line(words: str, tmp_path: Path) -> None:
    done = shell(f"matte {words} > /dev/full", tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(CANT_PRINT)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("can't print") == 1


def test_with_standard_error_closed_errors_go_nowhere(tmp_path: Path) -> None:
    done = shell("matte weights path none 2>&-", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_file_never_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os; from matte.cli.standard_streams import checked_streams\n"
        "with checked_streams(): print(os.open('x', os.O_CREAT | os.O_WRONLY) > 2)"
    )
    done = shell(f'"{sys.executable}" -c "{code}" 2>&- <&-', tmp_path)
    assert done.stdout == "True\n"


def test_what_an_encoding_can_not_write_is_escaped(tmp_path: Path) -> None:
    code = (
        "from matte.cli.standard_streams import checked_streams\n"
        "with checked_streams(): print(chr(0x2192), chr(0xdcff))"
    )
    done = shell(f'PYTHONIOENCODING=ascii "{sys.executable}" -c "{code}"', tmp_path)
    assert done.stdout == "\\u2192 \\udcff\n"
