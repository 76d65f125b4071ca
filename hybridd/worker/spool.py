"""What a response has produced and its client has not yet taken, in a temporary file.

Written by the thread that runs the application, read by the kernel (sendfile) on behalf of the one that leads.  There
is no lock: ``written`` has one writer and only grows, and what lies below it does not change.

Runs in:   ``append`` in the thread that runs the Call; ``take`` and ``close`` in the thread that leads.
"""

from __future__ import annotations

import errno
import io
import os

from hybridd.errors import SpoolFullError
from hybridd.worker.room import Owner, Room
from hybridd.worker.temporary import temporary_file


class Spool:
    """One temporary file without a name; it vanishes with its last descriptor.

    Attributes:
        written: bytes appended.
        taken: bytes handed on.
    """

    __slots__ = ("_file", "_room", "taken", "written")

    def __init__(self, room: Room) -> None:
        self._room = room
        self._file: io.RawIOBase | None = None  # nothing was kept yet
        self.written = 0
        self.taken = 0

    def append(self, data: bytes) -> None:
        """Keep ``data``.

        Raises:
            SpoolFullError: ``limits.spool`` is reached.
            OSError: the disk is full, say.
        """
        if not self._room.take(len(data)):
            raise SpoolFullError(errno.EDQUOT, "temporary files have all that limits.spool allows")
        view = memoryview(data)
        try:
            if self._file is None:
                self._file = temporary_file()
            while view:
                n = self._file.write(view)
                self.written += n or 0
                view = view[n or 0 :]
        finally:
            self._room.give_back(len(view))

    def take(self) -> tuple[int, int, int]:
        """Everything not yet taken, as (a descriptor of the receiver's own, offset, count)."""
        assert self._file is not None
        offset, end = self.taken, self.written
        self.taken = end
        return os.dup(self._file.fileno()), offset, end - offset

    @property
    def pending(self) -> bool:
        """Whether there is something to take."""
        return self.taken < self.written

    def close(self, owner: Owner) -> None:
        """Not used any more; what was taken stays readable through its own descriptors until ``owner`` is settled."""
        self._room.keep(owner, self.written)
        if self._file is not None:
            self._file.close()
