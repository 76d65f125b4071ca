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
from functools import lru_cache
from threading import Lock
from typing import Final, Protocol

from hybridd.ops.sink import Sink

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REMEMBERED: Final = 512
_SHORT: Final = 512
"""Characters that are worth remembering; longer ones would be a client's way to our memory."""

# Digits of a float cost 0.1 µs here and half as much again in an f-string; most requests come and go in one piece.
_TIMES: Final = "duration=%.6f received=%.6f queued=%.6f handled=%.6f written=%.6f"
_TIMES_AT_ONCE: Final = "duration=%.6f received=0.000000 queued=%.6f handled=%.6f written=0.000000"

_quote: Final = json.JSONEncoder().encode  # of a text: in C, ASCII only


class Record(Protocol):
    """What a line is made of; ``hybridd.http.request.Request`` is one."""

    @property
    def host(self) -> str: ...  # noqa: D102 - the line says it
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

    def words(self) -> tuple[str, str, bytes, str, str, str, str]:
        """Peer, method, target, protocol, referer, user agent, id; from outside: any byte, any latin-1 character."""
        ...

    def times(self) -> tuple[float, float, float, float, float]:
        """Duration, received, queued, handled and written, in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class KilledRecord:
    """A request that died with its worker: what the scoreboard still knew of it.  A Record."""

    method: str
    target: str
    request_id: str
    worker: int
    duration: float
    host: str = ""
    status: int = 0
    outcome: str = "killed"
    rejection: str | None = None
    body_bytes: int = 0

    def words(self) -> tuple[str, str, bytes, str, str, str, str]:
        """Only method, target and id are known."""
        return "", self.method, self.target.encode("latin-1", "replace"), "-", "", "", self.request_id

    def times(self) -> tuple[float, float, float, float, float]:
        """Only the duration is known."""
        return self.duration, 0.0, 0.0, 0.0, 0.0


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
        self._waiting: list[str] = []

    @property
    def recorder(self) -> Callable[[Record], None] | None:
        """What takes the records; None when the access log is off."""
        return self.append if self.enabled else None

    def append(self, record: Record) -> None:
        """Take one record; it is formatted now, and may be changed afterwards."""
        if self.sink is not None:
            self._waiting.append(self._line(record, self._clock()))

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
        return other


class CombinedLine:
    r"""``PEER - - [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "AGENT" key=value…``.

    Quotes, backslashes and bytes that are not printable ASCII are written as Apache does: ``\"``, ``\\``, ``\xhh``.
    """

    def __init__(self) -> None:
        self._second = -1
        self._next = 0
        self._stamp = ""

    def __call__(self, record: Record, moment: float) -> str:
        """Return the line with its newline."""
        if not self._second <= moment < self._next:
            self._second = int(moment)
            self._next = self._second + 1
            self._stamp = common_log_time(self._second)
        peer, method, target, protocol, referer, agent, request_id = record.words()
        request = (_request if len(target) <= _SHORT else _make_request)(method, target, protocol)
        client = (_client if len(referer) + len(agent) <= _SHORT else _make_client)(referer, agent)
        outcome = "outcome=" + record.outcome  # to add a word of an enum costs half of what it does to format it
        if record.rejection:
            outcome = f"{outcome} rejection={record.rejection}"
        duration, received, queued, handled, written = record.times()
        if received or written:
            times = _TIMES % (duration, received, queued, handled, written)
        else:
            times = _TIMES_AT_ONCE % (duration, queued, handled)
        return (
            f'{peer or "-"} - - [{self._stamp}] "{request}" {record.status or "000"} {record.body_bytes} {client} '
            f"id={request_id} worker={record.worker} {outcome} {times}\n"
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
        peer, method, target, protocol, referer, agent, request_id = record.words()
        duration, received, queued, handled, written = record.times()
        rejection = f'"rejection":"{record.rejection}",' if record.rejection else ""
        # Texts go through the encoder; numbers and our own words need none.
        return (
            f'{{"time":"{self._stamp}.{int((moment - self._second) * 1000):03d}Z","peer":{_quote(peer)},'
            f'"method":{_quote(method)},"target":{_quote(target.decode("latin-1"))},"protocol":"{protocol}",'
            f'"host":{_quote(record.host)},"status":{record.status},"body_bytes":{record.body_bytes},'
            f'"referer":{_quote(referer)},"user_agent":{_quote(agent)},'
            f'"request_id":{_quote(request_id)},"worker":{record.worker},"outcome":"{record.outcome}",{rejection}'
            f'"duration":{duration:.6f},"received":{received:.6f},"queued":{queued:.6f},'
            f'"handled":{handled:.6f},"written":{written:.6f}}}\n'
        )


LINES: Final[dict[str, Callable[[], Line]]] = {"combined": CombinedLine, "json": JsonLine}


def common_log_time(second: int) -> str:
    """Return ``22/Nov/2026:10:00:00 +0000``, with English months in every locale."""
    t = time.gmtime(second)
    return f"{t.tm_mday:02d}/{MONTHS[t.tm_mon - 1]}/{t.tm_year}:{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"


def _encoded(text: str) -> bytes:
    return text.encode("ascii", "backslashreplace")


def _make_request(method: str, target: bytes, protocol: str) -> str:
    return _quotable(f"{method} {target.decode('latin-1')} {protocol}") if method != "-" else "-"


def _make_client(referer: str, agent: str) -> str:
    return f'"{_quotable(referer or "-")}" "{_quotable(agent or "-")}"'


# The same few of each come again and again: to look one up costs less than to see that there is nothing to escape.
_request = lru_cache(_REMEMBERED)(_make_request)
_client = lru_cache(_REMEMBERED)(_make_client)


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
