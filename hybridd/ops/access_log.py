"""The access log: one line for every request, whatever became of it.

Lines are collected during a turn of the loop and written at its end.

Knows:     the lines of a turn, and who shares a sink.
Never:     the error log; how a line looks (access_line.py); waits.
Runs in:   every thread that runs a loop of a worker, with an AccessLog of its own; the master for calls that died with
           their worker.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from threading import Lock

from hybridd.ops.access_line import Line
from hybridd.ops.access_record import Record
from hybridd.ops.sink import Sink


class AccessLog:
    """Collects lines and writes them once per turn.

    Attributes:
        enabled: False when the access log is off; then records need not even be made.
        lock: held by whoever uses the sink; one for all that write there.
    """

    def __init__(self, sink: Sink | None, line: Line, clock: Callable[[], float] = time.time) -> None:
        self.enabled = sink is not None
        self.lock = Lock()
        self.sink = sink
        self._line = line
        self._form = line.__call__  # to call a method costs half of what it does to call an object that has __call__
        self._clock = clock
        self._waiting: list[str] = []

    @property
    def recorder(self) -> Callable[[Record], None] | None:
        """What takes the records; None when the access log is off."""
        return self.append if self.enabled else None

    def append(self, record: Record) -> None:
        """Take one record; it is formatted now, and may be changed afterwards."""
        if self.sink is not None:
            form, clock = self._form, self._clock
            self._waiting.append(form(record, clock()))

    def flush(self) -> None:
        """Write what was taken; call it once per turn."""
        sink, lines = self.sink, self._waiting
        if not lines or sink is None:
            return
        self._waiting = []
        with self.lock:
            if sink.limit:
                sink.write_lines([_encoded(line) for line in lines])
            else:
                sink.write(_encoded("".join(lines)), len(lines))

    def for_another_thread(self) -> AccessLog:
        """Return one that collects by itself and writes to the same place; each thread needs its own."""
        other = copy.copy(self)
        other._line, other._waiting = copy.copy(self._line), []  # noqa: SLF001 - its own class
        other._form = other._line.__call__  # noqa: SLF001
        return other


def _encoded(text: str) -> bytes:
    return text.encode("ascii", "backslashreplace")
