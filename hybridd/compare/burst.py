"""Many clients at once, one request each: who is answered, when, and whose connection breaks.

Knows:     exchanges, a selector, the clock.
Never:     waits longer than ``patience``.
Runs in:   the client process, its only thread.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Sequence
from typing import Any

from hybridd.compare.exchange import ENDED, Exchange, Fate

_TURN = 0.05


class Burst:
    """Runs exchanges until they have ended and nothing has happened for ``linger`` seconds, or patience ends."""

    def __init__(self, port: int, patience: float, linger: float) -> None:
        self._port = port
        self._patience = patience
        self._linger = linger
        self._selector = selectors.DefaultSelector()

    def run(self, requests: Sequence[tuple[float, bytes]]) -> list[dict[str, Any]]:
        """Send each request after its delay in seconds; what became of each, in the same order."""
        began = changed = now = time.monotonic()
        coming = sorted(enumerate(requests), key=lambda one: one[1][0])
        exchanges: dict[int, Exchange] = {}
        try:
            while now < began + self._patience:
                while coming and now >= began + coming[0][1][0]:
                    number, (_, request) = coming.pop(0)
                    exchanges[number] = self._open(request, now)
                    changed = now
                if self._turn(now, began + coming[0][1][0] if coming else None):
                    changed = time.monotonic()
                now = time.monotonic()
                settled = all(one.fate in ENDED or one.fate is Fate.KEPT for one in exchanges.values())
                if not coming and settled and now >= changed + self._linger:
                    break
        finally:
            for exchange in exchanges.values():
                exchange.close()
            self._selector.close()
        return [result(exchanges[number], began) for number in sorted(exchanges)]

    def _open(self, request: bytes, now: float) -> Exchange:
        exchange = Exchange(self._port, request, now)
        if exchange.fate not in ENDED:
            self._selector.register(exchange, exchange.events, exchange)
        return exchange

    def _turn(self, now: float, next_one: float | None) -> bool:
        """Wait for something and let it happen; whether anything changed."""
        wait = _TURN if next_one is None else max(0.0, min(_TURN, next_one - now))
        changed = False
        for key, _ in self._selector.select(wait):
            exchange: Exchange = key.data
            before, events = exchange.fate, exchange.events
            exchange.ready(time.monotonic())
            changed |= exchange.fate is not before
            if exchange.fate in ENDED:
                self._selector.unregister(exchange)
                exchange.close()  # as a client does that was told so: the server may wait for it
            elif exchange.events != events:
                self._selector.modify(exchange, exchange.events, exchange)
        return changed


def result(exchange: Exchange, began: float) -> dict[str, Any]:
    """Return what the other process shall know; seconds from the begin of the burst."""
    return {
        "fate": exchange.fate.value,
        "status": exchange.status,
        "ended": exchange.answered - began if exchange.answered else None,
    }
