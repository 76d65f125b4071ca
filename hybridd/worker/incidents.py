"""What hostile and unlucky clients ran into, in the log: one line per kind at once, then one per interval with the sum.

A flood of a million connections writes as many lines as one of ten.  Nothing is noted per event but the address of the
last one: the counters tell, once per second, what was added.

Knows:     the counters' names; the sentence of each kind and the setting that it is about.
Never:     the clock, connections.
Runs in:   the thread that leads, with each heartbeat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CLOSE_REASON_INDEX, REJECTION_INDEX, CloseReason, Rejection

_log = logging.getLogger("hybridd.worker")

INTERVAL: Final = 60.0
"""Seconds between two lines of a kind."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that happens to clients.

    Attributes:
        reason: the label of its counter.
        sentence: what happened to how many, and what to look at.
        level: WARNING where clients lose who did nothing wrong, else INFO.
        usual: so many per interval happen to every server, and are not worth a line.
    """

    reason: CloseReason | Rejection
    sentence: str
    level: int = logging.INFO
    usual: int = 0


KINDS: Final = (
    Kind(
        CloseReason.PROXY_HEADER,
        "connections to a listener with proxy_protocol did not begin with a PROXY header of trusted_proxies and were"
        " cut off",
        logging.WARNING,
    ),
    Kind(CloseReason.TLS_HANDSHAKE, "TLS handshakes failed, and their connections were closed"),
    Kind(
        CloseReason.HANDSHAKE_TIMEOUT,
        "connections did not come to their first request within timeouts.handshake and were cut off",
    ),
    Kind(CloseReason.SILENT, "connections said nothing for timeouts.head and were closed", usual=20),
    Kind(Rejection.HEAD_TIMEOUT, "request heads did not arrive within timeouts.head and were answered 408"),
    Kind(Rejection.BODY_TIMEOUT, "request bodies came slower than limits.body_rate and were answered 408"),
    Kind(CloseReason.WRITE_TIMEOUT, "answers were read slower than limits.response_rate and were cut off"),
    Kind(CloseReason.RESET, "connections were reset in the middle of a request or an answer", usual=100),
    Kind(Rejection.URI_TOO_LONG, "requests were longer than limits.request_line and were answered 414"),
    Kind(
        Rejection.HEADERS_TOO_LARGE,
        "requests had more than limits.headers or limits.header_bytes allow and were answered 431",
    ),
    Kind(Rejection.BODY_TOO_LARGE, "requests had a body larger than limits.body and were answered 413"),
    Kind(Rejection.BAD_REQUEST, "requests were malformed and were answered 400", usual=20),
    Kind(
        CloseReason.EVICTED,
        "idle connections were closed for new ones, because nearly limits.connections are open",
        logging.WARNING,
    ),
    Kind(
        CloseReason.EVICTED_NO_DESCRIPTORS,
        "idle connections were closed for new ones, because there is no file descriptor left (ulimit -n, LimitNOFILE)",
        logging.WARNING,
    ),
    Kind(
        CloseReason.ADDRESS_LIMIT,
        "connections were closed because their address has more than limits.address_connections or"
        " limits.address_rate allow",
    ),
    Kind(
        CloseReason.NO_DESCRIPTORS,
        "connections were closed unserved, because there is no file descriptor left (ulimit -n, LimitNOFILE)",
        logging.WARNING,
    ),
    Kind(
        Rejection.SPOOL_FULL,
        "requests were answered 503, because temporary files have all that limits.spool allows",
        logging.WARNING,
    ),
    Kind(
        Rejection.QUEUE_FULL,
        "requests were answered 503, because limits.queue others wait for a thread",
        logging.WARNING,
    ),
    Kind(
        Rejection.QUEUE_TIMEOUT,
        "requests were answered 503, because they waited longer than timeouts.queue for a thread",
        logging.WARNING,
    ),
)
"""One for each way in which clients wear a server out.  The access log has the requests among them one by one."""


@dataclass(slots=True)
class _Tally:
    told: int = 0  # the counter when the last line was written
    since: float = 0.0  # when the interval began that the next line is about
    quiet_until: float = 0.0


class Incidents:
    """The lines of one worker; ``counts`` are those of all its connections."""

    def __init__(self, counts: HttpCounts) -> None:
        self._counts = counts
        self._tallies = {kind: _Tally() for kind in KINDS}

    def look(self, now: float, write: Callable[[int, str], object] = _log.log) -> None:
        """Write what is to be said at the monotonic time ``now``: once per heartbeat."""
        for kind, tally in self._tallies.items():
            count = self._count(kind.reason)
            if count == tally.told or now < tally.quiet_until:
                continue
            if not tally.since:
                tally.since = now
            if count - tally.told <= kind.usual:
                if now - tally.since >= INTERVAL:  # as many as usual: forget them
                    tally.told, tally.since = count, 0.0
                continue
            write(kind.level, self._line(kind, count - tally.told))
            tally.told, tally.since = count, 0.0
            tally.quiet_until = now + INTERVAL

    def _count(self, reason: CloseReason | Rejection) -> int:
        if isinstance(reason, CloseReason):
            return self._counts.closed[CLOSE_REASON_INDEX[reason]]
        return self._counts.rejected[REJECTION_INDEX[reason]]

    def _line(self, kind: Kind, count: int) -> str:
        address = self._counts.examples.get(kind.reason)
        example = f"; the last one came from {address}" if address else ""
        return f"{count} {kind.sentence} ({kind.reason}){example}"
