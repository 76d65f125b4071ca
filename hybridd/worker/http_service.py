"""The worker's side of its HTTP connections: requests become Calls, outcomes become log lines.

Knows:     the HTTP protocol, the WSGI server, the dispatch.
Never:     sockets; which thread runs a Call.
Runs in:   the thread that leads; temporary files of large bodies are written by a pool of their own, or inline where
           a loop has one connection.
"""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from contextvars import Context
from email.utils import formatdate

from hybridd.app.wsgi import WsgiServer
from hybridd.config.settings import Config
from hybridd.config.trust import Trust
from hybridd.errors import SpoolFullError
from hybridd.http.body import Body
from hybridd.http.counts import HttpCounts
from hybridd.http.protocol import HttpProtocol
from hybridd.http.proxied import Belief, ProxiedProtocol
from hybridd.http.request import Request
from hybridd.http.wire import Clock
from hybridd.net.reactor import Reactor
from hybridd.worker.call import Call
from hybridd.worker.inline import InlineFiles
from hybridd.worker.pool import Pool
from hybridd.worker.room import RoomyFile
from hybridd.worker.work import CallDesk

_log = logging.getLogger("hybridd.worker")

_FILE_THREADS = 2  # writers of temporary files: they wait for the disk, not for handlers


class HttpService:
    """The ``hybridd.http.wire.Service`` of one listener in a worker.

    Attributes:
        draining: every answer from now on closes its connection.
        counts: what the connections have counted, those of all listeners.
        clock: the reactor.
    """

    _make_protocol: type[HttpProtocol] = HttpProtocol
    _make_proxied: type[ProxiedProtocol] = ProxiedProtocol
    _secure = False

    def __init__(
        self,
        config: Config,
        reactor: Reactor,
        server: WsgiServer,
        dispatch: CallDesk,
        *,
        counts: HttpCounts,
        context: Context,
        local: str,
        slot: int,
        record: Callable[[Request], None] | None,
        files: InlineFiles | None = None,
    ) -> None:
        self.draining = False
        self.counts = counts
        self._config = config
        self.clock: Clock = reactor
        self._reactor = reactor
        self._soon = reactor.soon
        self._start = self._start_call  # made once: to make a bound method costs as much as to call it
        self._exchange = server.exchanges(local)
        self._dispatch = dispatch
        self._slow_routes = dispatch.slow_routes
        self._shown = dispatch.shown
        self._context = context
        self._slot = slot
        self._record = record
        self._files = files or Pool(_FILE_THREADS, reactor.post, "file")
        self._date = ""
        self._date_until = 0.0  # the reactor's time

    def connection(self) -> HttpProtocol:
        """The protocol of one new connection."""
        return self._make_protocol(self, self._config.limits, self._config.timeouts, self.counts)

    @property
    def proxied_connection(self) -> Callable[[], HttpProtocol] | None:
        """Makes the protocol of a new connection of a trusted proxy, if there are any and what they say counts."""
        config = self._config
        trust = Trust(config.trusted_proxies)
        if not trust or config.forwarded == "off":
            return None
        belief = Belief(config.forwarded, frozenset(config.forwarded_fields), trust, self._secure)
        return lambda: self._make_proxied(self, config.limits, config.timeouts, self.counts, belief)

    def request_ready(self, connection: HttpProtocol, /) -> None:
        """Start the Call from the top of the loop: never inside a parser callback or a transport's frame.

        One that goes to the pool is sent there before others run here: it would wait for them, and not they for it.
        """
        if self._slow_routes and self._dispatch.runs_beside(connection.request):
            self._reactor.call_first(self._start_call, connection)
        else:
            self._soon.append((self._start, (connection,)))  # call_soon

    def _start_call(self, connection: HttpProtocol) -> None:
        request = connection.request
        if request is None:  # its connection is gone meanwhile
            return
        call = Call(self._dispatch, connection, request, self._context.copy())
        prepare = self._exchange
        call.exchange = prepare(request, call)
        connection.call = call
        self._dispatch.submit(call)

    def client_gone(self, connection: HttpProtocol, /) -> None:
        """Let the Call end."""
        if connection.call is not None:
            self._dispatch.client_gone(connection.call)

    def client_behind(self, connection: HttpProtocol, /) -> None:
        """Let the Call keep to itself what it produces."""
        if connection.call is not None:
            connection.call.client_behind()

    def client_caught_up(self, connection: HttpProtocol, /) -> None:
        """Let the Call go on."""
        if connection.call is not None:
            connection.call.client_caught_up()

    def queue_expired(self, connection: HttpProtocol, /) -> None:
        """Forget the Call; its client has been told."""
        if connection.call is not None:
            self._dispatch.drop(connection.call)

    def handler_expired(self, connection: HttpProtocol, /) -> None:
        """Say which handler it was; it cannot be interrupted, but nothing more is asked of the application."""
        call = connection.call
        if call is not None:
            request = call.request
            _log.error(
                "%s %s: the handler still runs after %g s (timeouts.handler); its client was told 504 or cut off",
                request.method,
                request.path,
                self._config.timeouts.handler,
                extra={"fields": {"request_id": request.id}},
            )
            self._dispatch.client_gone(call)

    def record(self, request: Request, /) -> None:
        """Write the access log's line."""
        if self._shown:
            self._dispatch.settled(request)
        tell = self._record
        if tell is not None:
            request.worker = self._slot
            tell(request)

    def http_date(self) -> tuple[str, float]:
        """Now, as RFC 9110 5.6.7 writes it; made once per second."""
        if self._reactor.now >= self._date_until:
            now = time.time()
            self._date = formatdate(now, usegmt=True)
            self._date_until = self._reactor.now + 1 - now % 1
        return self._date, self._date_until

    def spool_body(self, connection: HttpProtocol, body: Body, chunks: list[bytes], /) -> None:
        """Append to the body's temporary file in a thread of its own; the connection reads nothing meanwhile."""
        room, size = self._dispatch.room, sum(map(len, chunks))
        if not room.take(size):
            self._reactor.call_soon(connection.body_spooled, SpoolFullError())
            return

        def write() -> OSError | None:
            try:
                file = body.file
                if not isinstance(file, RoomyFile):
                    file = body.file = RoomyFile.create(room)  # Body.close closes it
            except OSError as error:
                room.give_back(size)
                return error
            file.size += size
            try:
                file.write(b"".join(chunks))  # one system call, and the interpreter lock is given away once
                file.flush()  # a full disk is this moment's news, and not the application's when it reads
            except OSError as error:
                return error
            return None

        def written(error: BaseException | None) -> None:
            if error is not None:
                _log.error("cannot keep the body of a request in a file: %s", error)
                if not isinstance(error, OSError):
                    error = OSError(errno.EIO, str(error))
            connection.body_spooled(error)

        try:
            self._files.submit(write, written)
        except RuntimeError as error:
            room.give_back(size)
            self._reactor.call_soon(written, OSError(errno.EAGAIN, str(error)))
