"""What a response has produced and its client has not yet taken, in a temporary file.

Written by the thread that runs the application, read by the kernel (sendfile) on behalf of the one that leads.  There
is no lock: ``written`` has one writer and only grows, and what lies below it does not change.

Runs in:   ``append`` in the thread that runs the Call; ``take`` and ``close`` in the thread that leads.
"""

from __future__ import annotations

import os
import tempfile


class Spool:
    """One temporary file without a name; it vanishes with its last descriptor.

    Attributes:
        written: bytes appended.
        taken: bytes handed on.
    """

    __slots__ = ("_file", "taken", "written")

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # lives as long as the response
        self.written = 0
        self.taken = 0

    def append(self, data: bytes) -> None:
        """Keep ``data``.

        Raises:
            OSError: the disk is full, say.
        """
        view = memoryview(data)
        while view:
            n = self._file.write(view)
            self.written += n or 0
            view = view[n or 0 :]

    def take(self) -> tuple[int, int, int]:
        """Everything not yet taken, as (a descriptor of the receiver's own, offset, count)."""
        offset, end = self.taken, self.written
        self.taken = end
        return os.dup(self._file.fileno()), offset, end - offset

    @property
    def pending(self) -> bool:
        """Whether there is something to take."""
        return self.taken < self.written

    def close(self) -> None:
        """Not used any more; what was taken stays readable through its own descriptors."""
        self._file.close()
