"""One TLS session without a socket: bytes of the wire in, bytes of the wire out.

Everything that has come is decrypted at once, so nothing readable ever lies here that no selector tells of; and since
it writes into memory, TLS never has to wait in a write.

Knows:     OpenSSL's state machine, through ``ssl.SSLObject``.
Never:     sockets, the reactor, what is spoken.
Runs in:   the thread that leads the reactor.
Raises:    ssl.SSLError when the peer breaks the protocol; what is to be sent then is in ``outgoing``.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import Final

PIECE: Final = 16_384
"""Bytes encrypted or received at once: a record.  OpenSSL's memory buffers keep what they once had: an idle session
that has moved large bodies has 83 KiB; 135 with pieces twice as large."""


class TlsSession:
    """The server's side of a session.

    Attributes:
        object: for those who ask about it (``getpeercert``, ``cipher``).
        ended: the peer's close_notify has come: what it sent is whole.
    """

    __slots__ = ("_incoming", "_outgoing", "ended", "object")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.ended = False

    def handshake(self, data: bytes) -> bool:
        """Take what came; whether the handshake is complete.  Bytes behind it are kept for ``open``."""
        self._incoming.write(data)
        try:
            self.object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def outgoing(self) -> bytes:
        """What the handshake, an alert or a new key wants to have sent."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def open(self, data: bytes) -> bytes:
        """Decrypt what came, as far as it is complete."""
        incoming, read = self._incoming, self.object.read
        if data:
            incoming.write(data)
        parts = []
        try:
            while incoming.pending or self.object.pending():
                part = read(PIECE)
                if not part:  # close_notify before ours
                    self.ended = True
                    break
                parts.append(part)
        except ssl.SSLWantReadError:
            pass  # a part of a record
        except ssl.SSLZeroReturnError:  # close_notify behind ours
            self.ended = True
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def holds(self) -> bool:
        """Whether ``open(b"")`` has something to give, or to end with."""
        return bool(self.ended or self._incoming.pending or self.object.pending())

    def seal(self, data: bytes | bytearray | memoryview) -> bytes:
        """Encrypt up to PIECE bytes; a long text is given in pieces."""
        self.object.write(data)
        return self._outgoing.read()

    def close(self) -> bytes:
        """Return the close_notify that says that all was sent; reading goes on."""
        with suppress(ssl.SSLError):  # the peer's is not there yet; or the session is broken anyway
            self.object.unwrap()
        return self._outgoing.read()
