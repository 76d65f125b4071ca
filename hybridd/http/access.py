"""One line of the access log, before it is text: what a request was, how it ended, how long each phase took.

Knows:     the request and five moments.
Never:     the log's format or file (ops does).
Runs in:   the leader thread; formatted there or dropped there.
"""

from __future__ import annotations

from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.request import Request

_SERVED: Outcome = Outcome.SERVED


class AccessRecord:
    """A request that is complete, and what becomes of it.

    ``request`` is what could be read of it: of a refused head that may be no more than ``-``.
    The moments are transport time (monotonic seconds), each not before the previous one; a phase that was not reached
    has the moment at which the request ended.

    Attributes:
        status: of the answer; 0: none was given yet.
        body_bytes: bytes of response body handed to the transport, without chunk framing.
        called: when its Call began to run.
        answered: when the last part of the answer was given.
        finished: when the kernel had taken the last byte (or the connection was gone).
        worker: the worker's slot; filled in by the service.
    """

    __slots__ = (
        "answered",
        "body_bytes",
        "called",
        "finished",
        "outcome",
        "rejection",
        "request",
        "status",
        "worker",
    )

    def __init__(self, request: Request, now: float) -> None:
        self.request = request
        self.status = 0
        self.outcome = _SERVED
        self.rejection: Rejection | None = None
        self.body_bytes = 0
        self.called = self.answered = self.finished = now
        self.worker = -1

    @property
    def peer(self) -> str:
        """The client's address, empty for a unix socket."""
        return self.request.peer

    @property
    def method(self) -> str:
        """The method, ``-`` when unknown."""
        return self.request.method

    @property
    def target(self) -> str:
        """The request-target as received, latin-1; ``-`` when unknown.  May hold any byte: escape it in a log."""
        return self.request.target.decode("latin-1")

    @property
    def protocol(self) -> str:
        """``HTTP/1.1`` or ``HTTP/1.0``."""
        major, minor = self.request.version
        return f"HTTP/{major}.{minor}"

    @property
    def referer(self) -> str:
        """The Referer header, latin-1, empty when absent."""
        return self.request.fields.get("HTTP_REFERER", "")

    @property
    def user_agent(self) -> str:
        """The User-Agent header, latin-1, empty when absent."""
        return self.request.fields.get("HTTP_USER_AGENT", "")

    @property
    def host(self) -> str:
        """The Host header (or the absolute target's authority), empty when absent."""
        return self.request.fields.get("HTTP_HOST", "")

    @property
    def request_id(self) -> str:
        """The request's id."""
        return self.request.id

    @property
    def received(self) -> float:
        """Seconds from the first byte of the head to the last of the body."""
        return self.request.ready - self.request.started

    @property
    def queued(self) -> float:
        """Seconds it waited for a thread."""
        return self.called - self.request.ready

    @property
    def handled(self) -> float:
        """Seconds its Call ran, until the last part of the answer was given."""
        return self.answered - self.called

    @property
    def written(self) -> float:
        """Seconds until the kernel had taken that part."""
        return self.finished - self.answered

    @property
    def duration(self) -> float:
        """Seconds from first byte to last."""
        return self.finished - self.request.started
