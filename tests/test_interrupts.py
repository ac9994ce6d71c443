import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from matte.interrupts import SIGNALS, deferred_interrupts, held_interrupts


def test_a_signal_waits_until_it_is_asked_for() -> None:
    before = signal.getsignal(signal.SIGINT)
    with deferred_interrupts() as check:
        check()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_signal_does_not_wait() -> None:
    with deferred_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_closed_terminal_is_a_request_to_end(number: signal.Signals) -> None:
    with deferred_interrupts() as check:
        signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            check()


def test_signals_after_the_answer_change_nothing() -> None:
    """What was done is being saved then."""
    with deferred_interrupts() as check:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)


def test_what_a_process_ignores_stays_ignored() -> None:
    """As under nohup, and in the background of a script."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with deferred_interrupts() as check:
            signal.raise_signal(signal.SIGHUP)
            check()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_held_signals_are_delivered_in_the_end() -> None:
    done: list[str] = []

    def save() -> None:
        with held_interrupts():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("saved")

    with pytest.raises(KeyboardInterrupt):
        save()
    assert done == ["saved"]


def test_other_threads_hold_nothing() -> None:
    before = signal.getsignal(signal.SIGINT)

    def hold() -> None:
        with held_interrupts():
            assert signal.getsignal(signal.SIGINT) is before

    with ThreadPoolExecutor(1) as pool:
        pool.submit(hold).result()


def test_ctrl_c_ends_a_program_at_once() -> None:
    """In the middle of an import, too: no exception comes that could be lost there."""
    code = """
import signal, sys, threading
from matte.interrupts import ending_interrupts, held_interrupts
with ending_interrupts():
    threading.Thread(target=threading.Event().wait).start()
    try:
        with held_interrupts():
            signal.raise_signal(signal.SIGINT)
            print("written", flush=True)
    except BaseException:
        print("lost", flush=True)
print("not ended", flush=True)
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "written\n", "Error: interrupted\n")
