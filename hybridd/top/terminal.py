"""The keyboard side of a terminal: keys one by one, and waiting for one, for a signal or for news from a thread.

Whatever ends us but SIGKILL, the terminal is left as it was found.

Knows:     termios, bytes of keys, Python's wake-up descriptor of signals.
Never:     what a key does.
Runs in:   the command line tool, its main thread; ``wake`` in any.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_READ = 1024
_KEY: Final = re.compile(rb"\x1b[\[O][0-9;]*[A-Za-z~]|\x1b|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*")
_NAMES: Final = {
    "\x1b": "escape",
    "\r": "enter",
    "\n": "enter",
    **{f"\x1b{lead}A": "up" for lead in "[O"},
    **{f"\x1b{lead}B": "down" for lead in "[O"},
    **{f"\x1b{lead}C": "right" for lead in "[O"},
    **{f"\x1b{lead}D": "left" for lead in "[O"},
    **{f"\x1b{lead}H": "home" for lead in "[O"},
    **{f"\x1b{lead}F": "end" for lead in "[O"},
    "\x1b[1~": "home",
    "\x1b[4~": "end",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
}
ENDING: Final = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP})
"""Signals that end us: noted too, for an exception in the middle of a change of the terminal would leave half of it."""

NOTED: Final = ENDING | {signal.SIGWINCH, signal.SIGTSTP}


def names_of(typed: bytes) -> list[str]:
    """Return the names of the keys that sent these bytes: a character's own, or one of ours."""
    found = (match.group().decode(errors="replace") for match in _KEY.finditer(typed))
    return [_NAMES.get(key, key) for key in found]


class Terminal:
    """A terminal whose keys arrive at once."""

    def __init__(self, fd: int, reading: socket.socket, writing: socket.socket, noted: set[int]) -> None:
        self._fd = fd
        self._reading = reading
        self._writing = writing
        self._noted = noted

    def wake(self) -> None:
        """End the waiting."""
        with suppress(OSError):  # it is full of wishes to wake, or nobody waits any more
            self._writing.send(b"\0")

    def wait(self, seconds: float) -> tuple[list[str], set[int]]:
        """Wait for a key, a signal, ``wake`` or the end of time; return the keys and the signals."""
        wakes = self._reading.fileno()
        ready, _, _ = select.select([self._fd, wakes], [], [], max(0.0, seconds))
        if wakes in ready:
            self._reading.recv(_READ)
        signals = set(self._noted)
        self._noted -= signals
        if self._fd not in ready:
            return [], signals
        try:
            typed = os.read(self._fd, _READ)
        except OSError:  # EIO: the terminal has gone
            typed = b""
        return (names_of(typed) if typed else ["end of file"]), signals


@contextmanager
def opened(fd: int) -> Iterator[Terminal]:
    """Take the keys of the terminal behind a descriptor as they come, without echo; signals are noted meanwhile."""
    noted: set[int] = set()
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)
        before = termios.tcgetattr(fd)
        handlers = {number: signal.signal(number, lambda number, _: noted.add(number)) for number in NOTED}
        woken = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            tty.setcbreak(fd)
            yield Terminal(fd, reading, writing, noted)
        finally:
            with suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(fd, termios.TCSAFLUSH, before)
            signal.set_wakeup_fd(woken)
            for number, handler in handlers.items():
                signal.signal(number, handler)
    for late in noted & ENDING:  # came when nobody waited any more
        signal.raise_signal(late)
