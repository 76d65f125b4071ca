"""How many connections wait in a listener's backlog: TCP_INFO of a listening socket.

For a socket in LISTEN the kernel puts the current length of the accept queue into ``tcpi_unacked`` and its limit into
``tcpi_sacked`` (net/ipv4/tcp.c, tcp_get_info; this is what ``ss -l`` shows).  Unix sockets have no such thing.

Knows:     the layout of struct tcp_info.
Never:     accepts.
Runs in:   the master; a worker that drains.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_INFO: Final = struct.Struct("=B7x4I2I")  # state, 7 bytes; rto, ato, snd_mss, rcv_mss; unacked, sacked
_TCP_LISTEN: Final = 10  # include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class AcceptQueue:
    """Connections that nobody has accepted yet, and how many may wait before SYNs are dropped."""

    length: int
    limit: int


def parse_tcp_info(info: bytes) -> AcceptQueue | None:
    """Return the accept queue of a listening socket's tcp_info; None for a socket in any other state."""
    if len(info) < _INFO.size:
        return None
    state, *_, length, limit = _INFO.unpack_from(info)
    return AcceptQueue(length, limit) if state == _TCP_LISTEN else None


def read_accept_queue(fd: int) -> AcceptQueue | None:
    """Return the accept queue behind a descriptor, None when it is no listening TCP socket."""
    try:
        listener = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        if listener.family not in {socket.AF_INET, socket.AF_INET6}:
            return None
        return parse_tcp_info(listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    except OSError:
        return None
    finally:
        listener.detach()  # the descriptor is the caller's


def somaxconn() -> int | None:
    """Return the kernel's limit on every backlog, None when it cannot be read."""
    try:
        return int(Path("/proc/sys/net/core/somaxconn").read_text("ascii"))
    except (OSError, ValueError):
        return None
