"""What the master and a fork server say to each other, each in one packet of a socket.

    master → fork server      Order (a worker is wanted), Reopen (the log files were moved away)
    fork server → master      Loaded or Failed, once; then for each Order Born or Unborn

A worker says itself that it is Born, as the first thing that it does: before that it can do no harm, and after the last
process that can still say so has closed its end, nobody will.

Knows:     words and numbers.
Runs in:   master, fork servers and their workers.
"""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from typing import Final

LONGEST: Final = 65_536
"""Bytes of a packet."""

LONGEST_REASON: Final = 8192
"""Characters; the end of a longer one is kept, it names the error."""


@dataclass(frozen=True, slots=True)
class Order:
    """Fork a worker; ``ticket`` is what it is called until it has a pid."""

    ticket: int
    slot: int
    probation: float


@dataclass(frozen=True, slots=True)
class Reopen:
    """Open the log files again."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The application is loaded; ``seconds`` is how long that took."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The application cannot be loaded."""

    reason: str


@dataclass(frozen=True, slots=True)
class Born:
    """The worker of an order exists."""

    ticket: int
    pid: int


@dataclass(frozen=True, slots=True)
class Unborn:
    """The system refused to fork."""

    ticket: int
    reason: str


Message = Order | Reopen | Loaded | Failed | Born | Unborn

_KINDS: Final = {kind.__name__: kind for kind in (Order, Reopen, Loaded, Failed, Born, Unborn)}


def make_channel() -> tuple[socket.socket, socket.socket]:
    """Return both ends, the master's first: it never waits."""
    master, server = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    master.setblocking(False)
    return master, server


def encode(message: Message) -> bytes:
    """Return the packet of a message."""
    return json.dumps([type(message).__name__, asdict(message)]).encode()


def decode(packet: bytes) -> Message:
    """Return the message of a packet."""
    kind, values = json.loads(packet)
    return _KINDS[kind](**values)
