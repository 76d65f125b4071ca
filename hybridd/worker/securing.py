"""TLS on the way of a connection to its protocol: the handshake's step, its count, and the transport behind it.

Imported only where a listener has the word tls: OpenSSL takes 4 MB and 20 ms.

Knows:     contexts, as the master made them; how handshakes end.
Never:     certificates; what is spoken.
Runs in:   the thread of the loop on which the connections live.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from hybridd.config.listener_words import Words
from hybridd.config.tls import Rules, rules_of
from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import Handshake
from hybridd.net.opening import Opening, SilentlyGone
from hybridd.net.tls import TlsTransport
from hybridd.net.tls_handshake import HandshakeError, Turns, tls_step
from hybridd.worker.accepting import Start
from hybridd.worker.loop import Loop
from hybridd.worker.spec import WorkerSpec

_SENTENCE: Final = b"The plain HTTP request was sent to an HTTPS port.\n"
PLAIN_ANSWER: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_SENTENCE), _SENTENCE)
)


def secured(spec: WorkerSpec, said: Sequence[Words], loop: Loop) -> list[Secured | None]:
    """Return for each listener how its connections are secured on this loop; None: they are not."""
    turns = Turns()
    raw = bool(spec.config.protocol)
    found: list[Secured | None] = []
    for words in said:
        rules = rules_of(words, spec.config.tls, raw=raw)
        found.append(Secured(rules, spec, turns, loop.counts) if words.tls else None)
    return found


class Secured:
    """One TLS listener on one loop.

    Attributes:
        step: of the opening.
    """

    def __init__(self, rules: Rules, spec: WorkerSpec, turns: Turns, counts: HttpCounts) -> None:
        self._http = bool(rules.protocols)
        self._counts = counts
        self.step = tls_step(spec.tls[rules], turns, PLAIN_ANSWER if self._http else b"")

    def begin(self, begin: Start, opening: Opening) -> Any:
        """Begin with the protocol of a connection whose handshake is complete."""
        session = opening.session
        self._counts.count_handshake(Handshake.RESUMED if session.object.session_reused else Handshake.FULL)
        make_transport = partial(TlsTransport, session=session, framed=self._http)
        return begin(opening.sock, opening.peer, make_transport)

    def failed(self, opening: Opening, error: Exception) -> None:
        """Count a handshake that was begun and did not come to its end."""
        if opening.session is not None and not isinstance(error, SilentlyGone):
            self._counts.count_handshake(result_of(error))


def result_of(error: Exception) -> Handshake:
    """Return how a handshake ended that raised this."""
    match error:
        case HandshakeError():
            return Handshake(error.result)
        case TimeoutError() if error.errno is None:  # ours; ETIMEDOUT is the network's
            return Handshake.TIMEOUT
        case ConnectionError() | TimeoutError():
            return Handshake.GONE
    return Handshake.FAILED
