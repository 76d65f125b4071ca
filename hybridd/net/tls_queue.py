"""What a TLS connection has written and its peer has not yet taken.

What waits is kept as it was written, and encrypted when it is its turn: so a file is read as the peer reads it.

Knows:     one socket's ``send``, the session.
Never:     watermarks, deadlines, the selector.
Runs in:   the thread that leads the reactor.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import Final

from hybridd.net.send_queue import FilePart, SendQueue
from hybridd.net.tls_session import PIECE, TlsSession

_ROUNDS: Final = 16
"""Pieces per event: with PIECE 256 KiB, so that a fast reader of a large file does not keep the loop to itself."""

MOST_CONTROL: Final = 4096
"""Bytes of answers to new keys and the like in the life of one queue, which ends when the client has taken everything:
a client that asks for more and does not read is hostile."""


class TlsSendQueue(SendQueue):
    """Parts in order; ``size`` is what they have together, in bytes, encrypted or not."""

    __slots__ = ("_control", "_sealed", "_session")

    def __init__(self, session: TlsSession) -> None:
        super().__init__()
        self._session = session
        self._sealed = memoryview(b"")  # encrypted: the rest of it must go before anything else
        self._control = 0

    def append_sealed(self, data: bytes) -> None:
        """Queue what is encrypted already, and was before everything that is not."""
        self._sealed = memoryview(bytes(self._sealed) + data)
        self.size += len(data)

    def append_control(self, data: bytes) -> None:
        """Queue what TLS itself has to say.

        Raises:
            OSError: more of it waits than any honest peer can ask for.
        """
        self._control += len(data)
        if self._control > MOST_CONTROL:
            raise OSError(errno.EPROTO, "the client asks for new keys and does not take them")
        self.append_sealed(data)

    def send(self, sock: socket.socket) -> Iterator[int]:
        """Encrypt and send what the kernel takes, yielding the bytes of each system call.

        Raises:
            OSError: the connection is broken, or a file became shorter than was promised.
        """
        for _ in range(_ROUNDS):
            if not self._sealed:
                if not self._parts:
                    return
                self._seal()
            try:
                sent = sock.send(self._sealed)
            except (BlockingIOError, InterruptedError):
                return
            self._sealed = self._sealed[sent:]
            self.size -= sent
            self.sent += sent
            yield sent

    def close(self) -> None:
        """Drop everything and give the descriptors back."""
        super().close()
        self._sealed = memoryview(b"")

    def _seal(self) -> None:
        head = self._parts[0]
        plain = self._read(head) if isinstance(head, FilePart) else self._take()
        sealed = self._session.seal(plain)
        self._sealed = memoryview(sealed)
        self.size += len(sealed) - len(plain)

    def _take(self) -> bytes | memoryview:
        """Take the first bytes that wait, small pieces together: each call of OpenSSL makes a record."""
        taken: list[bytes | memoryview] = []
        room = PIECE
        while room and self._parts:
            part = self._parts[0]
            if isinstance(part, FilePart):
                break
            self._parts.popleft()
            if len(part) > room:
                self._parts.appendleft(memoryview(part)[room:])
                part = memoryview(part)[:room]
            taken.append(part)
            room -= len(part)
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _read(self, part: FilePart) -> bytes:
        data = os.pread(part.fd, min(part.count, PIECE), part.offset)
        if not data:
            raise OSError(errno.EIO, "the file became shorter while it was sent")
        part.offset += len(data)
        part.count -= len(data)
        if not part.count:
            os.close(part.fd)
            self._parts.popleft()
        return data
