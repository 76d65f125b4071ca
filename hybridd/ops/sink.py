"""Where log lines go: one write per record, never a wait.

A descriptor that somebody else reads can be full.  What works without changing the file status flags, which we share
with whoever started us (measured on Linux 6.18 and read in its sources):

  regular file  a plain write; O_APPEND makes it land whole behind the last one, also with several writers.
  pipe, tty     opened again through /proc/self/fd/N: an open file description of our own, with O_NONBLOCK.
  pipe of another user (a container engine's, seen by a non-root process): opening gives EACCES; pwritev2(2) with
                RWF_NOWAIT works on Linux 6.4 and later.
  socket        (journald's stdout) cannot be opened again (ENXIO): send(2) with MSG_DONTWAIT.
  the rest      poll(2) before the write; another writer may still fill the last page in between.

A record that does not fit is dropped whole and counted.  A record that went out in part (larger than PIPE_BUF, or a
disk that filled up) is finished before any other is written: lines are lost, never torn by us.

Knows:     bytes, descriptors.
Never:     what a line says; raises for a destination that fails (it counts).
Runs in:   every process; one thread at a time (a handler's lock, or the leader).
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Final

PIPE_BUF: Final = select.PIPE_BUF  # a write up to this size is all or nothing on a pipe: pipe(7)
STANDARD: Final = {"/dev/stdout": 1, "/dev/stderr": 2}
MODE: Final = 0o640
NOTICE_INTERVAL: Final = 10.0  # seconds between two notices about dropped lines

Send = Callable[[bytes], int]


class Sink:
    """A destination of records; see ``open_sink``.

    Attributes:
        fd: the descriptor that lines go to; faulthandler may write there too.
        mirrors: further descriptors that shall be the same file, also after it was opened again.
        dropped: lines lost since the start (or since ``forked``).
        limit: how many bytes go out in one piece even when others write too; 0: any number.
    """

    def __init__(
        self, fd: int, send: Send, *, path: str = "", limit: int = 0, close: Callable[[], None] = lambda: None
    ) -> None:
        self.fd = fd
        self.path = path
        self.limit = limit
        self.mirrors: tuple[int, ...] = ()
        self._close = close
        self.dropped = 0
        self._send = send
        self._tail = b""
        self._told = 0  # of the dropped lines, how many the log speaks of
        self._told_at = float("-inf")

    def write(self, record: bytes, lines: int = 1) -> bool:
        """Write a record of whole lines; False when it was dropped."""
        if self._tail and not self.finish():
            self.dropped += lines
            return False
        try:
            sent = self._send(record)
        except OSError:  # full (EAGAIN), reader gone (EPIPE), disk full (ENOSPC): nobody can be told now, so count
            self.dropped += lines
            return False
        if sent < len(record):
            self._tail = record[sent:]
        return True

    def write_lines(self, lines: Iterable[bytes]) -> None:
        """Write many lines with as few writes as keep each line whole."""
        for piece, count in pieces(lines, self.limit):
            self.write(piece, count)

    def news(self, now: float) -> int:
        """Return how many lines were dropped that the log has not spoken of; 0 while there is nothing to say.

        Not more often than every NOTICE_INTERVAL seconds: a reader that is only slow must not be fed with notices.
        """
        return self.dropped - self._told if now - self._told_at >= NOTICE_INTERVAL else 0

    def told(self, news: int, now: float) -> None:
        """The log has spoken of ``news`` lines."""
        self._told += news
        self._told_at = now

    def close(self) -> None:
        """Close what was opened for this sink (a standard descriptor stays open); later records count as dropped."""
        self._send = _closed
        self._close()

    def finish(self) -> bool:
        """Write what is left of a record that went out in part; False when something is still left."""
        if self._tail:
            try:
                sent = self._send(self._tail)
            except OSError:
                return False
            self._tail = self._tail[sent:]
        return not self._tail

    def forked(self) -> None:
        """In a new child: what the parent has half written is the parent's to finish, its losses are its own."""
        self._tail = b""
        self.dropped = self._told = 0

    def mirror(self, *fds: int) -> None:
        """Let other descriptors, such as standard error, be the file too.  They are inherited by programs."""
        self.mirrors = fds
        for fd in fds:
            os.dup2(self.fd, fd)

    def reopen(self) -> None:
        """Open the path again, after it was renamed (logrotate).  OSError: the old file goes on being used.

        dup2(2) swaps the file behind the number at once, so that no other thread sees a closed descriptor.
        """
        if self.path:
            fresh = _open_file(self.path)
            try:
                os.dup2(fresh, self.fd, inheritable=False)
                self.mirror(*self.mirrors)
            finally:
                os.close(fresh)
            self._tail = b""  # its beginning is in the old file


def open_sink(target: str, standard: int) -> Sink:
    """Return the sink for a path, or for ``-``: the descriptor ``standard`` (1 or 2).

    ``/dev/stdout`` and ``/dev/stderr`` are those descriptors too: opened as paths they fail for a socket (ENXIO) and
    for another user's pipe (EACCES), which is what a container's user meets.

    Raises:
        OSError: the path cannot be opened.
    """
    if target == "-" or target in STANDARD:
        return adopt(STANDARD.get(target, standard))
    path = os.path.abspath(target)  # noqa: PTH100 - text; the application may enter another directory before a reopen
    fd = _open_file(path)
    limit = PIPE_BUF if stat.S_ISFIFO(os.fstat(fd).st_mode) else 0
    return Sink(fd, lambda record: os.write(fd, record), path=path, limit=limit, close=lambda: os.close(fd))


def adopt(fd: int) -> Sink:
    """Return the sink for a descriptor that somebody else has opened; its file status flags stay as they are."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISSOCK(mode):
        peer = socket.socket(fileno=os.dup(fd))
        return Sink(fd, lambda record: peer.send(record, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL), close=peer.close)
    if not stat.S_ISFIFO(mode) and not os.isatty(fd):
        return Sink(fd, lambda record: os.write(fd, record))
    try:
        own = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # another user's (EACCES), or no /proc
        return Sink(fd, _CarefulWrite(fd), limit=PIPE_BUF)
    return Sink(own, lambda record: os.write(own, record), limit=PIPE_BUF, close=lambda: os.close(own))


def pieces(lines: Iterable[bytes], limit: int) -> Iterator[tuple[bytes, int]]:
    """Join lines into pieces of at most ``limit`` bytes (0: one piece), each with its number of lines.

    A line longer than the limit is a piece of its own.
    """
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if limit and piece and size + len(line) > limit:
            yield b"".join(piece), len(piece)
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        yield b"".join(piece), len(piece)


def _closed(_record: bytes) -> int:
    raise OSError(errno.EBADF, "closed")


def _open_file(path: str) -> int:
    # O_NONBLOCK matters for a FIFO in the file system (a reader must exist: ENXIO) and is ignored by regular files.
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, MODE)


class _CarefulWrite:
    """A write that does not wait, for a descriptor that we can neither open again nor change."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)
        self._can_nowait = True

    def __call__(self, record: bytes) -> int:
        if self._can_nowait:
            try:
                return os.pwritev(self._fd, [record], -1, os.RWF_NOWAIT)
            except OSError as error:
                if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}:
                    raise
                self._can_nowait = False  # an older kernel, or a terminal
        if not self._poll.poll(0):
            raise BlockingIOError(errno.EAGAIN, "full")
        return os.write(self._fd, record[:PIPE_BUF])  # what poll(2) promises to fit
