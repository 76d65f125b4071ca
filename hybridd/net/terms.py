"""What the connections of one worker share, and the words for the two sides of a connection.

Knows:     the reactor.
Runs in:   the thread that leads the reactor.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from hybridd.net.reactor import Reactor

_AT_ONCE = struct.pack("ii", 1, 0)


class Side(IntEnum):
    """The write side of a connection, in the order in which it can only advance."""

    OPEN = 0
    ENDING = 1  # write_eof was asked for: send what waits, then FIN; reading goes on
    ENDED = 2  # FIN is sent; reading goes on
    CLOSING = 3  # close was asked for: send what waits, then close
    CLOSED = 4


class Reading(IntEnum):
    """The read side."""

    ON = 0
    PAUSED = 1
    ENDED = 2  # the peer's FIN has come, or we are closing: never again


class Open(Protocol):
    """A connection that is open: a transport, or whatever stands for one that lives elsewhere."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Know at least its ``socket``."""

    def get_protocol(self) -> Any:
        """Who is told of its events."""

    def abort(self) -> None:
        """Close now, and let the peer notice."""


@dataclass(slots=True, eq=False)
class Terms:
    """What all connections of one worker share; one reference each instead of five.

    Attributes:
        write_timeout: seconds after which a peer for which bytes wait is judged by how it takes them; 0 = never.
        write_rate: the fewest bytes per second that it must take.
        lost_one: called with connection_lost's argument when a connection has ended.
        left: called with the peer's address when a connection has ended, where addresses have limits.
        admit: called with the address of a peer who became known after accept, and the time; False: it has too many.
        received, sent: bytes, only ever growing.
        lost: connections that have ended, only ever growing.
        leaving: of the open ones those that were asked to give way and live in another thread, which hears of it later.
        open: every connection that is not closed, oldest first.  (The keys of a dict: a set of 5,000 takes 105 bytes
            for each, the dict 29.)
        armed: listeners that are watched for more of them.
        eager: a new connection is read at once, in the turn in which it was accepted.
    """

    reactor: Reactor
    write_timeout: float
    lost_one: Callable[[Exception | None], None] | None = None
    left: Callable[[Any], object] | None = None
    admit: Callable[[Any, float], bool] | None = None
    received: int = 0
    sent: int = 0
    lost: int = 0
    leaving: int = 0
    open: dict[Open, None] = field(default_factory=dict)
    armed: int = 0
    eager: bool = True
    write_rate: int = 0


def reset_on_close(sock: socket.socket) -> None:
    """Let ``close`` send RST instead of FIN, so that the peer cannot take what it got for the whole (socket(7))."""
    with suppress(OSError):  # not every socket family knows it, and the peer may have closed already
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
