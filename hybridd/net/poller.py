"""epoll(7) or poll(2), as the reactor wants it: handlers instead of descriptors, two kinds of events instead of nine.

The part of `selectors` that the reactor needs, without an object for each descriptor (a hundred bytes of an idle
connection's kilobyte) and with a third of its work for each event.

Knows:     who watches which descriptor.
Never:     what a handler does.
Runs in:   the thread that leads the reactor.
"""

from __future__ import annotations

import select
from contextlib import suppress
from typing import Protocol

READ = select.POLLIN  # epoll's are the same numbers
WRITE = select.POLLOUT

_MASKS = {READ: READ, WRITE: WRITE}
_BOTH = READ | WRITE  # both, or an error or a hang-up: whoever reads or writes will learn which


class Handler(Protocol):
    """What may be registered: its ``ready`` is called with the events that came, READ | WRITE.

    An error or a hang-up arrives as both, and the next read or write says what it was.  A handler knows itself what it
    asked for: events that were fetched before it unregistered still arrive, and it ignores them.
    """

    def ready(self, mask: int) -> None:
        """Handle the events in ``mask``."""


class Poller:
    """The descriptors that are watched; misuse (twice, or never) is a KeyError."""

    __slots__ = ("_handlers", "_poll", "_units")

    def __init__(self, poll: select.epoll | select.poll, units: float) -> None:
        self._poll = poll
        self._units = units  # of its timeout, in a second
        self._handlers: dict[int, Handler] = {}

    def register(self, fd: int, mask: int, handler: Handler) -> None:
        """Watch ``fd``.

        Raises:
            OSError: the kernel has no memory or no watch left (epoll_ctl(2)).
        """
        if fd in self._handlers:
            raise KeyError(fd)
        self._poll.register(fd, mask)
        self._handlers[fd] = handler

    def modify(self, fd: int, mask: int, handler: Handler) -> None:
        """Watch ``fd`` for other events."""
        if fd not in self._handlers:
            raise KeyError(fd)
        self._poll.modify(fd, mask)
        self._handlers[fd] = handler

    def unregister(self, fd: int) -> None:
        """Watch ``fd`` no longer."""
        del self._handlers[fd]
        with suppress(OSError):  # it may be closed already, and the kernel has forgotten it with that
            self._poll.unregister(fd)

    def select(self, timeout: float | None) -> list[tuple[Handler, int]]:
        """Wait at most ``timeout`` seconds (None: for ever) for events."""
        handlers, masks = self._handlers, _MASKS
        events = self._poll.poll(None if timeout is None else timeout * self._units)
        return [(handlers[fd], masks.get(event, _BOTH)) for fd, event in events if fd in handlers]

    def fileno(self) -> int:
        """The descriptor of epoll's instance; -1 for poll, which has none."""
        return self._poll.fileno() if isinstance(self._poll, select.epoll) else -1

    def close(self) -> None:
        """Give the descriptor back."""
        self._handlers.clear()
        if isinstance(self._poll, select.epoll):
            self._poll.close()


def epoll() -> Poller:
    """Return the poller for many descriptors."""
    return Poller(select.epoll(), 1)


def poll() -> Poller:
    """Return the poller for two or three descriptors: it has no descriptor of its own."""
    return Poller(select.poll(), 1000)
