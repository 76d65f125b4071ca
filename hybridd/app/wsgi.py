"""WSGI (PEP 3333): one server object per worker makes one exchange per request.

Knows:     the application, the environ that all requests share.
Never:     sockets, loops, threads: responses go to an Outlet, and who steps an exchange is the worker's choice.
Runs in:   a worker; ``exchange`` on its leader, ``step`` and ``abandon`` on any one thread at a time.
"""

from __future__ import annotations

from typing import Any

from hybridd.app.outlet import Outlet
from hybridd.http.request import Request

__all__ = ["Outlet", "WsgiExchange", "WsgiServer"]


class WsgiExchange:
    """One request and its response."""

    def step(self) -> bool:
        """Run the application: True when the exchange is over, False when it rests because the client is behind.

        Never raises.  Every step of an exchange must run in the same ``contextvars.Context``.
        """
        raise NotImplementedError

    def abandon(self) -> None:
        """Close the application's iterable, as a last step: the client is gone.  Never raises; may come twice."""
        raise NotImplementedError


class WsgiServer:
    """A WSGI application and the part of its environ that never changes."""

    def __init__(self, application: Any, *, multithread: bool, multiprocess: bool, scheme: str = "http") -> None:
        """Take ``application`` (a callable of two arguments)."""
        raise NotImplementedError

    def exchange(self, request: Request, outlet: Outlet, local: str = "") -> WsgiExchange:
        """Prepare one exchange; nothing of the application runs before its first step.

        ``local`` is the listener's bound address as text (``Listener.address``): SERVER_NAME and SERVER_PORT.
        """
        raise NotImplementedError
