"""What is found out on every machine of a cluster before a run begins."""

import os
import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import matte
from matte.errors import BackendError, MatteError, OutputError, SettingError
from matte.files import make_folder
from matte.fleet.executions import Executions, choose_executions
from matte.fleet.request import FleetRequest
from matte.fleet.worker import BlockWorker
from matte.photos.run_file import RUN_FOLDER
from matte.placement import remove_quietly
from matte.runtime.machine import processor_name


@dataclass(frozen=True, slots=True)
class ClusterProbe:
    """What the driver has written and read, for each machine to compare: a token and a source."""

    version: str
    token: str
    written: Path
    source: Path
    source_bytes: int


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What a machine of the cluster is, how its networks run, and what stops it from working."""

    machine: str
    processor: str
    executions: Mapping[str, Executions]
    problem: MatteError | None = None


@contextmanager
def cluster_probe(results: Path, source: Path) -> Iterator[ClusterProbe]:
    """Yield what machines compare, from a source that the driver reads; it is removed then."""
    folder, token = results / RUN_FOLDER, secrets.token_hex(8)
    make_folder(folder)
    written = folder / f"probe-{token}"
    try:
        written.write_text(token)
        size = source.stat().st_size
    except OSError as error:
        cause = f"can't write into {folder} ({error.strerror})"
        raise OutputError(cause, "name another folder") from error
    try:
        yield ClusterProbe(matte.__version__, token, written, source, size)
    finally:
        remove_quietly(written)


def examine_machine(request: FleetRequest, probe: ClusterProbe) -> MachineReport:
    """Return what this machine is, and the first problem that stops it from doing the request."""
    report = MachineReport(platform.node(), processor_name(), {})
    try:
        _compare_version(probe)
        _compare_files(probe)
        _compare_networks(request)
        chosen = {
            v.name: dict(v.executions)
            if v.executions is not None
            else choose_executions(v.settings, request.has_clips)
            for v in request.variants
        }
    except MatteError as error:
        return replace(report, problem=error)
    return replace(report, executions=chosen)


def choose_all_executions(request: FleetRequest) -> dict[str, Executions] | MatteError:
    """Return how the networks of each variant run on this machine, or why they can't."""
    try:
        return {
            each.name: choose_executions(each.settings, request.has_clips)
            for each in request.variants
        }
    except MatteError as error:
        return error


def _compare_version(probe: ClusterProbe) -> None:
    """Raise unless this machine has the driver's version of matte."""
    if matte.__version__ != probe.version:
        cause = f"it has matte {matte.__version__}, and this program is {probe.version}"
        raise BackendError(cause, "install the same on all machines")


def _compare_files(probe: ClusterProbe) -> None:
    """Raise unless this machine reads the driver's files, and writes beside them."""
    try:
        size = probe.source.stat().st_size
        with probe.source.open("rb") as file:
            file.read(1)
    except OSError as error:
        cause = f"it can't read {probe.source} ({error.strerror})"
        raise OutputError(cause, "give a folder that all machines share") from error
    try:
        shared = probe.written.read_text() == probe.token
    except OSError:
        shared = False
    if not shared or size != probe.source_bytes:
        cause = f"its {probe.written.parent.parent} is another folder"
        raise OutputError(cause, "give folders that all machines share")
    own = probe.written.with_name(f"{probe.written.name}-{secrets.token_hex(4)}")
    try:
        own.write_text(probe.token)
    except OSError as error:
        cause = f"it can't write into {own.parent} ({error.strerror})"
        raise OutputError(cause, "let the workers' user write there") from error
    finally:
        remove_quietly(own)


def _compare_networks(request: FleetRequest) -> None:
    """Raise unless this machine has the driver's networks, and opens them as the driver wants."""
    worker = BlockWorker(request)
    for variant in request.variants:
        expected = request.fingerprints.get(variant.name, {})
        for name, value in variant.fingerprint(request.has_clips).items():
            if name in expected and value != expected[name] and name.endswith(" file"):
                cause = f"its {name.removesuffix(' file')} is another file than here, or missing"
                raise BackendError(cause, "store the same networks on all machines")
        worker.pipeline(variant, for_clips=False)
        if request.has_clips:
            worker.pipeline(variant, for_clips=True)


def refuse_problems(reports: Sequence[MachineReport]) -> None:
    """Raise for the first machine that can't work; its name and those of others are said."""
    broken = [report for report in reports if report.problem is not None]
    if not broken:
        return
    first = broken[0].problem
    assert first is not None
    more = f" (and {len(broken) - 1} more machines)" if len(broken) > 1 else ""
    kind = SettingError if isinstance(first, SettingError) else BackendError
    raise kind(f"worker machine {broken[0].machine}{more}: {first.cause}", first.remedy)


def processor_kinds(reports: Sequence[MachineReport]) -> list[str]:
    """Return the names of the machines' processors, each once."""
    return sorted({report.processor or os.uname().machine for report in reports})
