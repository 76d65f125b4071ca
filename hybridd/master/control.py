"""The control socket: HTTP over a unix socket, on which an operator's wish is answered when it has come true or cannot.

Each verb is a path.  It begins something and returns a Waiting: asked after everything that happens, it says nothing
until there is something to say.  So ``POST /reload`` is answered when the reload has ended, with its verdict.

Knows:     connections, and which of them wait for what.
Never:     what a verb does (verbs.py), whether it may (net/private.py keeps strangers away).
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import parse_qsl

from hybridd.config.bounds import DAY
from hybridd.errors import BindError
from hybridd.http.protocol import HttpProtocol
from hybridd.master.admin import CONNECTIONS, TIMEOUTS, AdminService, Page, in_json, text
from hybridd.master.wishes import Arguments, Reply, Verb, Waiting, WrongArgumentError
from hybridd.net.private import PrivateListener, bind_private
from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.ops.accounts import Identity
from hybridd.worker.accepting import Acceptor

_log = logging.getLogger("hybridd.control")


def page_of(reply: Reply) -> Page:
    """Return a reply as an answer: 200, or 409 when the wish did not come true."""
    page = in_json({"ok": reply.ok, "message": reply.message, **reply.details})
    return page if reply.ok else Page(page.content, page.kind, HTTPStatus.CONFLICT)


class ControlService(AdminService):
    """The ``hybridd.http.wire.Service`` of the control socket."""

    def __init__(self, reactor: Reactor, verbs: Mapping[tuple[str, str], Verb]) -> None:
        super().__init__(reactor, {})
        self._verbs = verbs
        self._waiting: dict[HttpProtocol, Waiting] = {}

    def _answer(self, connection: HttpProtocol) -> None:
        request = connection.take_request()
        if request is None:
            return
        connection.call_started()
        request.body.close()  # arguments are in the query
        try:
            arguments = dict(parse_qsl(request.query))
            patience = _patience(arguments)
            waiting = self._begin(request.method, request.path, arguments)
        except ValueError as error:
            self._write(connection, text(str(error), HTTPStatus.BAD_REQUEST))
        except Exception:  # noqa: BLE001  # a defect of one verb must not end the master
            _log.exception("the verb %s failed", request.path)
            page = text("this verb failed; the error log says why", HTTPStatus.INTERNAL_SERVER_ERROR)
            self._write(connection, page)
        else:
            if isinstance(waiting, Page):
                self._write(connection, waiting)
                return
            self._waiting[connection] = waiting
            if patience is not None:
                self._reactor.call_later(patience, lambda: self._late(connection, waiting))
            self.review()

    def _begin(self, method: str, path: str, arguments: Arguments) -> Waiting | Page:
        verb = self._verbs.get((method, path))
        if verb is not None:
            return verb(arguments)
        known = ", ".join(f"{method} {path}" for method, path in self._verbs)
        return text(f"not found; there are: {known}", HTTPStatus.NOT_FOUND)

    def client_gone(self, connection: HttpProtocol, /) -> None:
        """Forget who does not wait any more; what was begun goes on."""
        self._waiting.pop(connection, None)

    def review(self) -> None:
        """Something has happened: answer those whose wish has come true or cannot."""
        for connection, waiting in list(self._waiting.items()):
            self._settle(connection, waiting.check())

    def _late(self, connection: HttpProtocol, waiting: Waiting) -> None:
        if self._waiting.get(connection) is waiting:
            self._settle(connection, waiting.late())

    def _settle(self, connection: HttpProtocol, reply: Reply | None) -> None:
        if reply is not None:
            self._waiting.pop(connection, None)
            self._write(connection, page_of(reply))


def _patience(arguments: Arguments) -> float | None:
    """Return how many seconds the asker waits; None: to the end.  WrongArgumentError for what no timer can take."""
    given = arguments.get("timeout")
    if given is None:
        return None
    with suppress(ValueError):
        seconds = float(given)
        if 0.0 <= seconds <= DAY:  # not so for nan
            return seconds
    raise WrongArgumentError(f"timeout: expected seconds from 0 to {DAY:.0f}, got {given}")


class Control:
    """The control socket and its connections."""

    def __init__(self, reactor: Reactor, listener: PrivateListener, verbs: Mapping[tuple[str, str], Verb]) -> None:
        self.listener = listener
        self._terms = Terms(reactor, TIMEOUTS.write)
        self._service = ControlService(reactor, verbs)
        self._acceptor = Acceptor(listener, self._terms, CONNECTIONS, self._service.connection)
        reactor.after_turn.append(self._acceptor.review)

    def open(self) -> None:
        """Take connections from now on."""
        self._acceptor.arm()

    def review(self) -> None:
        """Something has happened: answer those whose wish has come true or cannot."""
        self._service.review()

    def pause(self, grace: float) -> None:
        """Take no connections for now; who waits goes on waiting, who has not asked yet may do so to the end."""
        del grace
        self._acceptor.disarm()

    def leave(self) -> None:
        """Stop listening; who waits gets an answer."""
        self._acceptor.disarm()
        self.listener.close()

    def close(self) -> None:
        """Stop listening.  Open connections end with the process: their end of file is how ``stop`` knows its end."""
        self.leave()
        for transport in self._terms.open:
            transport.get_extra_info("socket").detach()

    def close_in_child(self) -> None:
        """Close the descriptors in a forked child, and nothing else: the file and the connections are the master's."""
        self.listener.sock.close()
        for transport in self._terms.open:
            transport.get_extra_info("socket").close()


def bind_control(path: str, owner: Identity | None) -> PrivateListener | None:
    """Bind the control socket for the user that we shall be; hybridd serves without one, so a failure is a warning."""
    try:
        listener = bind_private(path)
    except BindError as error:
        _log.warning("there is no control socket: %s", error)
        return None
    if owner is not None:
        with suppress(OSError):  # then it is root's alone
            os.chown(path, owner.uid, owner.gid, follow_symlinks=False)
    return listener
