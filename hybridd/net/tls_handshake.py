"""The step of an opening that does the TLS handshake, on listeners with the word ``tls``.

A handshake costs its client nothing and us a signature, 0.1 to 1 ms: only a few are advanced in each turn of the loop,
so that the connections that are open already do not wait for a storm of new ones.

Knows:     the session's handshake, OpenSSL's reasons.
Never:     certificates, what is spoken behind it.
Runs in:   wherever an opening runs.
"""

from __future__ import annotations

import ssl
from collections.abc import Generator
from contextlib import suppress
from typing import Final

from hybridd.net.opening import Opening, OpeningError, SilentlyGone, Step
from hybridd.net.reactor import READ, WRITE
from hybridd.net.tls_session import PIECE, TlsSession

REASON: Final = "tls_handshake"

MOST_IN_A_TURN: Final = 4

_HANDSHAKE_RECORD: Final = 22  # RFC 8446, 5.1: ContentType
_LONGEST_METHOD: Final = 8

# What OpenSSL calls the reason (the ends of its names differ between versions), and the label of the metric.
_RESULTS: Final = (
    ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "client_certificate"),
    ("CERTIFICATE_VERIFY_FAILED", "client_certificate"),
    ("UNSUPPORTED_PROTOCOL", "version"),
    ("VERSION_TOO_LOW", "version"),
    ("NO_SHARED_CIPHER", "cipher"),
    ("NO_SHARED_GROUP", "cipher"),
    ("NO_SUITABLE", "cipher"),
    ("ALERT", "alert"),
    ("WRONG_VERSION_NUMBER", "not_tls"),
    ("HTTP_REQUEST", "not_tls"),
)


class HandshakeError(OpeningError):
    """A handshake that fails; ``result`` is its label in the metrics."""

    def __init__(self, result: str, sentence: str) -> None:
        super().__init__(REASON, sentence)
        self.result = result
        self.answered = True  # by an alert, which a reset could overtake


class Turns:
    """How many handshakes may be advanced in this turn of a loop; one for all listeners of the loop."""

    __slots__ = ("_left", "_turn")

    def __init__(self) -> None:
        self._turn = 0.0
        self._left = MOST_IN_A_TURN

    def take(self, now: float) -> bool:
        """Whether one more may be; ``now`` is the loop's time, which is another in each turn."""
        if now != self._turn:
            self._turn, self._left = now, MOST_IN_A_TURN
        self._left -= 1
        return self._left >= 0

    def give_back(self) -> None:
        """It had nothing to do."""
        self._left += 1


def tls_step(context: ssl.SSLContext, turns: Turns, plain_answer: bytes) -> Step:
    """Return the step; it leaves the session in ``opening.session``.

    ``plain_answer`` is what a client gets that speaks HTTP without TLS; empty: nothing.
    """

    def step(opening: Opening) -> Generator[int, None, None]:
        session = opening.session = TlsSession(context)
        heard = False
        while True:
            data = yield from _receive(opening, turns)
            if not data:
                raise OpeningError(REASON, "it ended inside its TLS handshake") if heard else SilentlyGone
            if not heard and data[0] != _HANDSHAKE_RECORD:
                yield from _refuse_plain(opening, data, plain_answer)
            heard = True
            try:
                done = session.handshake(data)
            except ssl.SSLError as error:
                with suppress(OSError):
                    opening.sock.send(session.outgoing())
                raise _explained(error) from None
            yield from _send(opening, session.outgoing())
            if done:
                return

    return step


def _receive(opening: Opening, turns: Turns) -> Generator[int, None, bytes]:
    """Wait for bytes, and for our turn: what is not taken is reported again."""
    while True:
        if turns.take(opening.terms.reactor.now):
            try:
                data = opening.sock.recv(PIECE)
            except (BlockingIOError, InterruptedError):
                turns.give_back()
            else:
                opening.terms.received += len(data)
                return data
        yield READ


def _send(opening: Opening, data: bytes) -> Generator[int, None, None]:
    rest = memoryview(data)
    while rest:
        try:
            sent = opening.sock.send(rest)
        except (BlockingIOError, InterruptedError):
            yield WRITE
            continue
        opening.terms.sent += sent
        rest = rest[sent:]


def _refuse_plain(opening: Opening, data: bytes, answer: bytes) -> Generator[int, None, None]:
    """Tell a client that forgot the s of https what is wrong, in the language that it speaks."""
    method = data[: _LONGEST_METHOD + 1].partition(b" ")[0]
    if method.isalpha() and method.isupper() and len(method) <= _LONGEST_METHOD:
        yield from _send(opening, answer)
        raise HandshakeError("plain_http", "it speaks HTTP without TLS")
    raise HandshakeError("not_tls", "what it sends is not TLS")


def _explained(error: ssl.SSLError) -> HandshakeError:
    reason = error.reason or "unknown"
    result = next((result for part, result in _RESULTS if part in reason), "failed")
    sentence = reason.lower().replace("_", " ")
    detail = getattr(error, "verify_message", "")
    return HandshakeError(result, f"its TLS handshake failed: {sentence}{f' ({detail})' if detail else ''}")
