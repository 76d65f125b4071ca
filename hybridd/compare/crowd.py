"""Clients that never finish their request, and what they do to a client that has just come.

Each of the crowd sends a request line at once and then one byte of a header field every tenth of a second; one that
the server throws out comes back.

Knows:     sockets, the clock.
Never:     finishes a request of the crowd's; outlives the connection count it was told.
Runs in:   the client process, its only thread.
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import Any

from hybridd.compare.exchange import ENDED, HOST, READ_SIZE, Exchange, Fate
from hybridd.compare.percentiles import percentile

_EVERY = 0.1  # seconds between two bytes
_PAUSE = 0.005  # seconds between a fresh client's answer and the next fresh client
_TURN = 0.02


class Crowd:
    """``size`` slow connections to one port."""

    def __init__(self, port: int, size: int) -> None:
        self._port = port
        self._beginning = f"GET / HTTP/1.1\r\nHost: {HOST}:{port}\r\nX-Slow: ".encode("latin-1")
        self._selector = selectors.DefaultSelector()
        self._slow: set[socket.socket] = set()
        self._next_bytes = 0.0
        self._size = size
        self._returned = -size  # whoever comes for the first time does not come back
        self._fill()

    def trickle(self, seconds: float) -> dict[str, Any]:
        """Do nothing but be slow."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            self._turn(now)
        return {"size": len(self._slow), "returned": self._returned}

    def fresh(self, request: bytes, *, seconds: float, most: int, patience: float) -> dict[str, Any]:
        """Let fresh clients come one after the other while the crowd is slow; the first that gives up is the last."""
        latencies: list[float] = []
        refused = unanswered = 0
        end = time.monotonic() + seconds
        while not unanswered and len(latencies) + refused < most and time.monotonic() < end:
            one = self._fresh(request, patience)
            if one.seconds is not None:
                latencies.append(one.seconds)
            elif one.fate in ENDED:
                refused += 1
            else:
                unanswered += 1
            self.trickle(_PAUSE)
        latencies.sort()
        return {
            "answered": len(latencies),
            "refused": refused,
            "unanswered": unanswered,
            "p50": percentile(latencies, 0.50),
            "p99": percentile(latencies, 0.99),
        }

    def leave(self) -> None:
        """Close everything."""
        for one in self._slow:
            one.close()
        self._slow.clear()
        self._selector.close()

    def _fresh(self, request: bytes, patience: float) -> Exchange:
        now = time.monotonic()
        one, end = Exchange(self._port, request, now), now + patience
        try:
            while now < end and one.fate in (Fate.CONNECTING, Fate.WAITING):
                self._selector.register(one, one.events, one)
                try:
                    self._turn(now)
                finally:
                    self._selector.unregister(one)
                now = time.monotonic()
        finally:
            one.close()
        return one

    def _fill(self) -> None:
        while len(self._slow) < self._size:
            slow = socket.socket()
            slow.setblocking(False)
            slow.connect_ex((HOST, self._port))  # whatever comes of it is seen by its first bytes
            self._slow.add(slow)
            self._selector.register(slow, selectors.EVENT_WRITE, None)
            self._returned += 1

    def _turn(self, now: float) -> None:
        for key, events in self._selector.select(_TURN):
            if key.data is not None:
                key.data.ready(time.monotonic())
            elif isinstance(key.fileobj, socket.socket):
                self._slow_ready(key.fileobj, events)
        if now >= self._next_bytes:
            self._next_bytes = now + _EVERY
            for key in list(self._selector.get_map().values()):
                if key.data is None and key.events == selectors.EVENT_READ and isinstance(key.fileobj, socket.socket):
                    self._send(key.fileobj, b"x")
            self._fill()

    def _slow_ready(self, slow: socket.socket, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._selector.modify(slow, selectors.EVENT_READ, None)
            self._send(slow, self._beginning)
            return
        try:
            gone = not slow.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self._thrown_out(slow)

    def _send(self, slow: socket.socket, data: bytes) -> None:
        try:
            slow.send(data)
        except BlockingIOError:
            return
        except OSError:
            self._thrown_out(slow)

    def _thrown_out(self, slow: socket.socket) -> None:
        self._selector.unregister(slow)
        self._slow.discard(slow)
        slow.close()
