"""How a record becomes a line of the access log.

The format ``combined`` is Apache's, so that every tool reads it, followed by ``key=value`` pairs that those tools
ignore; ``json`` is one object per line.  The time is that of the end of the request, in UTC.

Knows:     both formats, and what must be escaped in them.
Never:     writes; whose record it is.
Runs in:   see access_log.py; each thread has a line of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from hybridd.ops.access_record import Record

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REMEMBERED: Final = 512
_SHORT: Final = 512
"""Characters that are worth remembering; longer ones would be a client's way to our memory."""

_TIMES: Final = " duration=%.6f received=%.6f queued=%.6f handled=%.6f written=%.6f\n"

# What is formatted for every line is looked up where that costs less: digits of a float 0.1 µs, of an integer 0.03 µs.
_MICROSECONDS: Final = tuple(f"{number / 1e6:.6f}" for number in range(1024))
_QUICK: Final = 0.001  # seconds, less than those
_STATUSES: Final = ("000", *map(str, range(1, 1000)))

_quote: Final = json.JSONEncoder().encode  # of a text: in C, ASCII only
_ESCAPES: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0x100))} | {0x22: '\\"', 0x5C: "\\\\"}
"""How Apache writes what is no printable ASCII; a table, for a client may send 32 KiB of it: 1 ms instead of 9."""


class Line(Protocol):
    """The form of a line."""

    def __call__(self, record: Record, moment: float, /) -> str:
        """Give the line of a record that is taken at this time (seconds since the epoch), with its newline."""
        ...


class CombinedLine:
    r"""``PEER - - [TIME] "METHOD TARGET PROTOCOL" STATUS BYTES "REFERER" "AGENT" key=value…``.

    Quotes, backslashes and bytes that are not printable ASCII are written as Apache does: ``\"``, ``\\``, ``\xhh``.
    """

    def __init__(self) -> None:
        self._second = -1.0  # floats, as the moments that they are compared with: 0.05 µs
        self._next = 0.0
        self._stamp = ""
        self._outcome = ""
        self._worker = -1
        self._verdict = ""  # what is said of these two
        self._method = ""
        self._target = b""
        self._version: tuple[int, ...] = ()
        self._request = ""  # likewise of these three

    def __call__(self, record: Record, moment: float) -> str:
        """Return the line with its newline."""
        if not self._second <= moment < self._next:
            self._second = float(int(moment))
            self._next = self._second + 1.0
            self._stamp = f" - - [{common_log_time(int(moment))}] "
        method, target, version, fields = record.method, record.target, record.version, record.fields
        # Who asks for the same thing again asks with the same objects (http/known_heads.py).
        if target is self._target and method is self._method and version is self._version:
            request = self._request
        else:
            self._method, self._target, self._version = method, target, version
            self._request = request = (_request if len(target) <= _SHORT else _make_request)(method, target, version)
        client = getattr(fields, "logged", None) or _read_client(fields)
        outcome, worker = record.outcome, record.worker
        if outcome is not self._outcome or worker != self._worker:
            self._outcome, self._worker = outcome, worker
            self._verdict = f" worker={worker} outcome={outcome}"
        verdict = f"{self._verdict} rejection={record.rejection}" if record.rejection else self._verdict
        ready, called, answered = record.ready, record.called, record.answered
        if ready == record.started and answered == record.finished and ready <= called <= answered < ready + _QUICK:
            # It came and went in one piece, as most do.
            duration, queued = int((answered - ready) * 1e6 + 0.5), int((called - ready) * 1e6 + 0.5)
            return (
                f"{record.peer or '-'}{self._stamp}{request}{_STATUSES[record.status]} {record.body_bytes} {client}"
                f"{record.known_id or record.id}{verdict} duration={_MICROSECONDS[duration]} received=0.000000"
                f" queued={_MICROSECONDS[queued]} handled={_MICROSECONDS[duration - queued]} written=0.000000\n"
            )
        return (
            f"{record.peer or '-'}{self._stamp}{request}{_STATUSES[record.status]} {record.body_bytes} {client}"
            f"{record.known_id or record.id}{verdict}{_TIMES % record.times()}"
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
    return f"{t.tm_mday:02d}/{_MONTHS[t.tm_mon - 1]}/{t.tm_year}:{t.tm_hour:02d}:{t.tm_min:02d}:{t.tm_sec:02d} +0000"


def _make_request(method: str, target: bytes, version: tuple[int, int]) -> str:
    protocol = "-" if version[1] < 0 else "HTTP/1.1" if version[1] else "HTTP/1.0"
    text = f"{method} {target.decode('latin-1')} {protocol}" if method != "-" else "-"
    return f'"{_quotable(text)}" '


def _make_client(referer: str, agent: str) -> str:
    return f'"{_quotable(referer or "-")}" "{_quotable(agent or "-")}" id='


# The same few of each come again and again: to look one up costs less than to see that there is nothing to escape.
_request = lru_cache(_REMEMBERED)(_make_request)
_client = lru_cache(_REMEMBERED)(_make_client)


def _read_client(fields: dict[str, str]) -> str:
    """Say what a line says of ``fields``; they keep it if they are those of many requests."""
    referer, agent = fields.get("HTTP_REFERER", ""), fields.get("HTTP_USER_AGENT", "")
    if len(referer) + len(agent) > _SHORT:
        return _make_client(referer, agent)
    client = _client(referer, agent)
    if hasattr(fields, "logged"):
        fields.logged = client
    return client


def _quotable(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return text.translate(_ESCAPES)
