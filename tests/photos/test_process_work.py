"""What a process of a run says and asks."""

import threading
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from matte.configs.loader import merge_settings
from matte.photos import process_work
from matte.photos.locations import on_disk
from matte.photos.process_work import Asking, Failed, Finished, Idle, SharedWork, Warned
from tests import fakes
from tests.conftest import disc, save
from tests.photos.process_batches import odd_batch, odd_job

SETTINGS = merge_settings("fast", flags={"k": 3, "iterations": 2})


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, in a thread, and without networks."""
    monkeypatch.setattr(process_work, "build_for_photos", fakes.build)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)


def test_a_process_asks_for_the_next_picture_while_it_has_one(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    jobs = [odd_job(tmp_path, name) for name in ("a", "dark")]
    save(on_disk(jobs[0].source), disc(40, 50)[0])
    save(on_disk(jobs[1].source), np.zeros((40, 50, 3), np.uint8))
    ours, theirs = Pipe()
    work = SharedWork(odd_batch, SETTINGS, {}, None, {})
    thread = threading.Thread(target=process_work.run_process, args=(theirs, work))
    thread.start()
    answers = iter([*jobs, None, None])
    said = []
    while thread.is_alive() and ours.poll(20):
        message = ours.recv()
        said.append(type(message))
        if isinstance(message, Idle | Asking):
            ours.send(next(answers, None))
        if said.count(Idle) == 2:
            break
    thread.join(20)
    assert [kind for kind in said if kind != Warned] == [
        *(Idle, Asking, Asking, Finished, Finished, Idle)
    ]
    assert Warned in said  # no subject in the dark
    assert all(on_disk(job.target).is_file() for job in jobs)


def test_whoever_is_gone_is_not_waited_for() -> None:
    ours, theirs = Pipe()
    ours.close()
    process_work.run_process(theirs, SharedWork(odd_batch, SETTINGS, {}, None, {}))


def test_what_can_not_go_on_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise AttributeError("a bug of ours")

    monkeypatch.setattr(process_work, "build_for_photos", broken)
    ours, theirs = Pipe()
    process_work.run_process(theirs, SharedWork(odd_batch, SETTINGS, {}, None, {}))
    message = ours.recv()
    assert isinstance(message, Failed)
    assert "AttributeError: a bug of ours" in message.trace
