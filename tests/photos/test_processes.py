"""Several processes that share the pictures of a run."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from matte.cli.sweep import SAMPLE
from matte.configs.loader import MergedSettings, merge_settings
from matte.errors import BackendError, MatteError, MatteWarning
from matte.photos.jobs import PhotoJob
from matte.photos.locations import on_disk
from matte.photos.many import run_recorded
from matte.photos.process_work import SharedWork
from matte.photos.processes import PhotoProcesses
from matte.photos.run_file import RUN_FOLDER, RunFile, read_run_file
from matte.pipeline.build import build
from tests.conftest import save
from tests.photos.process_batches import BREAKS, KILLS_ALWAYS, KILLS_ONCE, odd_batch, odd_job

FLAGS = {
    **{"refiner": "guided", "backend": "onnx", "precision": "fp32", "device": "cpu"},
    **{"threads": 1, "fallback": "none"},
}
SETTINGS = merge_settings("fast", flags=FLAGS)
needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def jobs_of(folder: Path, *names: str) -> list[PhotoJob]:
    """Makes pictures of these names, and returns their jobs."""
    folder.mkdir(exist_ok=True)
    small = np.asarray(Pillow.open(SAMPLE).convert("RGB").resize((160, 160)))
    for number, name in enumerate(names):
        save(folder / f"{name}.png", np.ascontiguousarray(small[number:]))
    return [odd_job(folder, name) for name in names]


def shared(results: Path | None = None, settings: MergedSettings = SETTINGS) -> SharedWork:
    return SharedWork(odd_batch, settings, {}, results, {"k": 3})


def test_results_are_those_of_one_process_and_each_has_its_records(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, *"abcdefgh")
    (tmp_path / "c.png").write_bytes(b"no picture")
    out, alone = tmp_path / "out", tmp_path / "alone"
    alone.mkdir()
    single = [replace(job, target=alone / job.target.name) for job in jobs]
    expected = list(
        run_recorded(odd_batch(single), build(SETTINGS), RunFile(alone, {"k": 3}), alone)
    )
    with PhotoProcesses(2, shared(out)) as processes:
        found = list(processes.run(odd_batch(jobs, reads_early=False)))
        assert processes.facts["networks"].keys() == {"segmenter"}
        # They stay for the next pictures, as --watch has them.
        more = [replace(job, target=out / f"again-{job.target.name}") for job in jobs[:1]]
        assert [each.error for each in processes.run(odd_batch(more))] == [None]
        running = [worker.process for worker in processes._workers]
    assert len(running) == 2
    assert not any(process.is_alive() for process in running)
    by_name = {outcome.job.target.name: outcome for outcome in found}
    assert by_name.keys() == {job.target.name for job in jobs}
    for one in expected:
        other = by_name[one.job.target.name]
        assert str(other.error) == str(one.error)
        if one.error is None:
            assert on_disk(other.job.target).read_bytes() == on_disk(one.job.target).read_bytes()
            assert {**other.report, "ms": 0} == {**one.report, "ms": 0}
    states = {name: record.state for name, record in read_run_file(alone).records.items()}
    shared_states = {name: record.state for name, record in read_run_file(out).records.items()}
    assert shared_states == states | {"again-a.png": "done"}
    assert len(list((out / RUN_FOLDER).iterdir())) >= 2


@needs_kill
def test_the_pictures_of_a_killed_process_are_done_again(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, "a", KILLS_ONCE, "b", "c", "d")
    out = tmp_path / "out"
    out.mkdir()
    (out / "d.png").write_bytes(b"mine")
    with (
        pytest.warns(MatteWarning, match=r"a process was killed \(SIGKILL\).*: done again: .*once"),
        PhotoProcesses(2, shared(out)) as processes,
    ):
        found = {each.job.target.stem: each for each in processes.run(odd_batch(jobs))}
    assert str(found.pop("d").error).startswith(f"{out / 'd.png'} exists")
    assert {name: each.error for name, each in found.items()} == dict.fromkeys(
        ("a", KILLS_ONCE, "b", "c")
    )
    assert (out / "d.png").read_bytes() == b"mine"
    assert all((out / f"{name}.png").stat().st_size for name in found)
    assert {r.state for r in read_run_file(out).records.values()} == {"done"}


@needs_kill
def test_a_picture_that_kills_every_process_fails_alone(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, "a", KILLS_ALWAYS, *"bcdefghi")
    out = tmp_path / "out"
    with (
        pytest.warns(MatteWarning, match="a process was killed"),
        PhotoProcesses(2, shared(out)) as processes,
    ):
        found = {each.job.target.stem: each.error for each in processes.run(odd_batch(jobs))}
    failed = {name: error for name, error in found.items() if error is not None}
    assert failed.keys() == {KILLS_ALWAYS}
    assert "each process that worked on it was killed (SIGKILL)" in str(failed[KILLS_ALWAYS])
    record = read_run_file(out).records[f"{KILLS_ALWAYS}.png"]
    assert (record.state, record.remedy) == ("failed", "give fewer --jobs")
    assert len(found) == 10


def test_an_error_of_the_request_is_raised_and_ends_all(tmp_path: Path) -> None:
    missing = merge_settings("fast", flags={**FLAGS, "segmenter": "no-such.onnx"})
    jobs = jobs_of(tmp_path, "a", "b")
    with (
        PhotoProcesses(2, shared(settings=missing)) as processes,
        pytest.raises(MatteError, match=r"no-such"),
    ):
        list(processes.run(odd_batch(jobs)))
    assert processes._workers == []


def test_a_bug_of_ours_keeps_its_trace(tmp_path: Path) -> None:
    jobs = jobs_of(tmp_path, "a", BREAKS)
    with (
        PhotoProcesses(1, shared()) as processes,
        pytest.raises(RuntimeError, match=r"(?s)Traceback.*AttributeError: a bug of ours"),
    ):
        list(processes.run(odd_batch(jobs)))


@needs_kill
def test_processes_that_never_begin_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matte.photos import processes as module

    begin = module._started

    def started(work: SharedWork) -> module._Worker:
        worker = begin(work)
        worker.process.kill()
        return worker

    monkeypatch.setattr(module, "_started", started)
    jobs = jobs_of(tmp_path, "a", "b")
    with (
        pytest.warns(MatteWarning, match="a process was killed"),
        PhotoProcesses(2, shared()) as processes,
        pytest.raises(BackendError, match=r"before they began: give fewer --jobs"),
    ):
        list(processes.run(odd_batch(jobs)))
