"""The access log: one line for every request, whatever became of it.

Lines are collected during a turn of the loop and written at its end.  The format ``combined`` is Apache's, so that
every tool reads it, followed by ``key=value`` pairs that those tools ignore; ``json`` is one object per line.
The time is that of the end of the request, in UTC.

Knows:     what a record says (any object shaped like Record).
Never:     the error log; waits.
Runs in:   every thread that runs a loop of a worker, with an AccessLog of its own; the master for calls that died with
           their worker.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol

from hybridd.ops.sink import Sink

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_quote: Final = json.JSONEncoder().encode  # of a text: in C, ASCII only


class Record(Protocol):
    """What a line is made of; ``hybridd.http.access.AccessRecord`` is one.

    Durations are seconds; texts come from outside and may hold any latin-1 character.
    """

    @property
    def peer(self) -> str: ...  # noqa: D102 - the line says it
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def target(self) -> str: ...  # noqa: D102
    @property
    def protocol(self) -> str: ...  # noqa: D102
    @property
    def host(self) -> str: ...  # noqa: D102
    @property
    def referer(self) -> str: ...  # noqa: D102
    @property
    def user_agent(self) -> str: ...  # noqa: D102
    @property
    def request_id(self) -> str: ...  # noqa: D102
    @property
    def status(self) -> int: ...  # noqa: D102
    @property
    def outcome(self) -> str: ...  # noqa: D102
    @property
    def rejection(self) -> str | None: ...  # noqa: D102
    @property
    def body_bytes(self) -> int: ...  # noqa: D102
    @property
    def worker(self) -> int: ...  # noqa: D102
    @property
    def received(self) -> float: ...  # noqa: D102
    @property
    def queued(self) -> float: ...  # noqa: D102
    @property
    def handled(self) -> float: ...  # noqa: D102
    @property
    def written(self) -> float: ...  # noqa: D102
    @property
    def duration(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class KilledRecord:
    """A request that died with its worker: what the scoreboard still knew of it.  A Record."""

    method: str
    target: str
    request_id: str
    worker: int
    duration: float
    peer: str = ""
    protocol: str = "-"
    host: str = ""
    referer: str = ""
    user_agent: str = ""
    status: int = 0
    outcome: str = "killed"
    rejection: str | None = None
    body_bytes: int = 0
    received: float = 0.0
    queued: float = 0.0
    handled: float = 0.0
    written: float = 0.0


Line = Callable[[Record, float], str]


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
        self._clock = clock
        self._waiting: list[bytes] = []

    @property
    def recorder(self) -> Callable[[Record], None] | None:
        """What takes the records; None when the access log is off."""
        return self.append if self.enabled else None

    def append(self, record: Record) -> None:
        """Take one record; it is formatted now, and may be changed afterwards."""
        if self.sink is not None:
            self._waiting.append(self._line(record, self._clock()).encode("ascii", "backslashreplace"))

    def flush(self) -> None:
        """Write what was taken; call it once per turn."""
        if self._waiting and self.sink is not None:
            with self.lock:
                self.sink.write_lines(self._waiting)
            self._waiting = []

    def for_another_thread(self) -> AccessLog:
        """Return one that collects by itself and writes to the same place; each thread needs its own."""
        other = copy.copy(self)
        other._line, other._waiting = copy.copy(self._line), []  # noqa: SLF001 - its own class
        return other


class CombinedLine:
    r"""``PEER - - [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "AGENT" key=value…``.

    Quotes, backslashes and bytes that are not printable ASCII are written as Apache does: ``\"``, ``\\``, ``\xhh``.
    """

    def __init__(self) -> None:
        self._second = -1
        self._stamp = ""

    def __call__(self, record: Record, moment: float) -> str:
        """Return the line with its newline."""
        if int(moment) != self._second:
            self._second = int(moment)
            self._stamp = common_log_time(self._second)
        method = record.method
        request = f"{method} {record.target} {record.protocol}" if method != "-" else "-"
        request, referer, agent = (
            _quotable(request),
            _quotable(record.referer or "-"),
            _quotable(record.user_agent or "-"),
        )
        rejection = f" rejection={record.rejection}" if record.rejection else ""
        return (
            f'{record.peer or "-"} - - [{self._stamp}] "{request}" {record.status:03d} {record.body_bytes} '
            f'"{referer}" "{agent}" id={record.request_id} worker={record.worker} outcome={record.outcome}{rejection} '
            f"duration={record.duration:.6f} received={record.received:.6f} queued={record.queued:.6f} "
            f"handled={record.handled:.6f} written={record.written:.6f}\n"
        )


class JsonLine:
    """One object per line; durations in seconds."""

    def __init__(self) -> None:
        self._second = -1
        self._stamp = ""

    def __call__(self, record: Record, moment: float) -> str:
        """Return the line with its newline."""
        if int(moment) != self._second:
            self._second = int(moment)
            self._stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._second))
        rejection = f'"rejection":"{record.rejection}",' if record.rejection else ""
        # Texts go through the encoder; numbers and our own words need none.
        return (
            f'{{"time":"{self._stamp}.{int((moment - self._second) * 1000):03d}Z","peer":{_quote(record.peer)},'
            f'"method":{_quote(record.method)},"target":{_quote(record.target)},"protocol":"{record.protocol}",'
            f'"host":{_quote(record.host)},"status":{record.status},"body_bytes":{record.body_bytes},'
            f'"referer":{_quote(record.referer)},"user_agent":{_quote(record.user_agent)},'
            f'"request_id":{_quote(record.request_id)},"worker":{record.worker},"outcome":"{record.outcome}",{rejection}'
            f'"duration":{record.duration:.6f},"received":{record.received:.6f},"queued":{record.queued:.6f},'
            f'"handled":{record.handled:.6f},"written":{record.written:.6f}}}\n'
        )


LINES: Final[dict[str, Callable[[], Line]]] = {"combined": CombinedLine, "json": JsonLine}


def common_log_time(second: int) -> str:
    """Return ``22/Nov/2026:10:00:00 +0000``, with English months in every locale."""
    t = time.gmtime(second)
    return f"{t.tm_mday:02d}/{MONTHS[t.tm_mon - 1]}/{t.tm_year}:{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"


def _quotable(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(
        character
        if character.isascii() and character.isprintable() and character not in '"\\'
        else f"\\{character}"
        if character in '"\\'
        else character.encode("ascii", "backslashreplace").decode("ascii")
        if not character.isascii()
        else f"\\x{ord(character):02x}"
        for character in text
    )
