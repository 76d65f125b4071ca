"""A blocking HTTP client over TLS, with what a test wants to do to a session.

Runs in:   the test process.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Self

from tests.support.client import PATIENT, Client, connect


class TlsClient(Client):
    """As Client, behind a handshake."""

    def __init__(
        self,
        address: str,
        context: ssl.SSLContext,
        name: str | None = "localhost",
        *,
        timeout: float = PATIENT,
        session: ssl.SSLSession | None = None,
        receive_buffer: int = 0,
    ) -> None:
        plain = connect(address, timeout)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.tls = context.wrap_socket(plain, server_hostname=name, session=session)
        except BaseException:
            plain.close()
            raise
        self.socket = self.tls
        self._reader = self.tls.makefile("rb")


class HalfTls:
    """A session of which the test does every step: it can be half-closed, which an SSLSocket cannot."""

    def __init__(self, address: str, context: ssl.SSLContext, name: str = "localhost") -> None:
        self.socket = connect(address)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def begin(self) -> bytes:
        """Return the first bytes of a handshake, without sending them."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self._session.do_handshake()
        return self._outgoing.read()

    def shake_hands(self, last: bytes = b"") -> None:
        """Do the whole handshake; what is to be said first goes with its last bytes."""
        while True:
            try:
                self._session.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._incoming.write(self.socket.recv(65536))
        if last:
            self._session.write(last)
        self._flush()

    def say_goodbye(self) -> None:
        """Send close_notify; reading goes on."""
        with contextlib.suppress(ssl.SSLError):
            self._session.unwrap()
        self._flush()

    def read_to_end(self) -> bytes:
        """Return everything until the server's close_notify; EOFError when the connection ends without it."""
        received = b""
        while True:
            try:
                part = self._session.read(65536)
            except ssl.SSLWantReadError:
                data = self.socket.recv(65536)
                if not data:
                    raise EOFError(f"no close_notify behind {received!r}") from None
                self._incoming.write(data)
                continue
            except ssl.SSLZeroReturnError:
                return received
            if not part:
                return received
            received += part

    def _flush(self) -> None:
        self.socket.sendall(self._outgoing.read())
