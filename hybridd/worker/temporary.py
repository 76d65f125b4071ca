"""A temporary file without a name: on disk, or in memory where no directory can be written.

A container with a read-only root and nothing writable in it has no temporary directory.  Then long bodies and answers
that run ahead of their clients are kept in memory, of which ``limits.spool`` bounds what a worker may take.

Knows:     where Python's tempfile looks: $TMPDIR, /tmp, /var/tmp, /usr/tmp, the current directory.
Never:     what is kept.
Runs in:   any thread of a worker.
"""

from __future__ import annotations

import io
import os
import tempfile


def temporary_file() -> io.RawIOBase:
    """Return one, open for reading and writing; it vanishes with its last descriptor.

    Raises:
        OSError: no descriptor is left, say.
    """
    try:
        return tempfile.TemporaryFile(buffering=0)
    except FileNotFoundError:  # no usable temporary directory
        return io.FileIO(os.memfd_create("hybridd spool"), "w+")
