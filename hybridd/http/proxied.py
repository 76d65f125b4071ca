"""HTTP on a connection of a trusted proxy: each request may be another client's.

A request's fields of the kind of X-Forwarded-For are kept aside while it is read (fields.py).  Here they are believed:
the client's address takes the place of the proxy's, and the rest becomes the fields that the application sees, with the
scheme and the server's name and port among them under the names of its environ.

A block of header lines that was seen before (known_heads.py) has that done already.

Knows:     the settings ``forwarded`` and ``forwarded_fields``.
Never:     who is trusted (the worker gives such connections to this class).
Runs in:   the leader thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import unquote

from hybridd.config.settings import Limits, Timeouts
from hybridd.errors import HttpError
from hybridd.http.counts import HttpCounts
from hybridd.http.forwarded import FOR, HOST, PORT, PREFIX, PROTO, Said, read_forwarded, read_x_forwarded
from hybridd.http.protocol import HttpProtocol
from hybridd.http.reader import RequestReader
from hybridd.http.request import ForwardedFields, KnownFields, Request
from hybridd.http.target import is_badly_encoded, is_host
from hybridd.http.wire import Service, Transport

SCHEMES = {"http": "80", "https": "443"}
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """What a worker believes of its proxies.

    Attributes:
        family: ``x-forwarded`` or ``forwarded``.
        fields: of ``for``, ``proto``, ``host``, ``port`` and ``prefix`` those that the proxies really set.
        trusts: whether an address ("" is a unix socket's) is a proxy's.
        secure: they speak TLS with us, whatever clients speak with them.
    """

    family: str
    fields: frozenset[str]
    trusts: Callable[[str], bool]
    secure: bool = False


class View(NamedTuple):
    """A request's fields as the application sees them, and whose request it is; for one proxy, under one belief."""

    proxy: str
    belief: Belief
    peer: tuple[str, int]
    fields: dict[str, str]


class ProxiedProtocol(HttpProtocol):
    """HttpProtocol for connections of a trusted proxy."""

    __slots__ = ("_belief", "_proxy")

    def __init__(
        self, service: Service, limits: Limits, timeouts: Timeouts, counts: HttpCounts, belief: Belief
    ) -> None:
        super().__init__(service, limits, timeouts, counts)
        self._belief = belief
        self._proxy = self._peer

    def connection_made(self, transport: Transport) -> None:
        """Note whose connection it is: between requests it is the proxy's."""
        super().connection_made(transport)
        self._proxy = self._peer

    def _announce(self, request: Request, rest: bytes, now: float) -> None:
        if not getattr(request.fields, "forwarded", None):
            super()._announce(request, rest, now)
            return
        try:
            view = self._view(request.fields)
        except HttpError as error:
            self._refuse_announced(request, error, now)
            return
        self._peer, request.fields = view.peer, view.fields
        super()._announce(request, rest, now)
        self._peer = self._proxy  # the next request may be another client's

    def _describe(self, reader: RequestReader) -> Request:
        """Give a request that is refused as far as it was read: it is the client's as well, if that can be told."""
        request = super()._describe(reader)
        if reader.withheld:
            with suppress(HttpError):
                view = make_view(ForwardedFields(reader.fields, reader.withheld), self._proxy, self._belief)
                request.peer, request.peer_port = view.peer
        return request

    def _view(self, fields: dict[str, str]) -> View:
        """Return what is believed of these fields, from memory if they were seen before."""
        proxy, belief = self._proxy[0], self._belief
        view: View | None = getattr(fields, "view", None)
        if view is None or view.proxy != proxy or view.belief is not belief:
            view = make_view(fields, self._proxy, belief)
            if isinstance(fields, KnownFields):
                view = View(proxy, belief, view.peer, KnownFields(view.fields))
                fields.view = view
        return view

    def _refuse_announced(self, request: Request, error: HttpError, now: float) -> None:
        """Refuse a request that was read to its end."""
        request.ready = request.called = now
        request.peer, request.peer_port = self._proxy[:2]
        request.body.close()
        self._refuse(request, error)
        self._hang_up(linger=True)


def make_view(fields: dict[str, str], proxy: tuple[str, int], belief: Belief) -> View:
    """Make a view of fields that have something ``forwarded``.

    Raises:
        HttpError: 400.
    """
    given: dict[str, str] = fields.forwarded  # type: ignore[attr-defined]  # ForwardedFields or KnownFields
    read = read_forwarded if belief.family == "forwarded" else read_x_forwarded
    said = read(given, proxy[0], belief.trusts)
    seen = dict(fields)
    peer = proxy[:2]
    if FOR in belief.fields and said.line:
        peer = said.client, said.port
        seen["HTTP_FORWARDED" if belief.family == "forwarded" else "HTTP_X_FORWARDED_FOR"] = said.line
        if "HTTP_X_REAL_IP" in given:
            seen["HTTP_X_REAL_IP"] = said.client
    _see_server(seen, said, belief)
    return View(proxy[0], belief, peer, seen)


def _see_server(seen: dict[str, str], said: Said, belief: Belief) -> None:
    """Add what the client asked of the outermost proxy; a value that cannot be one changes nothing."""
    believed = belief.fields
    scheme = said.scheme.lower()
    if PROTO in believed and scheme in SCHEMES:
        seen["wsgi.url_scheme"] = scheme
        if scheme == "https":
            seen["HTTPS"] = "on"
        elif belief.secure:
            seen["HTTPS"] = ""  # which is to say that there is none: RFC 3875, 4.1
        _note(seen, belief, "PROTO", scheme)
    else:
        scheme = ""
    if HOST in believed and is_host(said.host):
        name, port = split_host(said.host)
        seen["HTTP_HOST"], seen["SERVER_NAME"] = said.host, name
        _note(seen, belief, "HOST", said.host)
        if port or scheme:
            seen["SERVER_PORT"] = port or SCHEMES[scheme]
    if PORT in believed and _PORT.fullmatch(said.server_port) and int(said.server_port) <= _LAST_PORT:
        seen["SERVER_PORT"] = said.server_port
        _note(seen, belief, "PORT", said.server_port)
        if "HTTP_HOST" in seen:
            usual = said.server_port == SCHEMES[seen.get("wsgi.url_scheme", "http")]
            name = split_host(seen["HTTP_HOST"])[0]
            seen["HTTP_HOST"] = name if usual else f"{name}:{said.server_port}"
    prefix = said.prefix.rstrip("/")
    if PREFIX in believed and _PREFIX.fullmatch(prefix) and not is_badly_encoded(prefix):
        path = unquote(prefix, "latin-1")
        if not {"", ".", ".."} & set(path[1:].split("/")):  # as the application will read it
            seen["SCRIPT_NAME"] = path
            _note(seen, belief, "PREFIX", prefix)


def _note(seen: dict[str, str], belief: Belief, name: str, value: str) -> None:
    if belief.family != "forwarded":  # there it is a part of the line
        seen[f"HTTP_X_FORWARDED_{name}"] = value


def split_host(host: str) -> tuple[str, str]:
    """Return name and port of ``host[:port]``; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdecimal() else (host.removesuffix(":"), "")
