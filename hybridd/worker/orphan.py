"""Ends a worker whose master is gone and whose loop does not turn, because a handler that hangs runs on it.

A loop that turns sees the end of the lifeline itself, and drains; the master ends those that hang.  Who has neither
would stay for ever, and hold the port.  So where handlers run on the loop a thread waits for the same end of file.  It
costs no wake-up.  Only a C call that keeps the interpreter lock keeps it from its work too.

Knows:     the lifeline, how long a worker may drain.
Never:     the loop, Calls.
Runs in:   a thread of its own.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import select
from contextlib import suppress
from functools import partial
from threading import Event, Thread
from typing import Final

from hybridd.errors import ExitCode

_log = logging.getLogger("hybridd.worker")

_LATER: Final = 1.0
"""Seconds beyond ``timeouts.graceful``: a loop that turns keeps that itself and needs a moment to cut what is left."""


def end_in_time(lifeline: int, graceful: float, log: int) -> None:
    """Let this process end ``graceful`` seconds after its master at the latest, stacks to the descriptor ``log``."""
    try:
        Thread(target=partial(_wait, lifeline, graceful, log), name="lifeline", daemon=True).start()
    except RuntimeError as error:
        _log.warning("should the master die while a handler hangs, this worker would stay: %s", error)


def _wait(lifeline: int, graceful: float, log: int) -> None:
    end = select.poll()
    end.register(lifeline, select.POLLIN)
    end.poll()
    Event().wait(graceful + _LATER)  # nobody sets it
    _say_where(log)
    os._exit(ExitCode.CLEAN)


def _say_where(log: int) -> None:
    """Write where all threads stand, and in one piece: other workers of the same master do so at this very moment.

    Not by logging: who hangs may hold its lock.
    """
    try:
        stacks = os.memfd_create("hybridd-stacks")
    except OSError:  # no descriptor is left
        faulthandler.dump_traceback(log, all_threads=True)
        return
    faulthandler.dump_traceback(stacks, all_threads=True)
    text = os.pread(stacks, os.fstat(stacks).st_size, 0)
    os.close(stacks)
    with suppress(OSError):  # nobody reads any more, or the disk is full
        os.write(log, b"worker %d ends: its master is gone and a handler hangs; its threads:\n%b" % (os.getpid(), text))
