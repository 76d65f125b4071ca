"""What a connection has written and its peer has not yet taken: bytes and stretches of files, in order.

Exists only while something waits, so that an idle connection pays nothing for it.

Knows:     one socket's send calls.
Never:     watermarks, deadlines, the selector.
Runs in:   the thread that leads the reactor.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
import termios
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

_GATHER = 64  # buffers per sendmsg; far below IOV_MAX (1024), about one socket buffer of small chunks
_ROUNDS = 8  # system calls per event: a fast reader of a large file must not keep the loop to itself
_BLOCK = 65536  # bytes read at once from a file that cannot be spliced


@dataclass(slots=True)
class FilePart:
    """A stretch of a file; the descriptor is ours."""

    fd: int
    offset: int
    count: int


class SendQueue:
    """Parts in order.

    Attributes:
        size: what they have together, in bytes.
        sent: bytes given to the kernel.
        mark: how many of these the peer had taken when it was last judged, see ``taken``.
    """

    __slots__ = ("_parts", "mark", "sent", "size")

    def __init__(self) -> None:
        self._parts: deque[bytes | memoryview | FilePart] = deque()
        self.size = 0
        self.sent = 0
        self.mark = 0

    def append(self, data: bytes | memoryview) -> None:
        """Queue bytes, which must not change any more."""
        self._parts.append(data)
        self.size += len(data)

    def append_file(self, fd: int, offset: int, count: int) -> None:
        """Queue a stretch of a file; ``fd`` is ours from now on."""
        self._parts.append(FilePart(fd, offset, count))
        self.size += count

    def send(self, sock: socket.socket) -> Iterator[int]:
        """Send what the kernel takes, yielding the bytes of each system call.

        Raises:
            OSError: the connection is broken, or a file became shorter than was promised.
        """
        for _ in range(_ROUNDS):
            if not self._parts:
                return
            head = self._parts[0]
            try:
                sent = self._send_file(sock, head) if isinstance(head, FilePart) else self._send_buffers(sock)
            except (BlockingIOError, InterruptedError):
                return
            self.size -= sent
            self.sent += sent
            yield sent

    def taken(self, sock: socket.socket) -> int:
        """Bytes that the peer has taken since some moment before the first of these: only differences mean anything.

        What the kernel has still to send, or was not acknowledged, is not taken.  Without this look a client that reads
        20 KB/s seems to read nothing for a minute: the kernel asks for more only when a third of its buffer, which may
        have megabytes, is free.
        """
        try:
            held = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]  # SIOCOUTQ: tcp(7)
        except OSError:  # a family that does not know it
            held = 0
        return self.sent - int(held)

    def close(self) -> None:
        """Drop everything and give the descriptors back."""
        for part in self._parts:
            if isinstance(part, FilePart):
                os.close(part.fd)
        self._parts.clear()
        self.size = 0

    def _send_buffers(self, sock: socket.socket) -> int:
        buffers: list[bytes | memoryview] = []
        for part in self._parts:
            if isinstance(part, FilePart) or len(buffers) == _GATHER:
                break
            buffers.append(part)
        sent = rest = sock.sendmsg(buffers)
        for buffer in buffers:
            self._parts.popleft()
            if rest < len(buffer):
                self._parts.appendleft(memoryview(buffer)[rest:])
                break
            rest -= len(buffer)
        return sent

    def _send_file(self, sock: socket.socket, part: FilePart) -> int:
        try:
            sent = os.sendfile(sock.fileno(), part.fd, part.offset, part.count)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
            # Some file systems cannot splice (sendfile(2), EINVAL).
            sent = sock.send(os.pread(part.fd, min(part.count, _BLOCK), part.offset))
        if not sent:
            raise OSError(errno.EIO, "the file became shorter while it was sent")
        part.offset += sent
        part.count -= sent
        if not part.count:
            os.close(part.fd)
            self._parts.popleft()
        return sent
