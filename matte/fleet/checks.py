"""What is found out on every machine of a cluster before a run begins."""

import os
import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import matte
from matte.errors import (
    BackendError,
    MatteError,
    MissingObjectError,
    OutputError,
    SettingError,
    StoreError,
)
from matte.fleet.request import FleetRequest
from matte.fleet.worker import BlockWorker
from matte.photos.locations import Location
from matte.photos.run_file import RUN_FOLDER, source_state
from matte.pipeline.executions import Executions, choose_executions
from matte.runtime.machine import processor_name
from matte.stores.folder import FolderStore
from matte.stores.stored_file import StoredFile


@dataclass(frozen=True, slots=True)
class ClusterProbe:
    """What the driver has written and read, for each machine to compare: a token and a source."""

    version: str
    token: str
    written: StoredFile
    source: Location
    source_bytes: int


@dataclass(frozen=True, slots=True)
class MachineReport:
    """What a machine of the cluster is, how its networks run, and what stops it from working."""

    machine: str
    processor: str
    executions: Mapping[str, Executions]
    problem: MatteError | None = None


@contextmanager
def cluster_probe(results: Location, source: Location) -> Iterator[ClusterProbe]:
    """Yield what machines compare, from a source that the driver reads; it is removed then."""
    token = secrets.token_hex(8)
    if isinstance(results, Path):
        results = StoredFile(FolderStore(results), "")
    written = results / RUN_FOLDER / f"probe-{token}"
    written.write(token.encode())
    try:
        yield ClusterProbe(matte.__version__, token, written, source, source_state(source)[0])
    finally:
        _delete_quietly(written)


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
        is_shared = probe.written.read() == probe.token.encode()
    except MissingObjectError:
        is_shared = False
    if not is_shared or _readable_bytes(probe.source) != probe.source_bytes:
        cause = f"its {probe.written.parent.parent} is another folder"
        raise OutputError(cause, "give folders that all machines share")
    own = probe.written.with_name(f"{probe.written.name}-{secrets.token_hex(4)}")
    try:
        own.write(probe.token.encode())
    finally:
        _delete_quietly(own)


def _readable_bytes(source: Location) -> int:
    """Return the size of a source that this machine can read; raise MatteError if it can't."""
    if isinstance(source, StoredFile):
        facts = source.store.facts(source.key)  # who may ask for them may read it
        if facts is None:
            cause = f"it finds no {source}"
            raise StoreError(cause, "set the same AWS_ENDPOINT_URL on all machines")
        return facts.size
    try:
        with source.open("rb") as file:
            file.read(1)
            return os.fstat(file.fileno()).st_size
    except OSError as error:
        cause = f"it can't read {source} ({error.strerror})"
        raise OutputError(cause, "give a folder that all machines share") from error


def _delete_quietly(file: StoredFile) -> None:
    """Remove a file; that it can't be removed stops no work."""
    with suppress(StoreError):
        file.store.delete(file.key)


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
    remedy = first.remedy
    if isinstance(first, StoreError) and "AWS_" in remedy:
        remedy += ", on every machine before 'ray start'"
    raise kind(f"worker machine {broken[0].machine}{more}: {first.cause}", remedy)


def processor_kinds(reports: Sequence[MachineReport]) -> list[str]:
    """Return the names of the machines' processors, each once."""
    return sorted({report.processor or os.uname().machine for report in reports})
