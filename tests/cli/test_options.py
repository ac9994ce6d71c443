import errno
import os
from pathlib import Path

import click
import pytest

from matte.cli.options import (
    FILE,
    echo_path,
    pack_options,
    path_beside,
    print_line,
    print_path,
    torch_required,
)
from matte.errors import BackendError, OutputError
from tests.commands import run


def test_results_lie_beside_their_pictures() -> None:
    assert path_beside(Path("a/photo.jpg"), "-alpha.png") == Path("a/photo-alpha.png")


def test_options_are_packed_into_one_argument() -> None:
    @pack_options("size", "width", "height")
    def command(**arguments: object) -> dict[str, object]:
        return arguments

    assert command(width=1, height=2, name="x") == {"size": {"width": 1, "height": 2}, "name": "x"}


def test_an_empty_name_is_no_file() -> None:
    with pytest.raises(click.BadParameter, match="an empty name"):
        FILE.convert("", None, None)
    assert "an empty name" in run("image", "").stderr


def test_a_missing_package_is_told_with_what_installs_it() -> None:
    remedy = r"training needs torch: run pip install '\.\[train\]' in matte's checkout"
    with pytest.raises(BackendError, match=remedy), torch_required("training"):
        raise ModuleNotFoundError(name="torch")
    with pytest.raises(ModuleNotFoundError), torch_required("training"):
        raise ModuleNotFoundError(name="matte.nothing")  # our bug


def test_a_full_disk_behind_the_output_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(click, "echo", fail)
    with pytest.raises(OutputError, match=r"can't print \(No space left.*: the files are written"):
        print_path(Path("x.png"))


def test_names_are_escaped_on_terminals_and_themselves_for_programs(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    name = Path(os.fsdecode(b"\xff\n\x1b[2J.png"))
    echo_path(name)
    assert capfdbinary.readouterr().out == b"\xff\n\x1b[2J.png\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    echo_path(name)
    assert capfdbinary.readouterr().out == b"\\xff\\n\\x1b[2J.png\n"


def test_a_line_is_one_line_whatever_names_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("a\nb", err=True)
    assert capsys.readouterr() == ("", "a\\nb\n")
