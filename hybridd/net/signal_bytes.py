"""Signals as bytes on a socket: no work is done in a signal handler, and the loop sees a signal like any other event.

Python's C-level handler writes the signal's number to the wake-up descriptor (signal.set_wakeup_fd) whatever thread the
kernel chose; the Python-level handler does nothing and is there only so that the default action is not taken.

Knows:     signal numbers.
Never:     what they mean.
Runs in:   ``install`` in the main thread (Python allows no other); ``ready`` in the thread that runs the reactor.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterable

from hybridd.net.reactor import READ, Reactor


def _nothing(number: int, frame: object) -> None:
    del number, frame


class SignalBytes:
    """Calls ``receive(signal number)`` in the reactor's thread for each of ``signals`` that arrives."""

    def __init__(self, reactor: Reactor, signals: Iterable[int], receive: Callable[[int], None]) -> None:
        self._signals = tuple(signals)
        self._receive = receive
        self._reactor = reactor
        self._read_end, self._write_end = socket.socketpair()
        self._read_end.setblocking(False)
        self._write_end.setblocking(False)
        reactor.register(self._read_end.fileno(), READ, self)

    def install(self) -> None:
        """Take the signals; main thread only."""
        # A full socket loses nothing that matters: hundreds of the same signals wait in it already.
        signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        for number in self._signals:
            signal.signal(number, _nothing)

    def intact(self) -> bool:
        """Whether nobody has taken a signal away from us since ``install``; any thread.

        The wake-up descriptor cannot be seen from other threads, nor taken by them.
        """
        return all(signal.getsignal(number) is _nothing for number in self._signals)

    def reclaim(self) -> bool:
        """Take back what somebody has taken, the wake-up descriptor too; whether there was any.  Main thread only."""
        ours = self._write_end.fileno()
        lost = signal.set_wakeup_fd(ours, warn_on_full_buffer=False) != ours or not self.intact()
        if lost:
            self.install()
        return lost

    def ready(self, mask: int) -> None:
        """Read what arrived."""
        del mask
        try:
            received = self._read_end.recv(4096)
        except BlockingIOError:
            return
        for number in received:
            if number in self._signals:
                self._receive(number)

    def close(self) -> None:
        """Give the descriptors back; in a forked child too (the reactor was abandoned there).  Main thread only."""
        signal.set_wakeup_fd(-1)  # a signal's number must not get into whatever has the descriptor next
        self._read_end.close()
        self._write_end.close()
