"""The worker's side of raw connections: every one is an ``asyncio.Protocol`` of the user's, on the reactor.

Knows:     the factory; why connections end.
Never:     what is spoken.
Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CloseReason


class RawService:
    """Makes protocols and counts how their connections ended.

    Attributes:
        draining: nothing depends on it here: a raw protocol ends its connections itself, or the drain's deadline does.
    """

    def __init__(self, factory: Callable[[], Any], counts: HttpCounts) -> None:
        self.draining = False
        self.connection = factory
        self._counts = counts

    @property
    def proxied_connection(self) -> None:
        """Nothing is said of others in a raw protocol."""
        return None

    def lost_one(self, error: Exception | None) -> None:
        """Count one connection."""
        match error:
            case None:
                self._counts.count_closed(CloseReason.DRAIN if self.draining else CloseReason.DONE)
            case TimeoutError() if error.errno is None:  # ours; ETIMEDOUT is the network's
                self._counts.count_closed(CloseReason.WRITE_TIMEOUT)
            case ConnectionError() | TimeoutError():
                self._counts.count_closed(CloseReason.RESET)
            case _:
                self._counts.count_closed(CloseReason.ERROR)
