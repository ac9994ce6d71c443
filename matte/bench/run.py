"""Run a whole benchmark, one frame size after the other."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import matte
from matte.bench.candidates import (
    AUTO,
    Candidate,
    find_candidates,
    forget_choices,
    networks_of_line,
)
from matte.bench.frame_sizes import FrameSize, fit_to_frame
from matte.bench.line_timing import WorkerProcess, time_candidates
from matte.bench.peers import BenchPeer, peer_command, peer_version
from matte.bench.process_timing import (
    MATTE_COMMAND,
    Command,
    ProcessTiming,
    time_commands,
    time_once,
)
from matte.bench.report import MATTE_IMAGE as IMAGE
from matte.bench.report import BenchReport, SizeReport
from matte.configs.fields import as_table
from matte.configs.loader import MergedSettings, written_values
from matte.configs.places import weights_folder
from matte.configs.settings import Config
from matte.errors import MatteError
from matte.media.encoding import encode
from matte.media.pictures import read_photo
from matte.runtime.machine import describe_machine

SAMPLE_PICTURE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
# Loads the networks of a settings file, and does nothing with them.
LOAD_SCRIPT = """
import sys
from pathlib import Path
from matte.configs.fields import as_table
from matte.configs.loader import merge_settings
from matte.pipeline.build import build
build(merge_settings(file=Path(sys.argv[1])))
"""
COLD_PREFIX = "cold "  # begins the names of candidates' processes
WatchSteps = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """The settings, sizes, runtimes and peers of a benchmark."""

    merged: MergedSettings
    sizes: Sequence[FrameSize]
    runtimes: Sequence[str] = ()  # none: all that are here
    runs: int = 7
    cold: bool = True  # whole processes too
    peers: Sequence[BenchPeer] = ()
    picture: Path = SAMPLE_PICTURE


class StepCounter:
    """Counts finished steps for a progress bar."""

    def __init__(self, total: int, watch: WatchSteps) -> None:
        self._done, self._total, self._watch = 0, total, watch

    def __call__(self) -> None:
        """Count one more finished step."""
        self._done += 1
        self._watch(self._done, self._total)


def run_bench(plan: BenchPlan, watch: WatchSteps = lambda done, total: None) -> BenchReport:
    """Measure everything that a plan names; raise if no candidate can run the line.

    What `auto` has learnt is forgotten, and learnt anew.
    """
    config = plan.merged.config
    # Nothing that steps in for a line is to be timed as that line.
    config = replace(config, pipeline=replace(config.pipeline, fallback="none", budget_ms=None))
    field = find_candidates(networks_of_line(config), config.runtime, plan.runtimes)
    photo = read_photo(plan.picture, config.media.max_pixels)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for peer in plan.peers:  # what is missing is an error before anything takes time
            peer_command(peer, folder, folder)
        pictures = [folder / f"{size.width}x{size.height}.jpg" for size in plan.sizes]
        for size, picture in zip(plan.sizes, pictures, strict=True):
            picture.write_bytes(encode(fit_to_frame(photo.pixels, size), ".jpg"))
        if any(candidate.name == AUTO for candidate in field):
            forget_choices(config)
            _measure_auto(field[0], config, pictures[0], folder)
        each = len(field) + len(_all_commands(plan, field, pictures[0], folder))
        steps = StepCounter(len(pictures) * (1 + plan.runs) * each, watch)
        measured = []
        for size, picture in zip(plan.sizes, pictures, strict=True):
            warm = time_candidates(config, field, picture, plan.runs, folder, steps)
            if not any(candidate.total for candidate in warm):
                raise MatteError(warm[0].error)
            cold, processes = _time_processes(plan, field, picture, folder, steps)
            measured.append(SizeReport(size, warm, cold, processes))
    return BenchReport(
        date.today().isoformat(),
        describe_machine(),
        plan.merged.preset,
        written_values(plan.merged.config),
        plan.picture.name,
        {peer.name: peer_version(peer) for peer in plan.peers},
        measured,
    )


def _time_processes(
    plan: BenchPlan, field: Sequence[Candidate], picture: Path, folder: Path, steps: StepCounter
) -> tuple[dict[str, ProcessTiming], list[ProcessTiming]]:
    """Return the timings of whole processes: those of candidates by name, and all others."""
    times = time_commands(_all_commands(plan, field, picture, folder), plan.runs, steps)
    cold = {c.name: times[COLD_PREFIX + c.name] for c in field if COLD_PREFIX + c.name in times}
    others = [timed for name, timed in times.items() if not name.startswith(COLD_PREFIX)]
    if plan.cold:
        if plan.merged.config.runtime.backend == AUTO:
            cold[AUTO] = times[IMAGE]  # is what it does
        others.append(_time_first_run(plan.merged.config, picture, folder))
    return cold, others


def _measure_auto(automatic: Candidate, config: Config, picture: Path, folder: Path) -> None:
    """Have `auto` measure every execution, in a process that is not timed."""
    worker = WorkerProcess(automatic, config, picture, folder / "learn.json")
    try:
        worker.answer()
    except MatteError:
        return  # it will fail again, with an error, where it is timed
    finally:
        worker.end()


def _all_commands(
    plan: BenchPlan, field: Sequence[Candidate], picture: Path, folder: Path
) -> list[Command]:
    """Return the commands that are timed beside each other."""
    config = plan.merged.config
    own = _write_settings(config, folder / "settings.toml")
    found = []
    if plan.cold:
        found += [
            Command("python", (sys.executable, "-c", "pass"), note="an empty interpreter"),
            Command("matte config show", (*MATTE_COMMAND, "config", "show", "--config", own)),
            Command(
                "networks loaded", (sys.executable, "-c", LOAD_SCRIPT, own), note="nothing run"
            ),
        ]
    if plan.cold or plan.peers:
        # What lies behind the subject is any picture of that size.
        found.append(_image_command(f"{IMAGE} --bg", own, picture, folder, "--bg", str(picture)))
        found.append(_image_command(IMAGE, own, picture, folder))
    if plan.cold:
        for number, candidate in enumerate(field):
            runtime = candidate.runtime
            if runtime is not None and runtime != config.runtime:
                file = _write_settings(replace(config, runtime=runtime), folder / f"{number}.toml")
                found.append(_image_command(COLD_PREFIX + candidate.name, file, picture, folder))
    target = folder / "peer.png"
    return [*found, *(peer_command(peer, picture, target) for peer in plan.peers)]


def _time_first_run(config: Config, picture: Path, folder: Path) -> ProcessTiming:
    """Return the timing of the first run on a machine: nothing is compiled or remembered."""
    home = Path(tempfile.mkdtemp(dir=folder))
    if weights_folder().is_dir():
        link_or_copy(weights_folder(), home / "weights")
    own = _write_settings(config, folder / "settings.toml")
    command = _image_command(f"{IMAGE}, first time", own, picture, folder)
    return time_once(replace(command, env={"MATTE_HOME": str(home)}, note="empty cache"))


def link_or_copy(folder: Path, place: Path) -> None:
    """Make a folder's content appear at another path: a link, or a copy where links need rights."""
    try:
        place.symlink_to(folder, target_is_directory=True)
    except OSError:  # on Windows links need a privilege
        shutil.copytree(folder, place)


def _image_command(name: str, settings: str, picture: Path, folder: Path, *more: str) -> Command:
    """Return the command `matte image` with a settings file for a picture."""
    target = folder / "matte.png"
    words = ("image", str(picture), *more, "-o", str(target), "--quiet", "--config", settings)
    return Command(name, (*MATTE_COMMAND, *words), result=target)


def _write_settings(config: Config, file: Path) -> str:
    """Write all settings as TOML and return the file's path."""
    lines = []
    for section, table in as_table(config).items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {json.dumps(v, ensure_ascii=False)}" for key, v in table.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)
