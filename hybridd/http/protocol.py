"""HttpProtocol: one connection's HTTP, between a transport and a service.

Knows:     the state of this connection, its limits and deadlines.
Never:     sockets, threads, clocks, applications.
Runs in:   the leader thread of a worker, or the master's only thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import Rejection
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead
from hybridd.http.wire import Service, Transport

if TYPE_CHECKING:
    from hybridd.config.settings import Limits, Timeouts


class HttpProtocol:
    """An asyncio-shaped Protocol that turns bytes into requests for its service and the service's answers into bytes.

    At most one request is taken at a time, and requests are answered in order.  Every method must be called in the
    leader thread; the service's side is a no-op once the connection is lost.
    """

    def __init__(self, service: Service, limits: Limits, timeouts: Timeouts, counts: HttpCounts) -> None:
        raise NotImplementedError

    # The transport's side.

    def connection_made(self, transport: Transport) -> None:
        """Begin: the first head is due within ``timeouts.head`` from now."""

    def data_received(self, data: bytes) -> None:
        """Take bytes; may call ``service.request_ready`` or answer a refusal, never starts a Call."""

    def eof_received(self) -> bool:
        """Note the client's FIN; True keeps the write side open for the answers that are due."""

    def pause_writing(self) -> None:
        """Note that something written stays buffered."""

    def resume_writing(self) -> None:
        """Note that everything written is with the kernel."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End; tells the service when a request was taken and not answered."""

    def deadline_expired(self) -> None:
        """Do what this state's row in the table says."""

    # The service's side.

    def take_request(self) -> Request | None:
        """Give the request announced by ``request_ready``; None when its connection is gone meanwhile."""

    def call_queued(self) -> None:
        """Say that the taken request has to wait for a thread: ``timeouts.queue`` begins."""

    def call_started(self) -> None:
        """Say that the taken request's Call begins to run: the queue wait ends, ``timeouts.handler`` begins."""

    def respond(self, head: ResponseHead, body: bytes) -> None:
        """Answer wholly, with one ``transport.write``.

        Content-Length is added when absent.  For HEAD, 204 and 304 ``body`` is not sent (HEAD: its length is).

        Raises:
            ValueError: from check_head, or ``body`` is longer than the head's Content-Length; nothing was written.  A
                shorter one is an answer that cannot be completed: sent, then cut.
        """

    def start(self, head: ResponseHead, first: bytes = b"") -> None:
        """Send the head of a streamed answer, and its first part.

        Raises:
            ValueError: from check_head; nothing was written.
        """

    def send(self, data: bytes) -> None:
        """Send a part; what goes beyond Content-Length is cut off (nothing is sent for HEAD, 204, 304)."""

    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Send a part that is ``count`` bytes of a file, in order with the others; owns ``fd`` from now on."""

    def finish(self) -> None:
        """End a streamed answer; when bytes promised by Content-Length are missing, like ``abort_response``."""

    def abort_response(self) -> None:
        """Cut the connection so that the client notices that the answer is not whole."""

    def refuse(self, status: int, rejection: Rejection) -> None:
        """Answer the taken request with a refusal of the server (503 with Retry-After, 504, …), then close."""

    def body_spooled(self, error: OSError | None) -> None:
        """Say that the chunks given to ``service.spool_body`` are stored, or why not (answered 507 or 500)."""

    def drain(self, idle_grace: float) -> None:
        """Close politely: a busy connection after its answer, a silent one after ``idle_grace`` s, write side first."""

    def shut(self) -> None:
        """Close at once; open answers are cut."""
