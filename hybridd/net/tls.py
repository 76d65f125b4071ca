"""The hands of a TLS connection: a SocketTransport whose bytes are encrypted on their way.

To its protocol it is the same transport: watermarks, deadlines, ``sendfile``, half-close.  What differs is the end:
``close`` and ``write_eof`` send a close_notify, and a peer that goes without one may have been cut off by somebody on
the way: a protocol that tells the end of what it reads by itself (HTTP) sees the end of file as ever, any other one
sees a broken connection.

Knows:     one socket, its session, the reactor.
Never:     what is spoken; the handshake (tls_handshake.py), which is complete.
Runs in:   the thread that leads the reactor, every method.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from hybridd.net.reactor import READ, WRITE
from hybridd.net.send_queue import SendQueue
from hybridd.net.terms import Reading, Side, Terms, reset_on_close
from hybridd.net.tls_queue import TlsSendQueue
from hybridd.net.tls_session import PIECE, TlsSession
from hybridd.net.transport import SocketTransport


class TlsTransport(SocketTransport):
    """One accepted connection behind its handshake."""

    __slots__ = ("_framed", "_session", "variables")

    def __init__(
        self, terms: Terms, sock: Any, protocol: Any, peername: Any, session: TlsSession, *, framed: bool
    ) -> None:
        """Take over a connection.

        ``framed``: the protocol knows itself where what it reads ends.
        """
        super().__init__(terms, sock, protocol, peername)
        self._session = session
        self._framed = framed
        self.variables: Mapping[str, str] | None = None  # what the application is told of the session, once it was made

    def open(self) -> None:
        """Introduce the protocol to its connection and begin to read, with what came behind the handshake."""
        super().open()
        self._receive(b"")

    def resume_reading(self) -> None:
        """Read again after ``pause_reading``."""
        super().resume_reading()
        if self._session.holds:
            self._terms.reactor.call_soon(self._receive, b"")

    def ready(self, mask: int) -> None:
        """The selector saw something; events from before an unregister are ignored."""
        if mask & self._mask & WRITE:
            self._flush()
        if not mask & self._mask & READ:
            return
        try:
            data = self._sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(error)
            return
        self._terms.received += len(data)
        self._receive(data)
        if data or not self.is_reading():
            return
        if self._framed:
            self._end_of_file()
        else:
            self._lose(ConnectionResetError(errno.ECONNRESET, "the connection ended without close_notify"))

    def _receive(self, data: bytes) -> None:
        """Decrypt all of it: nothing may stay that no selector tells of."""
        if self._reading is not Reading.ON:
            return
        session = self._session
        try:
            plain = session.open(data)
            control = session.outgoing()
            if control:
                self._send_control(control)
        except OSError as error:
            self._fail(error)
            return
        if plain:
            try:
                self._protocol.data_received(plain)
            except Exception as error:  # noqa: BLE001  # whatever a protocol raises ends its connection only
                self._protocol_failed(error)
        if session.ended and self.is_reading():
            self._end_of_file()

    def _end_of_file(self) -> None:
        self._reading = Reading.ENDED
        self._watch()
        try:
            if not self._protocol.eof_received():
                self.close()
        except Exception as error:  # noqa: BLE001  # whatever a protocol raises ends its connection only
            self._protocol_failed(error)

    def _fail(self, error: OSError) -> None:
        """The peer breaks the protocol: tell it so, and end."""
        if self._queue is None:
            with suppress(OSError):
                self._sock.send(self._session.outgoing())
        if isinstance(error, ssl.SSLError):
            error = ConnectionAbortedError(errno.ECONNABORTED, f"TLS: {error.reason}")
        self._lose(error)

    # Writing.

    def send_held(self) -> None:
        """Encrypt and send what was held back, while there was no queue; harmless when nothing was."""
        data = self._held
        if not data:
            return
        self._held = b""
        if len(data) > PIECE:
            self._open_queue().append(data if type(data) is bytes else bytes(data))
            self._flush()
            if self._queue is not None:
                self._queued()
            return
        try:
            self._send_sealed(self._session.seal(data))
        except OSError as error:
            self._lose(error)

    def _send_sealed(self, sealed: bytes) -> None:
        """Send encrypted bytes at once, as far as the kernel takes them; nothing waits."""
        sent = 0
        with suppress(BlockingIOError, InterruptedError):
            sent = self._sock.send(sealed)
        self._terms.sent += sent
        if sent < len(sealed):
            queue = self._open_queue()
            assert isinstance(queue, TlsSendQueue)
            queue.append_sealed(sealed[sent:])
            self._queued()

    def _send_control(self, sealed: bytes) -> None:
        queue = self._queue
        if queue is None:
            self._send_sealed(sealed)
        else:
            assert isinstance(queue, TlsSendQueue)
            queue.append_control(sealed)

    def _open_queue(self) -> SendQueue:
        if self._queue is None:
            self._queue = TlsSendQueue(self._session)
        return self._queue

    # The end.

    def _shut_down_writing(self) -> None:
        self._say_goodbye()
        super()._shut_down_writing()

    def _cut(self, error: Exception | None) -> None:
        if self._side is not Side.CLOSED:
            reset_on_close(self._sock)
            super()._lose(error)  # not ours: a close_notify would say that this is the whole

    def _lose(self, error: Exception | None) -> None:
        if error is None and (self._side is Side.OPEN or self._side is Side.CLOSING):
            self._say_goodbye()
        super()._lose(error)

    def _say_goodbye(self) -> None:
        """Send close_notify, if the kernel takes it: nothing waits before it."""
        with suppress(OSError):
            self._sock.send(self._session.close())

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As SocketTransport, and what asyncio has: ``ssl_object``, ``sslcontext``, ``peercert``, ``cipher``."""
        match name:
            case "ssl_object":
                return self._session.object
            case "sslcontext":
                return self._session.object.context
            case "peercert":
                return self._session.object.getpeercert()
            case "cipher":
                return self._session.object.cipher()
        return super().get_extra_info(name, default)
