"""From an accepted connection to its protocol: what happens on the way, for each listener.

A plain listener's connections begin at once.  Where its words ask for more, an Opening (net/opening.py) goes first:
the PROXY header tells who the client is, then comes the TLS handshake (securing.py).  Connections of a trusted proxy
have a protocol that believes its fields.

Knows:     the words of listeners, which steps they stand for, how to count those who fail.
Never:     what the steps do; what is spoken.
Runs in:   the thread of the loop on which the connections live.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hybridd.config.listener_words import Words
from hybridd.config.settings import Config
from hybridd.config.trust import Trust
from hybridd.http.outcome import CloseReason
from hybridd.net.opening import Begin, Failed, Opening, OpeningError, SilentlyGone, Step
from hybridd.net.proxy_step import host_of, proxy_step
from hybridd.worker.accepting import Start, Take, open_connection
from hybridd.worker.loop import Loop
from hybridd.worker.serving import Service

if TYPE_CHECKING:
    from hybridd.worker.securing import Secured


def arrival(config: Config, words: Words, loop: Loop, service: Service, secured: Secured | None) -> Take:
    """Return what begins, on a loop, with the connections of a listener with these words; ``secured``: by TLS."""
    begin: Start = partial(open_connection, loop.terms, service.connection)
    trust = Trust(config.trusted_proxies)
    if service.proxied_connection is not None:
        begin = _by_peer(trust, partial(open_connection, loop.terms, service.proxied_connection), begin)
    steps = [proxy_step(trust)] if words.proxy_protocol else []
    if secured is not None:
        return _Entrance(config, loop, partial(secured.begin, begin), [*steps, secured.step], secured.failed).take
    return _Entrance(config, loop, partial(_begin, begin), steps).take if steps else begin


def _begin(begin: Take, opening: Opening) -> Any:
    return begin(opening.sock, opening.peer)


def _by_peer(trust: Trust, of_proxy: Start, of_client: Start) -> Start:
    """Return what begins with a connection as whose it is: that of a proxy, or of a client itself."""

    def begin(sock: socket.socket, peer: Any, *more: Any) -> Any:
        return (of_proxy if trust(host_of(peer)) else of_client)(sock, peer, *more)

    return begin


class _Entrance:
    """One listener whose connections have steps to go, on one loop."""

    def __init__(
        self, config: Config, loop: Loop, begin: Begin, steps: Sequence[Step], failed: Failed | None = None
    ) -> None:
        self._seconds = config.timeouts.handshake
        self._loop = loop
        self._begin = begin
        self._steps = steps
        self._tell_failed = failed

    def take(self, sock: socket.socket, peer: Any) -> None:
        """Let a connection that was accepted go its way."""
        opening = Opening(self._loop.terms, sock, peer, steps=self._steps, begin=self._begin, failed=self._failed)
        opening.start(self._seconds)

    def _failed(self, opening: Opening, error: Exception) -> None:
        if self._tell_failed is not None:
            self._tell_failed(opening, error)
        reason, counts = _reason_of(error), self._loop.counts
        counts.count_closed(reason)
        counts.note(reason, f"{host_of(opening.peer) or 'a unix socket'}: {error}")


def _reason_of(error: Exception) -> CloseReason:
    match error:
        case OpeningError():
            return CloseReason(error.reason)
        case SilentlyGone():
            return CloseReason.CLIENT
        case ConnectionAbortedError():
            return CloseReason.ABORTED
        case TimeoutError() if error.errno is None:  # ours; ETIMEDOUT is the network's
            return CloseReason.HANDSHAKE_TIMEOUT
        case ConnectionError() | TimeoutError():
            return CloseReason.RESET
    return CloseReason.ERROR
