"""Room on the disk for the end of a file that is being written."""

import os
from contextlib import suppress
from pathlib import Path

from matte.system_calls import allocate

END_BYTES = 1 << 16  # header, metadata and chapters
PACKET_BYTES = 128  # of the index and around a packet, in any container
MAX_STEP_BYTES = 1 << 22  # that are asked for ahead


class DiskReserve:
    """Keeps as much room for a clip's file as its packets and its index need.

    Containers write their index in the end, and without it MP4 and MOV are lost: on a full disk
    there must still be room for it. So a packet is refused before the disk is full. Where the
    system can't keep room, as outside Linux, nothing is refused.
    """

    def __init__(self, path: Path) -> None:
        self._file: int | None = os.open(path, os.O_RDWR)
        self._needed, self._allocated = END_BYTES, 0
        self._is_supported = True
        self._full: OSError | None = None

    def add_packet(self, size: int) -> None:
        """Make room for a packet of `size` bytes; raise OSError if there is none.

        Then all later ones are refused, too: frames build on those before them.
        """
        if self._full is not None:
            raise self._full
        self._needed += size + PACKET_BYTES
        if self._is_supported and self._needed > self._allocated:
            self._allocate(self._needed)

    def _allocate(self, needed: int) -> None:
        """Make room for so many bytes, and for some ahead if the disk has them."""
        assert self._file is not None
        ahead = needed + min(MAX_STEP_BYTES, max(END_BYTES, needed // 16))
        with suppress(OSError):
            self._is_supported = allocate(self._file, ahead)
            self._allocated = ahead
            return
        try:
            self._is_supported = allocate(self._file, needed)
        except OSError as error:
            self._full = error
            raise
        self._allocated = needed

    def close(self) -> None:
        """Give back what the file doesn't use."""
        if self._file is None:
            return
        with suppress(OSError):
            if self._allocated:
                os.ftruncate(self._file, os.fstat(self._file).st_size)
        os.close(self._file)
        self._file = None
