"""Does without root's rights for a moment, so that what is not permitted fails for root, too."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VERSION_3 = 0x20080522  # of the kernel's capabilities; each set is two words of 32 bits


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("thread", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable"))


@contextmanager
def without_root_rights() -> Iterator[None]:
    """Files' permissions hold for this thread, and for threads that it starts.

    Threads that are there already keep theirs: `os.seteuid` takes them from all of a process, and
    native code of other tests crashed by that.
    """
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may do everything, and this system can't take that away for a moment")
    library = ctypes.CDLL(None, use_errno=True)
    header, kept = _Header(VERSION_3, 0), (_Sets * 2)()

    def call(function: str, sets: ctypes.Array[_Sets]) -> None:
        if getattr(library, function)(ctypes.byref(header), sets) != 0:
            raise OSError(ctypes.get_errno(), function)

    call("capget", kept)
    none = (_Sets * 2)(*(_Sets(0, each.permitted, each.inheritable) for each in kept))
    call("capset", none)
    try:
        yield
    finally:
        call("capset", kept)
