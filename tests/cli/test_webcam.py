import importlib
import signal
import subprocess
import sys
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from matte.configs.loader import MergedSettings, merge_settings
from matte.media.video.clip import open_clip
from matte.media.window import PictureWindow
from tests import fakes
from tests.commands import loaded_by, run
from tests.media.clips import CFR, clip, names, packets

BAND = ("--width", "3")
QUICK = tuple(range(0, 20 * 240, 240))  # a hundred frames a second


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a clip, `in.mp4`, and lines without networks."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("matte.pipeline.build.build", fakes.build)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    clip(tmp_path / "in.mp4", QUICK, rate=Fraction(100))
    return tmp_path


def press(monkeypatch: pytest.MonkeyPatch, script: dict[int, str]) -> list[Any]:
    """Has keys pressed in the window when so many frames were shown; returns what is shown."""
    show, keys, shown = PictureWindow.show, PictureWindow.pressed_keys, []

    def spied(window: PictureWindow, picture: Any, lines: Any = ()) -> None:
        show(window, picture, lines)
        shown.append(picture)

    def posted(window: PictureWindow) -> list[str]:
        pygame = importlib.import_module("pygame")
        for letter in script.pop(len(shown), ""):
            key = pygame.event.Event(pygame.KEYDOWN, key=getattr(pygame, f"K_{letter}"))
            pygame.event.post(key)
        return keys(window)

    monkeypatch.setattr(PictureWindow, "show", spied)
    monkeypatch.setattr(PictureWindow, "pressed_keys", posted)
    return shown


def test_a_file_plays_the_camera_without_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)  # it is not needed
    result = run(
        "webcam", "--device", "in.mp4", "--no-window", "--record", "out.mp4", "--stats", *BAND
    )
    assert result.exit_code == 0, result.output
    assert result.stdout == "out.mp4\n"
    shown = int(result.stderr.split(" shown, ")[0])
    assert "dropped; " in result.stderr
    assert len(list(open_clip(Path("out.mp4")).frames())) == shown > 0


def test_it_ends_after_so_many_frames() -> None:
    words = ("--device", "in.mp4", "--loop", "--frames", "25", "--bg", "white", "--quiet", *BAND)
    result = run("webcam", *words, "--no-window", "--record", "out.mkv", "--mirror", "--stats")
    assert (result.exit_code, result.stdout) == (0, ""), result.output
    assert result.stderr.startswith("25 shown, ")
    assert len(list(open_clip(Path("out.mkv")).frames())) == 25


def test_a_recording_has_the_sound_of_the_file_that_plays(here: Path) -> None:
    source = clip(here / "heard.mp4", QUICK, rate=Fraction(100), sound="stereo")
    words = ("--device", source, "--loop", "--frames", "30", "--bg", "white", "--quiet", *BAND)
    result = run("webcam", *words, "--no-window", "--record", "out.mp4")
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    shown = open_clip(here / "out.mp4")
    times = [float(shown.seconds(frame.pts)) for frame in shown.frames()]
    sound = [float(time) for time, _ in packets(here / "out.mp4", "audio")]
    assert len(times) == 30
    assert times[-1] > 0.2  # the file ends before
    assert abs(sound[-1] - times[-1]) < 0.05
    assert max(after - before for before, after in pairwise(sound)) < 0.05


