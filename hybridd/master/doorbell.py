"""The doorbell: an event descriptor that workers write to when the master should look at their rows.

Knows:     eventfd(2).
Never:     who rang.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hybridd.net.reactor import READ, Reactor


class Doorbell:
    """Calls ``answer`` in the turn in which somebody has rung."""

    def __init__(self, fd: int, reactor: Reactor, answer: Callable[[], None]) -> None:
        self._fd = fd
        self._answer = answer
        reactor.register(fd, READ, self)

    def ready(self, mask: int) -> None:
        """Somebody has rung, once or often."""
        del mask
        os.eventfd_read(self._fd)
        self._answer()
