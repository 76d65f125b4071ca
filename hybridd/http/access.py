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
    def host(self) -> str:
        """The Host header (or the absolute target's authority), empty when absent."""
        return self.request.fields.get("HTTP_HOST", "")

    def words(self) -> tuple[str, str, bytes, str, str, str, str]:
        """The client's address (empty for a unix socket), method, target, protocol, Referer, User-Agent, the id.

        Method and target are ``-`` when unknown; the target is as received, and may hold any byte.  The headers are
        latin-1 text, empty when absent.
        """
        request = self.request
        field = request.fields.get
        return (
            request.peer,
            request.method,
            request.target,
            "HTTP/1.1" if request.version[1] else "HTTP/1.0",
            field("HTTP_REFERER", ""),
            field("HTTP_USER_AGENT", ""),
            request.id,
        )

    def times(self) -> tuple[float, float, float, float, float]:
        """Seconds from first byte to last, and of what: of receiving it, waiting, its Call, giving the last part away.

        It is received from the first byte of the head to the last of the body; it waits for a thread; its Call runs
        until the last part of the answer is given, which the kernel then takes.
        """
        request, called, answered, finished = self.request, self.called, self.answered, self.finished
        started, ready = request.started, request.ready
        return finished - started, ready - started, called - ready, answered - called, finished - answered
