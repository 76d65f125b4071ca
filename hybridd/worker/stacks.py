"""Where all threads of this process stand, written in one piece.

Workers whose master is gone may end at the same moment, and say so in the same log: faulthandler writes word by word.

Knows:     faulthandler.
Never:     logs: a thread that hangs may hold the lock of logging.
Runs in:   any thread.
"""

from __future__ import annotations

import faulthandler
import os
from contextlib import suppress


def write_stacks(log: int, heading: bytes = b"") -> None:
    """Write ``heading`` and the stacks of all threads to the descriptor ``log``; raises nothing."""
    try:
        stacks = os.memfd_create("hybridd-stacks")
    except OSError:  # no descriptor is left
        faulthandler.dump_traceback(log, all_threads=True)
        return
    faulthandler.dump_traceback(stacks, all_threads=True)
    text = os.pread(stacks, os.fstat(stacks).st_size, 0)
    os.close(stacks)
    with suppress(OSError):  # nobody reads any more, or the disk is full
        os.write(log, heading + text)
