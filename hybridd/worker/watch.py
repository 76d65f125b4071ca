"""Names the Calls that take too long: once each, with their request and the place where their thread stands.

A loop that stands still says nothing: then the master does (Vitals.stalls).

Nobody notes which thread runs a Call, that would cost every one of them.  A thread that runs one has the frame of
``WsgiExchange.step`` on its stack, with the Call's exchange as ``self``: that is looked for when there is something to
say.

Knows:     the Calls that run, how long they may.
Never:     stops one: a thread cannot be stopped.  The master replaces the worker when it is to be.
Runs in:   the thread that leads, once per heartbeat.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Collection
from itertools import takewhile
from types import FrameType
from typing import Any

from hybridd.app.exchange import WsgiExchange
from hybridd.config.settings import Timeouts
from hybridd.worker.call import Call

_log = logging.getLogger("hybridd.worker")


class Watch:
    """Looks at the running Calls."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._limit, self._setting = patience(timeouts)
        self._told: set[Any] = set()

    def look(self, running: Collection[Any], now: float) -> None:
        """Say what there is to say of Calls that have just become too old."""
        if not self._limit:
            return
        late = {call for call in running if isinstance(call, Call) and now - call.started >= self._limit}
        for call in late - self._told:
            _log.error("%s", describe(call, now - call.started, self._setting))
        self._told = late


def patience(timeouts: Timeouts) -> tuple[float, str]:
    """Return after how many seconds a handler is named, and by which setting; 0.0 when never."""
    limits = {"timeouts.handler": timeouts.handler, "timeouts.stuck": timeouts.stuck}
    return min(((seconds, name) for name, seconds in limits.items() if seconds), default=(0.0, ""))


def describe(call: Call, age: float, setting: str) -> str:
    """Return who takes too long, and where."""
    request = call.request
    text = f"{request.method} {request.path} has run for {age:.1f} s ({setting}, request {request.id})"
    frames = stack_of(call)
    if not frames:
        return f"{text}; it ends just now"
    return f"{text}; its thread stands here:\n{''.join(traceback.format_list(frames)).rstrip()}"


def stack_of(call: Call) -> list[traceback.FrameSummary]:
    """Return where the thread that runs ``call`` stands, the innermost last; empty when none does any more."""
    code, exchange = WsgiExchange.step.__code__, call.exchange
    for frame in sys._current_frames().values():  # noqa: SLF001 - the only way to see other threads
        inner: list[FrameType] = []
        here: FrameType | None = frame
        while here is not None and not (here.f_code is code and here.f_locals.get("self") is exchange):
            inner.append(here)
            here = here.f_back
        if here is not None:
            application = list(takewhile(lambda one: one.f_globals.get("__name__") != "hybridd.app.exchange", inner))
            return list(traceback.StackSummary.extract((one, one.f_lineno) for one in reversed(application or inner)))
    return []
