"""A descriptor kept for the moment when there is no other: with it, who waits can be served, or told that nobody will.

A connection that cannot be accepted for want of a descriptor stays in the backlog: its event comes back at once, and
its client hangs (accept(2), EMFILE).  So one is given back, used to take who waits, and taken again: from what an idle
connection has left, or from whoever was taken, who is closed then.

Knows:     how a connection is closed so that its client sees an end and not a reset.
Never:     when that is to be done (accepting.py).
Runs in:   the thread that leads.
"""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress
from typing import Any

from hybridd.net.listener import Listener

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE})
"""No descriptor left in this process, or on this machine."""

_READ_SIZE = 65536


class Reserve:
    """The spare descriptor of one worker."""

    def __init__(self) -> None:
        self._fd: int | None = None
        self.refill()

    def accept(self, listener: Listener) -> tuple[socket.socket, Any]:
        """Take the next one, with this descriptor if another thread was quicker with the one that was left for it.

        Raises:
            OSError: as ``Listener.accept``.
        """
        self.close()
        try:
            return listener.accept()
        finally:
            self.refill()

    def turn_away(self, listener: Listener, most: int) -> int:
        """Accept up to ``most`` connections and close them; how many there were."""
        turned_away = 0
        self.close()
        try:
            while turned_away < most:
                sock, _ = listener.accept()
                say_goodbye(sock)
                turned_away += 1
        except OSError:  # nobody waits any more, or another thread was quicker with our descriptor
            pass
        finally:
            self.refill()
        return turned_away

    def close(self) -> None:
        """Give the descriptor back; harmless twice."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def refill(self) -> None:
        """Take one again, if there is one; harmless when it is there."""
        if self._fd is None:
            with suppress(OSError):  # none is left: the next time may be luckier
                self._fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def say_goodbye(sock: socket.socket) -> None:
    """Close a connection unserved; what has come is read first, for the kernel resets one whose bytes lie unread."""
    with suppress(OSError):
        sock.recv(_READ_SIZE)
    sock.close()
