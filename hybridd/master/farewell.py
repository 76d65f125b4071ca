"""The end of the listeners when hybridd stops, so that nobody who got through is reset.

A listening TCP socket that is closed resets the connections in its queue.  So first a socket filter drops bare SYNs:
new clients get no answer for a moment (they try again and are refused), while handshakes that are on their way are
completed and accepted; then the workers take what is queued; then ``shutdown`` ends the socket for all processes that
share it, also for workers that still have requests to finish.

Only sockets of our own: one that systemd or our parent handed to us goes on without us.

Knows:     the listeners.
Never:     when; the master says.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import logging
import socket
import struct
from array import array
from collections.abc import Iterable
from typing import Final

from hybridd.net.listener import Listener

_log = logging.getLogger("hybridd.master")

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h; socket(7)
_INSTRUCTION: Final = struct.Struct("=HBBI")  # struct sock_filter: code, jump if true, jump if false, value
# The filter of a TCP socket sees the packet from the TCP header on; byte 13 has the flags (RFC 9293, 3.1).
_DROP_SYN: Final = array(
    "B",
    b"".join(
        _INSTRUCTION.pack(*instruction)
        for instruction in (
            (0x30, 0, 0, 13),  # load byte 13
            (0x54, 0, 0, 0x12),  # and SYN | ACK
            (0x15, 0, 1, 0x02),  # SYN alone?
            (0x06, 0, 0, 0),  # drop it
            (0x06, 0, 0, 0xFFFFFFFF),  # take everything else
        )
    ),
)


class Farewell:
    """Takes leave of listeners; of those that are not our own only for ourselves."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._own: list[Listener] = []
        self._begun: float | None = None

    @property
    def begun(self) -> bool:
        """Whether nobody new comes any more."""
        return self._begun is not None

    def begin(self, listeners: Iterable[Listener], now: float) -> None:
        """Let nobody new come."""
        self._begun = now
        self.listeners = list(listeners)
        self._own = [listener for listener in self.listeners if listener.owned]
        for listener in self._own[:]:
            if listener.sock.family == socket.AF_UNIX:
                listener.close()  # with its file; the workers still take who is queued
                self._own.remove(listener)
                continue
            try:
                address, _ = _DROP_SYN.buffer_info()
                program = struct.pack("HP", len(_DROP_SYN) // _INSTRUCTION.size, address)  # struct sock_fprog
                listener.sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
            except OSError as error:  # a sandbox may forbid it; then the last arrivals are reset
                _log.debug("no filter on %s: %s", listener.address, error)

    def is_due(self, now: float, linger: float) -> bool:
        """Whether handshakes have had ``linger`` seconds to come to their end."""
        return bool(self.listeners) and self._begun is not None and now >= self._begun + linger

    def end(self) -> None:
        """Let the sockets be refused from now on, whoever still shares them; idempotent."""
        for listener in self._own:
            try:
                listener.sock.shutdown(socket.SHUT_RD)
            except OSError as error:
                _log.debug("cannot shut %s down: %s", listener.address, error)
        for listener in self.listeners:
            listener.close()
        self._own.clear()
        self.listeners.clear()
