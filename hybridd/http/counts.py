"""What the HTTP protocols of one process have counted since they were last asked: plain integers, no labels.

The worker adds them to its scoreboard row once per turn of its loop, never once per request.

Knows:     the order of the words in outcome.py.
Runs in:   the thread of one loop; the sum over several loops belongs to the thread that reports it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from hybridd.http.outcome import (
    CLASSES,
    CLOSE_REASON_INDEX,
    CLOSE_REASONS,
    HANDSHAKES,
    METHOD_INDEX,
    METHODS,
    OTHER_METHOD,
    REJECTION_INDEX,
    REJECTIONS,
    CloseReason,
    Handshake,
    Rejection,
)

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds (inclusive, as Prometheus has them); one more bucket, +Inf, stands behind the last."""
FIRST_BUCKET = BUCKETS[0]
"""Seconds; what is not longer need not be looked up."""
_method_index = METHOD_INDEX.get
_CLASSES = len(CLASSES)


def bucket_of(seconds: float) -> int:
    """Give the index of the bucket that a duration falls into; for most that is the first one: see FIRST_BUCKET."""
    return bisect_left(BUCKETS, seconds)


class Histogram:
    """Durations: ``counts[i]`` of them fell into bucket i (not cumulative), together ``seconds``.

    To add one is written out where it is done, which is for every request: a call would cost as much again.
    """

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    @property
    def sum_ns(self) -> int:
        """``seconds`` as the scoreboard has it: made once per turn and not for each duration."""
        return round(self.seconds * 1e9)

    def become_sum(self, parts: Sequence[Histogram]) -> None:
        """Hold what all ``parts`` hold together."""
        self.counts[:] = _sums([part.counts for part in parts], len(self.counts))
        self.seconds = sum(part.seconds for part in parts)


class HttpCounts:
    """Counters that only grow, and gauges that go both ways.

    Attributes:
        requests: by ``METHODS index * 5 + class - 1``; one for each request (499 counts as 4xx).
        rejected: by the order of ``REJECTIONS``.
        closed: by the order of ``CLOSE_REASONS``.
        handshakes: by the order of ``HANDSHAKES``; None: there was none, which is so on plain listeners.
        duration: first byte of the head to last byte of the answer handed to the kernel.
        queue_wait: request complete to Call started.
        open: gauge, connections.
        reading: gauge, connections in the middle of a head or a body.
        active: gauge, connections with a complete request that is not yet wholly answered.
        examples: an address for each reason that somebody was refused or cut off for, the last one.
    """

    __slots__ = (
        "active",
        "closed",
        "duration",
        "examples",
        "handshakes",
        "open",
        "queue_wait",
        "reading",
        "rejected",
        "requests",
    )

    def __init__(self) -> None:
        self.requests = [0] * (len(METHODS) * len(CLASSES))
        self.rejected = [0] * len(REJECTIONS)
        self.closed = [0] * len(CLOSE_REASONS)
        self.duration = Histogram()
        self.queue_wait = Histogram()
        self.handshakes: list[int] | None = None
        self.open = 0
        self.reading = 0
        self.active = 0
        self.examples: dict[str, str] = {}

    def count_request(self, method: str, status: int, seconds: float) -> None:
        """Count one answered (or abandoned: 499) request, and how long it took."""
        self.requests[_method_index(method, OTHER_METHOD) * _CLASSES + status // 100 - 1] += 1
        duration = self.duration
        duration.seconds += seconds
        duration.counts[0 if seconds <= FIRST_BUCKET else bucket_of(seconds)] += 1

    def count_rejected(self, reason: Rejection) -> None:
        """Count one refused request."""
        self.rejected[REJECTION_INDEX[reason]] += 1

    def note(self, reason: str, address: str) -> None:
        """Remember whom it was that something was done to, for the log."""
        self.examples[reason] = address

    def count_closed(self, reason: CloseReason) -> None:
        """Count one ended connection."""
        self.closed[CLOSE_REASON_INDEX[reason]] += 1

    def count_handshake(self, result: Handshake) -> None:
        """Count one TLS handshake."""
        if self.handshakes is None:
            self.handshakes = [0] * len(HANDSHAKES)
        self.handshakes[HANDSHAKES.index(result)] += 1

    def become_sum(self, parts: Iterable[HttpCounts]) -> None:
        """Hold what all ``parts`` hold together; they may be counting in other threads meanwhile."""
        parts = list(parts)
        self.requests[:] = _sums([part.requests for part in parts], len(self.requests))
        self.rejected[:] = _sums([part.rejected for part in parts], len(self.rejected))
        self.closed[:] = _sums([part.closed for part in parts], len(self.closed))
        self.duration.become_sum([part.duration for part in parts])
        self.queue_wait.become_sum([part.queue_wait for part in parts])
        handshakes = [part.handshakes for part in parts if part.handshakes is not None]
        self.handshakes = _sums(handshakes, len(HANDSHAKES)) if handshakes else None
        self.open = sum(part.open for part in parts)
        self.reading = sum(part.reading for part in parts)
        self.active = sum(part.active for part in parts)


def _sums(lists: Sequence[list[int]], length: int) -> list[int]:
    return [sum(values) for values in zip(*lists, strict=True)] if lists else [0] * length
