"""Ends a worker whose master is gone and whose loop does not turn, because a handler that hangs runs on it.

A loop that turns sees the end of the lifeline itself, and drains; the master ends those that hang.  Who has neither
would stay for ever, and hold the port.  So where handlers run on the loop a thread waits for the same end of file.  It
costs no wake-up.  Only a C call that keeps the interpreter lock keeps it from its work too.

Knows:     the lifeline, how long a worker may drain.
Never:     the loop, Calls.
Runs in:   a thread of its own.
"""

from __future__ import annotations

import logging
import os
import select
from functools import partial
from threading import Event, Thread
from typing import Final

from hybridd.errors import ExitCode
from hybridd.worker.stacks import write_stacks

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
    write_stacks(log, b"worker %d ends: its master is gone and a handler hangs; its threads:\n" % os.getpid())
    os._exit(ExitCode.CLEAN)
