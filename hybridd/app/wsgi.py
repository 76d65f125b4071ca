"""WSGI (PEP 3333): one server object per worker, one exchange per request.

Knows:     the application, and the part of the environ that all requests of a listener share.
Never:     sockets, loops, threads: responses go to an Outlet, and who steps an exchange is the worker's choice.
Runs in:   a worker; ``exchanges`` on its leader, ``base`` and ``errors`` on the thread that steps an exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, TextIO, cast

from hybridd.app.application import WsgiApplication
from hybridd.app.environ import base_environ
from hybridd.app.errors_stream import ErrorsStream
from hybridd.app.exchange import ClientGoneError, WsgiExchange
from hybridd.app.outlet import Outlet
from hybridd.http.request import Request

NOTHING: Mapping[str, str] = MappingProxyType({})

__all__ = ["ClientGoneError", "Outlet", "WsgiExchange", "WsgiServer"]


class WsgiServer:
    """A WSGI application and what its requests share; one per worker.

    ``multithread``: the application may be called by two threads at once; ``multiprocess``: other workers run it too.
    """

    __slots__ = ("_bases", "_multiprocess", "_multithread", "application", "errors")

    def __init__(self, application: WsgiApplication, *, multithread: bool, multiprocess: bool) -> None:
        self.application = application
        self.errors = ErrorsStream()
        self._multithread = multithread
        self._multiprocess = multiprocess
        self._bases: dict[tuple[str, str], dict[str, Any]] = {}  # by listener; as many as listeners, at most

    def exchanges(
        self, local: str = "", scheme: str = "http", more: Mapping[str, str] = NOTHING
    ) -> Callable[[Request, Outlet], WsgiExchange]:
        """Give what prepares an exchange; nothing of the application runs before its first step.

        Its request is complete, and its body is closed when the exchange is over; the response goes to its outlet.

        Args:
            local: the listener's bound address as text (``Listener.address``), for SERVER_NAME and SERVER_PORT.
            scheme: what is spoken there, ``http`` or ``https``.
            more: variables of one connection.
        """
        base = self.base(local, scheme)
        # Called for every request: no function of ours between.
        return partial(WsgiExchange, self, {**base, **more} if more else base)

    def base(self, local: str, scheme: str = "http") -> dict[str, Any]:
        """Return the environ that all requests of a listener share; not to be changed."""
        try:
            return self._bases[local, scheme]
        except KeyError:
            base = self._bases[local, scheme] = base_environ(
                local,
                scheme=scheme,
                multithread=self._multithread,
                multiprocess=self._multiprocess,
                errors=cast(TextIO, self.errors),
            )
            return base
