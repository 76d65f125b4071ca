"""One unit of application work: a request, its exchange with the application, and the way back to its connection.

A Call is stepped by one thread at a time, in its own ``contextvars.Context``.  The thread that leads may touch the
connection directly; every other one posts what it has to say, and the leader says it, in order.  Which of the two it is
can change once, from leading to not, while the window around application code is open (lead.py).

How a slow client holds no thread: what it has not taken yet is kept by the transport up to ``limits.response_memory``,
beyond that in a Spool (a file, written by the thread that runs the application); above ``limits.response_spool`` the
Call is suspended: its thread goes, and another one continues the iterator when the client has caught up.

Knows:     its exchange, its connection, its desk (who posts, who resumes).
Never:     sockets, parsers, the scoreboard.
Runs in:   Outlet methods in the thread that steps; ``begin``, ``client_*`` and everything with a leading underscore
           that is posted, in the thread that leads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from enum import Enum
from typing import NamedTuple, Protocol

from hybridd.app.wsgi import WsgiExchange
from hybridd.errors import SpoolFullError
from hybridd.http.body import NO_BODY
from hybridd.http.protocol import HttpProtocol
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead
from hybridd.net.reactor import Reactor
from hybridd.worker.effort import NONE, Effort, between, mark
from hybridd.worker.lead import Lead
from hybridd.worker.room import Room
from hybridd.worker.routes import Verdict
from hybridd.worker.spool import Spool

_log = logging.getLogger("hybridd.worker")

_FAST = Verdict.FAST  # looked up for every request


class CallState(Enum):
    """Where a Call is in its life; written by the thread that leads."""

    QUEUED = "queued"  # waits for a thread; nothing of the application has run
    RUNNING = "running"  # a thread steps it
    SUSPENDED = "suspended"  # its client is behind; it holds no thread
    RESUMED = "resumed"  # waits for a thread to go on
    DONE = "done"


_QUEUED = CallState.QUEUED


class Step(NamedTuple):
    """What came of a step in the pool: ``done`` or suspended, and what it took."""

    done: bool
    effort: Effort


class Desk(Protocol):
    """Where Calls come from and go back to: the dispatch of the worker."""

    lead: Lead
    reactor: Reactor
    response_memory: int
    response_spool: int
    room: Room

    def post(self, fn: Callable[..., object], *args: object) -> None:
        """Run ``fn(*args)`` in the thread that leads; in order."""

    def resume(self, call: Call) -> None:
        """Let a suspended Call go on as soon as a thread is free."""


class Call:
    """See the head of this file.  It is the ``hybridd.app.outlet.Outlet`` of its exchange."""

    __slots__ = (
        "_desk",
        "_flushed",
        "_given",
        "_held_up",
        "_leader_spool",
        "_no_room",
        "_posted",
        "_spool",
        "cell",
        "connection",
        "context",
        "exchange",
        "gone",
        "leading",
        "request",
        "started",
        "state",
        "verdict",
    )

    exchange: WsgiExchange

    def __init__(self, desk: Desk, connection: HttpProtocol, request: Request, context: Context) -> None:
        self._desk = desk
        self.connection = connection
        self.request = request
        self.context = context
        self.state = _QUEUED
        self.started = 0.0  # when its step, the one that runs or the last one, began: to wait for a client is no work
        self.cell = -1  # its text cell in the scoreboard row; -1 = none was free
        self.gone = False  # the client has left or is cut off: nothing more is asked of the application
        self.verdict = _FAST
        self.leading = False
        # Bytes of response body.  `posted` belongs to the thread that steps, the other two to the one that leads;
        # each only grows, so the difference that the stepping thread sees is never too small.
        self._posted = 0
        self._given = 0  # to the transport
        self._flushed = 0  # of these, what the client has taken or what the transport keeps in bounded memory
        self._held_up = False  # the transport's buffer is full
        self._no_room = False  # for a spool, when one was wanted last: see hybridd/worker/room.py
        self._spool: Spool | None = None  # the stepping thread's view
        self._leader_spool: Spool | None = None  # the leader's: the same one, or the last one with something left

    def __repr__(self) -> str:
        return f"<Call {self.request.method} {self.request.path} {self.state.name}>"

    # The thread that steps.

    def step(self) -> bool:
        """Run the application until its response is complete (True) or must wait for the client (False)."""
        return self.context.run(self.exchange.step)

    def measured_step(self) -> Step:
        """Step, and measure it: in a thread of the pool, where its time is its own."""
        began = mark()
        done = self.step()
        return Step(done, between(began, mark()))

    def abandon(self) -> Step:
        """Let the application close what it opened for a client that is gone: the last step."""
        self.context.run(self.exchange.abandon)
        return Step(done=True, effort=NONE)

    @property
    def behind(self) -> bool:
        """Whether the response is so far ahead of its client that the application should rest."""
        ahead = self._posted - self._flushed
        return ahead > self._desk.response_spool or (self._no_room and ahead > 0)

    def enter(self) -> None:
        """Application code begins on this thread: the window opens (``Lead.open``)."""
        if self.leading:
            lead = self._desk.lead
            lead.tokens.append(self)
            if lead.unwatched or lead.wanted is not None:
                lead.attend(self)

    def leave(self) -> None:
        """Application code has ended (``Lead.close``); from here on this thread may no longer lead."""
        if self.leading:
            desk = self._desk
            try:
                desk.lead.tokens.remove(self)
            except ValueError:
                self.leading = False
            else:
                reactor = desk.reactor
                clock = reactor.clock  # a name between, here and elsewhere: see benchmarks/instructions.py
                reactor.now = clock()  # the application may have taken its time

    def whole(self, head: ResponseHead, body: bytes) -> None:
        """Answer with all there is."""
        if self.leading:
            self.connection.respond(head, body)
        else:
            self._desk.post(self.connection.respond, head, body)

    def start(self, head: ResponseHead, first: bytes) -> None:
        """Begin a response of several parts."""
        self._posted += len(first)
        self._do(self._start, head, first)

    def send(self, data: bytes) -> None:
        """Go on with ``data``: directly while the client keeps up, else through a file."""
        ahead = self._posted - self._flushed
        self._posted += len(data)
        if not ahead:
            self._spool = None  # all of it is with the client: the leader closes it, and memory does again
            self._no_room = False
        if self._spool is None and not self._held_up and ahead <= self._desk.response_memory:
            self._do(self._send, data)
            return
        if self._spool is None:
            self._spool = Spool(self._desk.room)
        try:
            self.enter()  # a disk may keep the thread waiting, like an application
            try:
                self._spool.append(data)
            finally:
                self.leave()
        except OSError as error:
            if isinstance(error, SpoolFullError) and not self._no_room:
                self._no_room = True  # memory takes this part, and then the application rests
                self._do(self._send, data)
                return
            _log.error(  # the traceback would only show this line
                "cannot keep the response to %s %s for a slow client: %s; it is cut",
                self.request.method,
                self.request.path,
                error,
            )
            self._do(self._spooled, self._spool)  # so that what it kept is given back
            self._do(self._abort)
            self.gone = True
        else:
            self._do(self._spooled, self._spool)

    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Go on with a stretch of a file."""
        self._posted += count
        self._spool = None  # what comes behind it must not get into the file of what came before
        self._do(self._send_file, fd, offset, count)

    def finish(self) -> None:
        """The response is complete."""
        self._do(self._finish)

    def abort(self) -> None:
        """The response cannot be completed."""
        self._do(self._abort)

    def _do(self, fn: Callable[..., object], *args: object) -> None:
        if self.leading:
            fn(*args)
        else:
            self._desk.post(fn, *args)

    # The thread that leads.

    def _start(self, head: ResponseHead, first: bytes) -> None:
        self.connection.start(head, first)
        self._gave(len(first))

    def _send(self, data: bytes) -> None:
        self._pass_on_spool()
        self.connection.send(data)
        self._gave(len(data))

    def _send_file(self, fd: int, offset: int, count: int) -> None:
        self._pass_on_spool()
        self.connection.send_file(fd, offset, count)
        self._gave(count)

    def _finish(self) -> None:
        self._pass_on_spool()
        self.connection.finish()

    def _abort(self) -> None:
        self.connection.abort_response()

    def _spooled(self, spool: Spool) -> None:
        if spool is not self._leader_spool:
            self._pass_on_spool()
            self._close_spool()
            self._leader_spool = spool
        if not self._held_up:
            self._pass_on_spool()

    def _pass_on_spool(self) -> None:
        spool = self._leader_spool
        if spool is not None and spool.pending and not self.gone:
            try:
                fd, offset, count = spool.take()
            except OSError as error:  # no descriptor is left
                _log.error("cannot go on with the response to %s: %s; it is cut", self.request.path, error)
                self.gone = True
                self._abort()
                return
            self.connection.send_file(fd, offset, count)
            self._gave(count)

    def _gave(self, size: int) -> None:
        self._given += size
        if not self._held_up:
            self._flushed = self._given

    def end(self) -> None:
        """Give everything back; the connection may have the next request's Call already."""
        connection, body = self.connection, self.request.body
        if connection.call is self:
            connection.call = None
        if self._leader_spool is not None:
            self._close_spool()
        if body is not NO_BODY:
            body.close()  # also that of a Call that never began

    def _close_spool(self) -> None:
        if self._leader_spool is not None:
            self._leader_spool.close(self.request)  # parts of it that are being sent have descriptors of their own
            self._leader_spool = None

    def client_behind(self) -> None:
        """The transport's buffer is full."""
        self._held_up = True

    def client_caught_up(self) -> None:
        """The transport's buffer is empty: pass on what was spooled; if there is nothing more, go on producing."""
        self._held_up = False
        self._flushed = self._given
        self._pass_on_spool()
        if self.state is CallState.SUSPENDED and not self._held_up:
            self._desk.resume(self)

    def rest(self) -> None:
        """Its step ended because the client is behind; it may have caught up before we learn of it."""
        self.state = CallState.SUSPENDED
        if not self._held_up:
            self._desk.resume(self)
