"""The Calls of a worker that its death certificate could name: one text cell of its row each, as far as they go.

A Call that runs on the leader has none: two microseconds per request would be a sixth of its price.  It gets one when
it is handed off, and a worker that dies inside such a Call leaves its stack in the log.

Runs in:   the thread that leads; ``killed_requests`` in whoever reaped the process.
"""

from __future__ import annotations

from hybridd.http.request import Request
from hybridd.ops.access_record import KilledRecord
from hybridd.ops.scoreboard import Row
from hybridd.worker import words
from hybridd.worker.call import Call, CallState

_STATES = {
    CallState.QUEUED: words.CallState.QUEUED,
    CallState.RUNNING: words.CallState.RUNNING,
    CallState.SUSPENDED: words.CallState.SUSPENDED,
    CallState.RESUMED: words.CallState.SUSPENDED,
}


class InFlight:
    """The writer of the cells.

    Attributes:
        shown: the Calls that have one, by request.
    """

    def __init__(self, row: Row) -> None:
        self._row = row
        self._free = list(range(words.CALL_CELLS - 1, -1, -1))
        self.shown: dict[Request, Call] = {}

    def show(self, call: Call) -> None:
        """Say what a Call is and does."""
        if call.cell < 0:
            if not self._free:
                return
            call.cell = self._free.pop()
            self.shown[call.request] = call
        request = call.request
        words.write_call(
            self._row,
            call.cell,
            words.CallState.SETTLED if request.settled else _STATES[call.state],
            int((call.started or request.ready) * 1e9),
            int(request.started * 1e9),
            request_id=request.id,
            method=request.method,
            path=request.path,
        )

    def settled(self, request: Request) -> None:
        """The outcome of a request is recorded: should the worker die now, it has not died with it."""
        if (call := self.shown.get(request)) is not None:
            self.show(call)

    def forget(self, call: Call) -> None:
        """A Call is over."""
        if call.cell >= 0:
            words.clear_call(self._row, call.cell)
            self._free.append(call.cell)
            call.cell = -1
            del self.shown[call.request]


def killed_requests(row: Row, slot: int, now: float) -> list[KilledRecord]:
    """Return what the access log must say of requests that ended with their process; before its row is folded."""
    return [
        KilledRecord(
            method=call.method,
            target=call.path.encode("latin-1", "replace"),
            id=call.request_id,
            worker=slot,
            duration=max(0.0, now - call.begun / 1e9),
        )
        for call in words.read_calls(row)
        if call.state is not words.CallState.SETTLED
    ]
