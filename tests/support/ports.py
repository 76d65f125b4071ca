"""A port for a program that must be told one: of those that the system gives to nobody by itself.

What binds port 0 or connects gets one of net.ipv4.ip_local_port_range (ip(7)), and could get what was free a moment
ago; the others only those get who ask for them.

Runs in:   the test process.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST, _LAST = 10_000, 65_535
_TRIES = 1000


def free_port() -> int:
    """Return a port of the loopback that nobody has now, and nobody gets by chance."""
    low, high = map(int, _GIVEN_AWAY.read_text().split())
    ours = [port for port in range(_FIRST, _LAST + 1) if not low <= port <= high]
    for port in random.SystemRandom().choices(ours or range(_FIRST, _LAST + 1), k=_TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError(f"none of {_TRIES} ports is free")
