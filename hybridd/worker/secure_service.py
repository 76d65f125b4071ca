"""The HTTP service of a TLS listener: an HttpService whose requests tell the application of their session.

What a session says is the same for all its requests, and for most sessions the same: it is merged into the environ
once.  Plain listeners do not come by here.

Knows:     the protocol of a connection has a transport with an ``ssl_object``.
Never:     how it is spelt (app/tls_variables.py).
Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hybridd.app.outlet import Outlet
from hybridd.app.tls_variables import tls_variables
from hybridd.app.wsgi import WsgiExchange, WsgiServer
from hybridd.config.settings import Config
from hybridd.http.protocol import HttpProtocol
from hybridd.http.proxied import ProxiedProtocol
from hybridd.http.request import Request
from hybridd.http.wire import Transport
from hybridd.net.reactor import Reactor
from hybridd.worker.call import Call
from hybridd.worker.http_service import HttpService
from hybridd.worker.work import CallDesk

_MOST_KINDS: Final = 64
"""Kinds of sessions that are remembered: a few versions, ciphers, names; the names are the clients' to choose."""

Prepare = Callable[[Request, Outlet], WsgiExchange]


class SecureHttpProtocol(HttpProtocol):
    """One connection behind its handshake."""

    __slots__ = ("prepare", "session")

    def connection_made(self, transport: Transport) -> None:
        """Begin: the first head is due within ``timeouts.head`` from now."""
        self.session, self.prepare = _begin(transport)
        super().connection_made(transport)


class SecureProxiedProtocol(ProxiedProtocol):
    """The same of a trusted proxy."""

    __slots__ = ("prepare", "session")

    def connection_made(self, transport: Transport) -> None:
        """Begin: the first head is due within ``timeouts.head`` from now."""
        self.session, self.prepare = _begin(transport)
        super().connection_made(transport)


def _begin(transport: Transport) -> tuple[Any, Prepare | None]:
    return transport.get_extra_info("ssl_object"), None


class SecureHttpService(HttpService):
    """See the head of this file."""

    _make_protocol = SecureHttpProtocol
    _make_proxied = SecureProxiedProtocol
    _secure = True

    def __init__(
        self, config: Config, reactor: Reactor, server: WsgiServer, dispatch: CallDesk, *, local: str, **more: Any
    ) -> None:
        super().__init__(config, reactor, server, dispatch, local=local, **more)
        self._server = server
        self._local = local
        self._prepared: dict[tuple[tuple[str, str], ...], Prepare] = {}

    def _start_call(self, connection: HttpProtocol) -> None:
        assert isinstance(connection, SecureHttpProtocol | SecureProxiedProtocol)
        request = connection.take_request()
        if request is None:
            return
        if connection.prepare is None:
            connection.prepare = self._prepare(connection.session)
        call = Call(self._dispatch, connection, request, self._context.copy())
        call.exchange = connection.prepare(request, call)
        connection.call = call
        self._dispatch.submit(call)

    def _prepare(self, session: Any) -> Prepare:
        variables = tls_variables(session)
        key = tuple(variables.items())
        known = self._prepared.get(key)
        if known is None:
            known = self._server.exchanges(self._local, "https", variables)
            if len(self._prepared) < _MOST_KINDS and "SSL_CLIENT_CERT" not in variables:
                self._prepared[key] = known
        return known