def test_keys_work_in_the_window(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    shown = press(monkeypatch, {3: "b", 5: "h", 6: "r", 9: "s", 10: "m", 12: "q"})
    result = run("webcam", "--device", "in.mp4", "--loop", "--bg", "white", "--bg", "red")
    assert result.exit_code == 0, result.output
    assert len(shown) == 12
    assert shown[2][:, :, 1].mean() > shown[4][:, :, 1].mean()  # white, then red
    assert result.stdout == "webcam-1.png\nwebcam-1.mp4\n"
    assert names(here) == ["in.mp4", "webcam-1.mp4", "webcam-1.png"]
    assert len(list(open_clip(Path("webcam-1.mp4")).frames())) == 6


def test_a_second_recording_gets_a_number(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    press(monkeypatch, {3: "r", 5: "r", 8: "q"})
    result = run("webcam", "--device", "in.mp4", "--loop", "--record", "a.mp4")
    assert (result.exit_code, result.stdout) == (0, "a.mp4\na-1.mp4\n"), result.output
    assert [len(list(open_clip(here / name).frames())) for name in ("a.mp4", "a-1.mp4")] == [3, 3]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--device", "missing.mp4"), 1, "can't read missing.mp4"),
        (("--device", "in.mp4", "--size", "64x48"), 2, "a file has its own size and rate"),
        (("--size", "64"), 2, "'64' is not a size: give width and height"),
        (("--size", "0x48"), 2, "'0x48' is not a size"),
        (("--device", "in.mp4", "--record", "in.mp4"), 1, "in.mp4 is named twice"),
        (("--device", "in.mp4", "--record", "bg.mp4", "--bg", "bg.mp4"), 1, "can't read bg.mp4"),
        (("--device", "in.mp4", "--record", "out.txt"), 1, "can't write out.txt: end it in"),
        (("--device", "in.mp4", "--record", "no/out.mp4"), 1, "no folder no"),
        (("--device", "in.mp4", "--bg", "nothing"), 2, "background 'nothing' is neither"),
        (("--device", "in.mp4", "--temporal", "ofd"), 2, "use --temporal flow or off"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(
    here: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    before = (here / "in.mp4").read_bytes()
    result = run("webcam", "--no-window", *words)
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("Error: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert names(here) == ["in.mp4"]
    assert (here / "in.mp4").read_bytes() == before


def test_a_background_is_not_written_over(here: Path) -> None:
    clip(here / "bg.mp4", (0, 1001))
    words = ("--bg", "bg.mp4", "--record", "bg.mp4", "--overwrite")
    result = run("webcam", "--device", "in.mp4", "--no-window", *words)
    assert result.exit_code == 1
    assert result.stderr == "Error: bg.mp4 is named twice: give every file its own name\n"
    assert names(here) == ["bg.mp4", "in.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="cameras are files on Linux")
def test_there_may_be_no_camera(here: Path) -> None:
    result = run("webcam", "--device", "97", "--no-window")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no camera 97 (/dev/video97): plug one in")
    assert result.stderr.count("\n") == 1


def test_there_may_be_no_pygame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    result = run("webcam", "--device", "in.mp4")
    assert result.exit_code == 1
    assert (
        result.stderr
        == "Error: matte webcam needs a window: run pip install '.[webcam]' in matte's checkout\n"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a display")
def test_there_may_be_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SDL_VIDEODRIVER", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    result = run("webcam", "--device", "in.mp4")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: no display for a window (")
    assert result.stderr.endswith("run it on a desktop, or with --no-window --record FILE\n")


@pytest.mark.parametrize(
    ("number", "window"), [(signal.SIGINT, ()), (signal.SIGTERM, ("--no-window",))]
)
def test_signals_finish_the_recording(here: Path, number: int, window: tuple[str, ...]) -> None:
    clip(here / "long.mp4", CFR)
    code = (
        "import sys\n"
        "from tests import fakes\n"
        "import matte.pipeline.build\n"
        "matte.pipeline.build.build = fakes.build\n"
        "from matte.cli.main import main\n"
        "main(sys.argv[1:])"
    )
    words = ("webcam", "--device", "long.mp4", "--loop", "--record", "out.mp4", "--stats", *BAND)
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(root)!r})\n{code}",
            *words,
            *window,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=here,
    ) as process:
        for _ in range(600):  # until it writes
            if any(path.name.startswith(".matte") for path in here.iterdir()):
                break
            time.sleep(0.05)
        time.sleep(1.5)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out == "out.mp4\n"
    assert len(list(open_clip(here / "out.mp4").frames())) == int(err.split(" shown, ")[0]) > 5
    assert names(here) == ["in.mp4", "long.mp4", "out.mp4"]


def test_help_loads_neither_video_nor_a_window() -> None:
    assert not loaded_by("--help") & {"av", "pygame"}
    assert not loaded_by("webcam", "--help") & {"av", "pygame", "numpy"}


def test_the_preset_is_fast_unless_another_is_named(here: Path) -> None:
    assert "[default: fast]" in " ".join(run("webcam", "--help").stdout.split())
    (here / "own.toml").write_text('preset = "best"\n')
    words = ("webcam", "--device", "none.mp4", "--no-window")
    found: list[str] = []

    def note(*given: Any, **named: Any) -> MergedSettings:
        merged = merge_settings(*given, **named)
        found.append(merged.preset)
        return merged

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matte.cli.settings.merge_settings", note)
        for more in ((), ("--config", here / "own.toml"), ("--preset", "balanced")):
            run(*words, *more)
    assert found == ["fast", "best", "balanced"]


def test_it_runs_with_networks(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(here)
    words = ("--preset", "fast", "--backend", "onnx", "--precision", "fp32", "--frames", "3")
    result = run("webcam", "--device", "in.mp4", "--loop", "--no-window", *words, "--stats")
    assert result.exit_code == 0, result.output
    assert "3 shown, " in result.stderr
