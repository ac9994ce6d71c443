"""Which of several ways to run a network is the fastest here: tried once, then remembered."""

import hashlib
import json
import os
import platform
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matte.configs.places import cache
from matte.configs.settings import RuntimeSettings
from matte.errors import BackendError, MatteError, MatteWarning, OutputError
from matte.files import write_file
from matte.runtime.engines import engines_of
from matte.runtime.session import Session, told_size
from matte.runtime.threads import usable_threads
from matte.runtime.ways import Network, Way

RUNTIMES = ("openvino", "onnxruntime", "torch", "tensorrt")
SIZE = 320  # of what is tried, in pixels, where the network doesn't tell its own
ROUNDS = 5
ONE_AT_A_TIME = threading.Lock()  # two networks that are tried at once would slow each other
# Of the time of the way that is likely the fastest: less may be another process's doing, and a
# second runtime takes time and memory to load.
CLEARLY = 0.75
# How far a way's results may lie from the first fp32 way's, (largest, mean): what lies farther is
# broken. Whether bf16 or int8 is as good was measured before, on pictures.
TOLERANCE = {"fp32": (1e-3, 1e-4)}
ROUGHLY = (np.inf, 0.1)


def recall(network: Network, settings: RuntimeSettings) -> Way | None:
    """The way that was found to be the fastest for this network on this machine."""
    if not network.digest:
        return None
    try:
        told = json.loads(_place(network, settings).read_bytes())
        return Way(**told["way"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(network: Network, settings: RuntimeSettings) -> None:
    """Has the ways tried again."""
    with suppress(OSError):
        _place(network, settings).unlink(missing_ok=True)


def fastest(
    network: Network,
    ways: Sequence[Way],
    settings: RuntimeSettings,
    open_way: Callable[[Way], Session],
) -> Session:
    """The session of the fastest way whose results are right; which it is is remembered.

    Where nothing can be remembered, the likely fastest is taken untried.
    """
    file = _place(network, settings)
    if not network.digest or not _writable(file):
        return open_way(replace(ways[0], why="likely the fastest; nothing can be remembered"))
    with ONE_AT_A_TIME:
        return _fastest(file, ways, open_way)


def _fastest(file: Path, ways: Sequence[Way], open_way: Callable[[Way], Session]) -> Session:
    sessions: dict[Way, Session] = {}
    failed: dict[Way, MatteError] = {}
    for way in ways:
        try:
            sessions[way] = open_way(way)
        except MatteError as error:
            failed[way] = error
    seconds = _tried(sessions, failed)
    if not seconds:
        raise failed[ways[0]]
    for way, refusal in failed.items():
        warnings.warn(f"{way} is left out: {refusal}", MatteWarning, stacklevel=4)
    best = min(seconds, key=seconds.__getitem__)
    first = next(iter(seconds))
    reason = "the fastest here"
    if seconds[best] > CLEARLY * seconds[first]:
        best, reason = first, "none is clearly faster here"
    times = ", ".join(f"{way} {1000 * s:.1f} ms" for way, s in seconds.items())
    chosen = replace(best, why=f"{reason} ({times})")
    told = {"way": asdict(chosen), "failed": {str(w): str(e) for w, e in failed.items()}}
    with suppress(OutputError):
        write_file(file, json.dumps(told, indent=1).encode(), overwrite=True)
    session = sessions[best]
    session.way = chosen
    return session


def _tried(sessions: Mapping[Way, Session], failed: dict[Way, MatteError]) -> dict[Way, float]:
    """Seconds of the ways that give what the first fp32 way gives, in the order given; why others
    don't goes into `failed`.
    """
    if not sessions:
        return {}
    given = _example(next(iter(sessions.values())))
    found = {}
    for way, session in sessions.items():
        try:
            found[way] = session.run(given)
        except MatteError as error:
            failed[way] = error
    reference = next((way for way in found if way.precision == "fp32"), None)
    seconds = {}
    for way, values in found.items():
        if reference is None or _agree(values, found[reference], way.precision):
            seconds[way] = np.inf
        else:
            failed[way] = BackendError(f"its results are not those of {reference}")
    for _ in range(ROUNDS):  # in turns, so that a busy moment hits all
        for way in seconds:
            start = time.perf_counter()
            sessions[way].run(given)
            seconds[way] = min(seconds[way], time.perf_counter() - start)
    return seconds


def _agree(found: dict[str, Any], expected: dict[str, Any], precision: str) -> bool:
    largest, mean = TOLERANCE.get(precision, ROUGHLY)
    for name, values in expected.items():
        apart = np.abs(found[name] - values)
        # Phrased so that NaN fails.
        if not (apart.max() <= largest and apart.mean() <= mean):
            return False
    return True


def _example(session: Session) -> dict[str, NDArray[np.float32]]:
    """Something to run the network on, of its own size."""
    from matte.runtime.examples import portrait_inputs

    size = told_size(session) or SIZE
    sizes = [shape[2:] for shape in session.inputs.values() if len(shape) == 4]
    height, width = sizes[0] if sizes else (size, size)
    return portrait_inputs(session.inputs, 1, height or size, width or size)


def _place(network: Network, settings: RuntimeSettings) -> Path:
    """The file that the choice is kept in; another machine's is another."""
    asked = (
        settings.backend,
        settings.device,
        settings.precision,
        settings.require_gpu,
        settings.torch_compile,
    )
    threads = settings.threads or usable_threads()
    facts = (
        network.digest,
        network.as_good_in,
        network.int8 and network.int8.stat().st_mtime_ns,
        asked,
        threads,
        *machine(),
        *engines_of(network),  # a new one is a way that was not tried
    )
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:20]
    return cache() / "choices" / f"{name}.json"


def machine() -> tuple[str, ...]:
    """What makes this machine's speeds its own: processor, graphics drivers, runtimes."""
    return (platform.machine(), _processor(), *_graphics(), *_installed())


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line
    return platform.processor()


def has_nvidia() -> bool:
    """Whether there may be a GPU of NVIDIA's; asked before anything large is imported."""
    return platform.system() == "Windows" or Path("/proc/driver/nvidia/version").exists()


def _graphics() -> Iterator[str]:
    with suppress(OSError):
        yield Path("/proc/driver/nvidia/version").read_text()
    yield from sorted(str(path) for path in Path("/dev/dri").glob("renderD*"))


def _installed() -> Iterator[str]:
    """When each runtime was installed: to ask for versions takes longer than all the rest."""
    for package in RUNTIMES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            yield f"{package} {Path(spec.origin).stat().st_mtime_ns}"


def _writable(file: Path) -> bool:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(file.parent, os.W_OK)
