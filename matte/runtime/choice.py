"""Which of several ways to run a network is the fastest here: tried once, then remembered."""

import hashlib
import json
import os
import platform
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from matte.runtime.graphics import nvidia_gpus
from matte.runtime.machine import processor
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
ROUGHLY = (np.inf, 0.05)


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

    Where nothing can be remembered, the likely fastest of those that open is taken untried.
    """
    file = _place(network, settings)
    failed: dict[Way, MatteError] = {}
    if not network.digest or not _writable(file):
        for way, session in _opened(ways, open_way, failed):
            _warn_of(failed)
            return _chosen(session, way, "likely the fastest; nothing can be remembered")
        raise failed[ways[0]]
    with ONE_AT_A_TIME:
        sessions = dict(_opened(ways, open_way, failed))
        seconds = _tried(sessions, failed)
    if not seconds:
        raise failed[ways[0]]
    _warn_of(failed)
    best, first = min(seconds, key=seconds.__getitem__), next(iter(seconds))
    reason = "the fastest here" if seconds[best] else "untried: its inputs are no pictures"
    if seconds[best] > CLEARLY * seconds[first]:
        best, reason = first, "none is clearly faster here"
    times = ", ".join(f"{way} {1000 * s:.1f} ms" for way, s in seconds.items())
    session = _chosen(sessions[best], best, f"{reason} ({times})")
    told = {"way": asdict(session.way), "failed": {str(w): str(e) for w, e in failed.items()}}
    with suppress(OutputError):
        write_file(file, json.dumps(told, indent=1).encode(), overwrite=True)
    return session


def _opened(
    ways: Sequence[Way], open_way: Callable[[Way], Session], failed: dict[Way, MatteError]
) -> Iterator[tuple[Way, Session]]:
    """Those that open; why others don't goes into `failed`."""
    for way in ways:
        try:
            yield way, open_way(way)
        except MatteError as error:
            failed[way] = error


def _warn_of(failed: Mapping[Way, MatteError]) -> None:
    for way, refusal in failed.items():
        warnings.warn(f"{way} is left out: {refusal}", MatteWarning, stacklevel=4)


def _chosen(session: Session, way: Way, why: str) -> Session:
    session.way = replace(way, why=why)
    return session


def _tried(sessions: Mapping[Way, Session], failed: dict[Way, MatteError]) -> dict[Way, float]:
    """Seconds of the ways that give what the first fp32 way gives, in the order given; why others
    don't goes into `failed`. Networks that nobody knows how to feed take no time.
    """
    given = _example(next(iter(sessions.values()))) if sessions else None
    if given is None:
        return dict.fromkeys(sessions, 0.0)
    found = {}
    for way, session in sessions.items():
        try:
            found[way] = list(session.run(given).values())
        except MatteError as error:
            failed[way] = error
    # A CPU's word counts before a GPU's.
    exact = sorted((w for w in found if w.precision == "fp32"), key=lambda w: w.device != "cpu")
    seconds = {}
    for way, values in found.items():
        if _agree(values, found[exact[0]] if exact else values, way.precision):
            seconds[way] = np.inf
        else:
            than = f"those of {exact[0]}" if exact else "numbers"
            failed[way] = BackendError(f"its results are not {than}")
    for _ in range(ROUNDS):  # in turns, so that a busy moment hits all
        for way in list(seconds):
            start = time.perf_counter()
            try:
                sessions[way].run(given)
            except MatteError as error:
                failed[way] = error
                del seconds[way]
                continue
            seconds[way] = min(seconds[way], time.perf_counter() - start)
    return seconds


def _agree(found: Sequence[Any], expected: Sequence[Any], precision: str) -> bool:
    """Whether outputs are the same, as far as the precision goes, for their size."""
    if [values.shape for values in found] != [values.shape for values in expected]:
        return False
    largest, mean = TOLERANCE.get(precision, ROUGHLY)
    for values, others in zip(found, expected, strict=True):
        size = max(1.0, float(np.abs(others).max(initial=0)))
        apart = np.abs(values - others) / size
        # Phrased so that NaN fails.
        if not (apart.max(initial=0) <= largest and apart.mean() <= mean):
            return False
    return True


def _example(session: Session) -> dict[str, NDArray[np.float32]] | None:
    """Something to run the network on, of its own size; None for inputs that are no pictures."""
    from matte.runtime.examples import portrait_inputs

    size = told_size(session) or SIZE
    height = width = None
    for shape in session.inputs.values():
        pictures = len(shape) == 4 and shape[0] in (None, 1) and shape[1] in (None, 1, 3)
        if not (pictures or len(shape) == 1):
            return None
        if pictures:
            height, width = shape[2:]
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
        *_stamps([network.int8] if network.int8 else []),
        asked,
        threads,
        *machine(),
        *engines_of(network),  # a new one is a way that was not tried
    )
    name = hashlib.sha256(repr(facts).encode()).hexdigest()[:20]
    return cache() / "choices" / f"{name}.json"


def machine() -> tuple[str, ...]:
    """What makes this machine's speeds its own: processor, graphics drivers, runtimes."""
    return (platform.machine(), processor(), *_graphics(), *_installed())


def _graphics() -> Iterator[str]:
    yield from nvidia_gpus()
    with suppress(OSError):
        yield Path("/proc/driver/nvidia/version").read_text()
    yield from sorted(str(path) for path in Path("/dev/dri").glob("renderD*"))


def _installed() -> Iterator[str]:
    """When each runtime was installed: to ask for versions takes longer than all the rest."""
    specs = [find_spec(package) for package in RUNTIMES]
    return _stamps([Path(s.origin) for s in specs if s is not None and s.origin is not None])


def _stamps(files: Iterable[Path]) -> Iterator[str]:
    """What changes with the files."""
    for file in files:
        with suppress(OSError):
            yield f"{file} {file.stat().st_mtime_ns}"


def _writable(file: Path) -> bool:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(file.parent, os.W_OK)
