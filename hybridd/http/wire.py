"""The two things the HTTP protocol stands between: what it needs of a transport, and what of its service.

Both are structural types, so that ``net`` and ``worker`` need not know this package to fit.

Knows:     shapes only.
Runs in:   nothing; the implementations are in ``hybridd.net`` and ``hybridd.worker`` (and the master's admin).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # protocol.py imports this module
    from hybridd.http.body import Body
    from hybridd.http.protocol import HttpProtocol
    from hybridd.http.request import Request


class Transport(Protocol):
    """asyncio's Transport, plus ``sendfile`` and one deadline."""

    def write(self, data: bytes, /) -> None:
        """Send now what the kernel takes, keep the rest; calls back no more than ``pause_writing``."""

    def write_eof(self) -> None:
        """Shut the write side down once everything written is sent."""

    def sendfile(self, fd: int, offset: int, count: int, /) -> None:
        """Send ``count`` bytes of the file ``fd``, in order with ``write``; owns ``fd`` from now on and closes it.

        ``count`` may be 0, and the connection lost: then ``fd`` is closed at once.
        """

    def pause_reading(self) -> None:
        """No ``data_received`` any more (data of this very turn may still come)."""

    def resume_reading(self) -> None:
        """Undo ``pause_reading``; harmless when not paused."""

    def close(self) -> None:
        """Send what is buffered, then close; ``connection_lost(None)`` follows, never from inside this call."""

    def abort(self) -> None:
        """Close at once and drop what is buffered; ``connection_lost`` follows, never from inside this call."""

    def is_closing(self) -> bool:
        """Tell whether ``close`` or ``abort`` was called or the connection is lost."""

    def get_extra_info(self, name: str, default: Any = None, /) -> Any:
        """Know ``peername``, and ``ssl_object`` when there is TLS."""

    def get_write_buffer_size(self) -> int:
        """Bytes written and not yet taken by the kernel, file parts included."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """``high=0``: ``pause_writing`` whenever something stays buffered, ``resume_writing`` when all is sent."""

    def set_deadline(self, seconds: float | None, /) -> None:
        """``protocol.deadline_expired()`` once, ``seconds`` from now; replaces the deadline before; None: none."""


class Clock(Protocol):
    """The loop: an attribute, for it is asked three times per request and a call costs twice what it tells."""

    @property
    def now(self) -> float:
        """Monotonic seconds of this turn, or of the end of the last Call."""


class Service(Protocol):
    """Who takes the requests of many connections: the worker's dispatch, or the master's admin endpoint.

    Every method is called in the leader thread, inside a transport callback or a method of the connection: it must not
    block, raise, or call back into the connection.
    """

    clock: Clock

    draining: bool
    """True: every answer from now on says ``Connection: close``."""

    def request_ready(self, connection: HttpProtocol, /) -> None:
        """A complete request waits: ``connection.request``, until its connection is gone.

        Answer it from the top of the loop, behind ``call_started()`` or ``take_request()``.
        """

    def spool_body(self, connection: HttpProtocol, body: Body, chunks: list[bytes], /) -> None:
        """Append ``chunks`` to ``body.file`` (made here if None) off the loop, then ``connection.body_spooled(…)``."""

    def client_gone(self, connection: HttpProtocol, /) -> None:
        """The connection is lost while its request is taken and not wholly answered."""

    def client_behind(self, connection: HttpProtocol, /) -> None:
        """More than ``limits.response_memory`` of the open response waits for its client: stop sending parts soon."""

    def client_caught_up(self, connection: HttpProtocol, /) -> None:
        """All parts given so far are sent; follows each ``client_behind`` unless the client is gone."""

    def queue_expired(self, connection: HttpProtocol, /) -> None:
        """``timeouts.queue`` passed after ``call_queued()``; 503 is answered, the request must not be started."""

    def handler_expired(self, connection: HttpProtocol, /) -> None:
        """``timeouts.handler`` passed; 504 is answered, or the connection aborted when a head had been sent."""

    def record(self, request: Request, /) -> None:
        """One request's outcome; exactly once per request, answered or not."""

    def http_date(self) -> tuple[str, float]:
        """Now as an IMF-fixdate (RFC 9110 5.6.7), for the Date header; and until when it is (the clock's time)."""
