"""The step of an opening that reads a PROXY header, on listeners with the word ``proxy_protocol``.

The header is required: to guess whether one is there would let every client be its own proxy (proxy-protocol.txt,
section 2).  Not one byte behind it is taken: it belongs to TLS or to the protocol.

Knows:     sockets, whom to believe.
Never:     the header's bytes (proxy_header.py).
Runs in:   wherever an opening runs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator
from typing import Any

from hybridd.net.opening import Opening, OpeningError, SilentlyGone, Step, receive
from hybridd.net.proxy_header import LONGEST, ProxyHeader, ProxyHeaderError, parse_proxy_header

REASON = "proxy_header"


def proxy_step(trusts: Callable[[str], bool]) -> Step:
    """Return the step; ``trusts`` says of an address ("" for a unix socket) whether its header is believed."""

    def step(opening: Opening) -> Generator[int, None, None]:
        if not trusts(host_of(opening.peer)):
            raise OpeningError(REASON, "it is none of trusted_proxies")
        try:
            header = yield from _read(opening)
        except ProxyHeaderError as error:
            raise OpeningError(REASON, str(error)) from None
        if header.client is not None:
            admit = opening.terms.admit
            if admit is not None and not admit(header.client, opening.terms.reactor.now):
                raise OpeningError("address_limit", f"its client {host_of(header.client)} has too many connections")
            opening.peer = header.client

    return step


def host_of(peer: Any) -> str:
    """Return the address of a ``peername`` without its port; "" for a unix socket's."""
    return peer[0] if isinstance(peer, tuple) else ""


def _read(opening: Opening) -> Generator[int, None, ProxyHeader]:
    """Look at what has come, and take what is certain to be the header's: an unfinished one is so to its last byte."""
    sock, taken = opening.sock, b""
    while True:
        header = parse_proxy_header(taken)
        if header is not None:
            return header
        seen = yield from receive(sock, LONGEST - len(taken), socket.MSG_PEEK)
        if not seen:
            raise OpeningError(REASON, "it ended inside its PROXY header") if taken else SilentlyGone
        header = parse_proxy_header(taken + seen)
        own = len(seen) if header is None else header.length - len(taken)
        piece = yield from receive(sock, own)
        opening.terms.received += len(piece)
        taken += piece
