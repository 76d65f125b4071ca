"""The admin endpoint: what HTTP asks the master, answered by its own reactor with the workers' protocol and transport.

Read-only, and small in everything: its clients are a few scrapers, probes and people.

Knows:     paths, and whom to ask for each page.
Never:     changes anything; writes an access log.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from typing import Final

from hybridd.config.conversion import KIB
from hybridd.config.settings import Limits, Timeouts
from hybridd.http.body import Body
from hybridd.http.counts import HttpCounts
from hybridd.http.protocol import HttpProtocol
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead
from hybridd.http.wire import Clock
from hybridd.master.gathering import Gathering
from hybridd.master.hosts import is_ours
from hybridd.net.listener import Listener
from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.worker.accepting import Acceptor

_log = logging.getLogger("hybridd.admin")

CONNECTIONS: Final = 64
LIMITS: Final = Limits(connections=CONNECTIONS, body=64 * KIB, body_memory=64 * KIB)
TIMEOUTS: Final = Timeouts(head=5.0, body=5.0, keep_alive=75.0, write=10.0, linger=1.0)
METHODS: Final = ("GET", "HEAD")
_FAILED: Final = "this page failed; the error log says why"
PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    content: bytes
    kind: str = PLAIN
    status: HTTPStatus = HTTPStatus.OK
    headers: tuple[tuple[str, str], ...] = ()
    sources: str = "default-src 'none'"


# What a browser is to know of every page: nothing of it is code or a frame, and other sites get nothing of it.
_POLICY: Final = "; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
)

Deliver = Callable[[Page], None]

Later = Callable[[Deliver], None]
"""A page that is not there yet: it is given a function that takes it when it is."""

Make = Callable[[Request], Page | Later]
Hosts = Callable[[], Iterable[str]]


def text(line: str, status: HTTPStatus = HTTPStatus.OK, *headers: tuple[str, str]) -> Page:
    """Return a page of one line."""
    return Page(f"{line}\n".encode(), PLAIN, status, headers)


def in_json(value: object) -> Page:
    """Return a page of JSON for programs that people can read too."""
    return Page(json.dumps(value, indent=2, default=str).encode() + b"\n", "application/json")


MISDIRECTED: Final = text(
    "the Host of this request is no name of this admin endpoint: ask by address, or list the name in admin_hosts",
    HTTPStatus.MISDIRECTED_REQUEST,
)


def answer(pages: Mapping[str, Make], request: Request) -> Page | Later:
    """Return the page that a request asks for, or what is wrong with asking for it."""
    make = pages.get(request.path)
    if make is None:
        return text(f"not found; there are: {' '.join(pages)}", HTTPStatus.NOT_FOUND)
    if request.method not in METHODS:
        allow = ", ".join(METHODS)
        return text(f"only {allow}: nothing can be changed here", HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", allow))
    return make(request)


class AdminService:
    """The ``hybridd.http.wire.Service`` of the admin listeners.

    ``hosts`` returns the names to answer to (hosts.py); None where no web page can ask: on a unix socket.
    """

    def __init__(self, reactor: Reactor, pages: Mapping[str, Make], hosts: Hosts | None = None) -> None:
        self._hosts = hosts
        self._warned = False
        self.draining = False
        self.clock: Clock = reactor
        self._reactor = reactor
        self._pages = pages
        self._counts = HttpCounts()

    def connection(self) -> HttpProtocol:
        """The protocol of one new connection."""
        return HttpProtocol(self, LIMITS, TIMEOUTS, self._counts)

    def request_ready(self, connection: HttpProtocol, /) -> None:
        """Answer from the top of the loop."""
        self._reactor.call_soon(self._answer, connection)

    def _answer(self, connection: HttpProtocol) -> None:
        request = connection.take_request()
        if request is None:
            return
        connection.call_started()
        request.body.close()  # nobody reads it
        try:
            page = answer(self._pages, request) if self._may_ask(request) else MISDIRECTED
            if isinstance(page, Page):
                self._write(connection, page)
            else:
                page(partial(self._write, connection))  # whose client may be gone by then
        except Exception:  # noqa: BLE001  # a defect of one page must not end the master
            _log.exception("the admin page %s failed", request.path)
            self._write(connection, text(_FAILED, HTTPStatus.INTERNAL_SERVER_ERROR))

    def _may_ask(self, request: Request) -> bool:
        if self._hosts is None or is_ours(request.fields.get("HTTP_HOST", ""), self._hosts()):
            return True
        if not self._warned:
            self._warned = True
            host = request.fields["HTTP_HOST"]
            _log.warning("the admin endpoint was asked as %s, which is not in admin_hosts: refused with 421", host)
        return False

    def _write(self, connection: HttpProtocol, page: Page) -> None:
        policy = ("Content-Security-Policy", page.sources + _POLICY)
        headers = [("Content-Type", page.kind), *_HEADERS, policy, *page.headers]
        connection.respond(ResponseHead(page.status.value, page.status.phrase, headers), page.content)

    def spool_body(self, connection: HttpProtocol, body: Body, chunks: list[bytes], /) -> None:
        """Refuse: a body is kept in memory or, when it is larger than that, not taken at all."""
        del body, chunks
        self._reactor.call_soon(connection.body_spooled, OSError("admin requests have no large bodies"))

    def client_gone(self, connection: HttpProtocol, /) -> None:
        """Nothing to end: every answer is written whole."""

    def client_behind(self, connection: HttpProtocol, /) -> None:
        """Nothing to hold back: every answer is written whole."""

    def client_caught_up(self, connection: HttpProtocol, /) -> None:
        """Nothing waits for it."""

    def queue_expired(self, connection: HttpProtocol, /) -> None:
        """Nothing is ever queued."""

    def handler_expired(self, connection: HttpProtocol, /) -> None:
        """Nothing is ever late: an answer is made at once, or has its own limit (gathering.py)."""

    def record(self, request: Request, /) -> None:
        """Write nothing: probes every few seconds would fill the access log."""

    def http_date(self) -> tuple[str, float]:
        """Now, as RFC 9110 5.6.7 writes it; made anew for each answer."""
        return formatdate(time.time(), usegmt=True), 0.0


class Admin:
    """The admin listeners and their connections."""

    def __init__(
        self,
        reactor: Reactor,
        listeners: Sequence[Listener],
        pages: Mapping[str, Make],
        gathering: Gathering,
        hosts: Hosts,
    ) -> None:
        self.listeners = listeners
        self._gathering = gathering  # which works for the pages, and ends with them
        self._terms = Terms(reactor, TIMEOUTS.write)
        private, public = self._services = AdminService(reactor, pages), AdminService(reactor, pages, hosts)
        self._acceptors = [
            Acceptor(listener, self._terms, CONNECTIONS, (private if listener.is_unix else public).connection)
            for listener in listeners
        ]
        reactor.after_turn.append(self._review)

    def open(self) -> None:
        """Take connections from now on."""
        for service in self._services:
            service.draining = False
        for acceptor in self._acceptors:
            acceptor.arm()

    def _review(self) -> None:
        for acceptor in self._acceptors:
            acceptor.review()

    def pause(self, grace: float) -> None:
        """Take no connections for now, and end those that there are: each answer is written whole.

        Who has not asked yet may do so for ``grace`` seconds.
        """
        for service in self._services:
            service.draining = True
        for acceptor in self._acceptors:
            acceptor.disarm()
        for transport in list(self._terms.open):
            transport.get_protocol().drain(grace)

    def leave(self) -> None:
        """Stop listening, after a pause."""
        for listener in self.listeners:
            listener.close()

    def close(self) -> None:
        """End all connections and stop listening."""
        for acceptor in self._acceptors:
            acceptor.disarm()
            acceptor.listener.close()
        for transport in list(self._terms.open):
            transport.abort()
        self._gathering.close()

    def close_in_child(self) -> None:
        """Close the descriptors in a forked child, and nothing else: files and connections are the master's."""
        for listener in self.listeners:
            listener.sock.close()
        self._gathering.close_in_child()
        for transport in self._terms.open:
            transport.get_extra_info("socket").close()
