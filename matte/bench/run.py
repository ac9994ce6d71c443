"""The whole benchmark, one size after the other."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import matte
from matte.bench.contestants import (
    AUTO,
    Contestant,
    contestants,
    forget_choices,
    networks_of,
)
from matte.bench.peers import Peer, command_of, version_of
from matte.bench.processes import MATTE, Command, Timed, time_commands, time_once
from matte.bench.report import MATTE as IMAGE
from matte.bench.report import BenchReport, Measured
from matte.bench.sizes import Size, framed
from matte.bench.warm import Worker, measure
from matte.configs.fields import as_table
from matte.configs.loader import MergedSettings, written_values
from matte.configs.places import weights_folder
from matte.configs.settings import Config
from matte.errors import MatteError
from matte.media.encoding import encode
from matte.media.pictures import read_photo
from matte.runtime.machine import describe_machine

SAMPLE = Path(matte.__file__).parent / "media" / "samples" / "astronaut.jpg"
# Loads the networks of a settings file, and does nothing with them.
LOAD = """
import sys
from pathlib import Path
from matte.configs.fields import as_table
from matte.configs.loader import merge_settings
from matte.pipeline.build import build
build(merge_settings(file=Path(sys.argv[1])))
"""
COLD = "cold "  # begins the names of contestants' processes
Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured."""

    merged: MergedSettings
    sizes: Sequence[Size]
    runtimes: Sequence[str] = ()  # none: all that are here
    runs: int = 7
    cold: bool = True  # whole processes too
    peers: Sequence[Peer] = ()
    picture: Path = SAMPLE


class Steps:
    """Counts what is done, for a progress bar."""

    def __init__(self, total: int, watch: Watch) -> None:
        self._done, self._total, self._watch = 0, total, watch

    def __call__(self) -> None:
        """One more is done."""
        self._done += 1
        self._watch(self._done, self._total)


def run_bench(plan: Plan, watch: Watch = lambda done, total: None) -> BenchReport:
    """Measures everything; raises if no contestant can run the line, or a peer is not here.

    What `auto` has learnt is forgotten, and learnt anew.
    """
    config = plan.merged.config
    # Nothing that steps in for a line is to be timed as that line.
    config = replace(config, pipeline=replace(config.pipeline, fallback="none", budget_ms=None))
    field = contestants(networks_of(config), config.runtime, plan.runtimes)
    photo = read_photo(plan.picture, config.media.max_pixels)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for peer in plan.peers:  # what is missing is told before anything takes time
            command_of(peer, folder, folder)
        pictures = [folder / f"{size.width}x{size.height}.jpg" for size in plan.sizes]
        for size, picture in zip(plan.sizes, pictures, strict=True):
            picture.write_bytes(encode(framed(photo.pixels, size), ".jpg"))
        if any(contestant.name == AUTO for contestant in field):
            forget_choices(config)
            _learn(field[0], config, pictures[0], folder)
        each = len(field) + len(_commands(plan, field, pictures[0], folder))
        steps = Steps(len(pictures) * (1 + plan.runs) * each, watch)
        measured = []
        for size, picture in zip(plan.sizes, pictures, strict=True):
            warm = measure(config, field, picture, plan.runs, folder, steps)
            if not any(contestant.total for contestant in warm):
                raise MatteError(warm[0].error)
            cold, processes = _whole(plan, field, picture, folder, steps)
            measured.append(Measured(size, warm, cold, processes))
    return BenchReport(
        date.today().isoformat(),
        describe_machine(),
        plan.merged.preset,
        written_values(plan.merged.config),
        plan.picture.name,
        {peer.name: version_of(peer) for peer in plan.peers},
        measured,
    )


def _whole(
    plan: Plan, field: Sequence[Contestant], picture: Path, folder: Path, steps: Steps
) -> tuple[dict[str, Timed], list[Timed]]:
    """Whole processes: those of the contestants by name, and all others."""
    times = time_commands(_commands(plan, field, picture, folder), plan.runs, steps)
    cold = {c.name: times[COLD + c.name] for c in field if COLD + c.name in times}
    others = [timed for name, timed in times.items() if not name.startswith(COLD)]
    if plan.cold:
        if plan.merged.config.runtime.backend == AUTO:
            cold[AUTO] = times[IMAGE]  # is what it does
        others.append(_first_time(plan.merged.config, picture, folder))
    return cold, others


def _learn(automatic: Contestant, config: Config, picture: Path, folder: Path) -> None:
    """Has `auto` try everything, in a process that is not measured."""
    worker = Worker(automatic, config, picture, folder / "learn.json")
    try:
        worker.answer()
    except MatteError:
        return  # it will fail, and be told, where it is measured
    finally:
        worker.end()


def _commands(
    plan: Plan, field: Sequence[Contestant], picture: Path, folder: Path
) -> list[Command]:
    """The processes that are timed beside each other."""
    config = plan.merged.config
    own = _settings_file(config, folder / "settings.toml")
    found = []
    if plan.cold:
        found += [
            Command("python", (sys.executable, "-c", "pass"), note="an empty interpreter"),
            Command("matte config show", (*MATTE, "config", "show", "--config", own)),
            Command("networks loaded", (sys.executable, "-c", LOAD, own), note="nothing run"),
        ]
    if plan.cold or plan.peers:
        # What lies behind the subject is any picture of that size.
        found.append(_image(f"{IMAGE} --bg", own, picture, folder, "--bg", str(picture)))
        found.append(_image(IMAGE, own, picture, folder))
    if plan.cold:
        for number, contestant in enumerate(field):
            runtime = contestant.runtime
            if runtime is not None and runtime != config.runtime:
                file = _settings_file(replace(config, runtime=runtime), folder / f"{number}.toml")
                found.append(_image(COLD + contestant.name, file, picture, folder))
    target = folder / "peer.png"
    return [*found, *(command_of(peer, picture, target) for peer in plan.peers)]


def _first_time(config: Config, picture: Path, folder: Path) -> Timed:
    """What the first run on a machine takes: nothing is compiled, and `auto` knows nothing."""
    home = Path(tempfile.mkdtemp(dir=folder))
    if weights_folder().is_dir():
        lend(weights_folder(), home / "weights")
    own = _settings_file(config, folder / "settings.toml")
    command = _image(f"{IMAGE}, first time", own, picture, folder)
    return time_once(replace(command, env={"MATTE_HOME": str(home)}, note="empty cache"))


def lend(folder: Path, place: Path) -> None:
    """Has what the folder holds lie at that place too."""
    try:
        place.symlink_to(folder, target_is_directory=True)
    except OSError:  # on Windows links need a privilege
        shutil.copytree(folder, place)


def _image(name: str, settings: str, picture: Path, folder: Path, *more: str) -> Command:
    target = folder / "matte.png"
    words = ("image", str(picture), *more, "-o", str(target), "--quiet", "--config", settings)
    return Command(name, (*MATTE, *words), result=target)


def _settings_file(config: Config, file: Path) -> str:
    """Writes all settings as TOML."""
    lines = []
    for section, table in as_table(config).items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {json.dumps(v, ensure_ascii=False)}" for key, v in table.items()]
    file.write_text("\n".join(lines), encoding="utf-8")
    return str(file)
