"""What passes between a master and its successor: descriptors in systemd's form, and a few messages.

The successor finds LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES as sd_listen_fds(3) has them.  The first descriptor is the
channel, the second the standard error to use once it has come so far; behind them the listeners, named by their role.

    old master → estate: what the listeners are called and whose they are, how many workers there shall be, which folder
                          the application's own metrics are in
    successor  → ready   its workers are ready and wait; which listeners it goes on with
    old master → take    it accepts nothing more on the admin and control sockets
    successor  → taken   it serves, and the PID file names it
    old master → main    systemd knows; then the old master drains, and leaves: end of file
    successor  → failed  with the exit code and the reason; or end of file, without a word

Knows:     the form.
Never:     what either of them does.
Runs in:   both masters, their only thread.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

from hybridd.net.listener import Listener

CHANNEL: Final = "hybridd-upgrade"
ERRORS: Final = "hybridd-errors"
LONGEST: Final = 128 * 1024  # bytes of a message
MOST_TEXT: Final = 8 * 1024  # characters of a reason

Message = dict[str, Any]


class Role(StrEnum):
    """What a listener is for."""

    PUBLIC = "public"
    ADMIN = "admin"
    CONTROL = "control"


class Say(StrEnum):
    """The kinds of messages."""

    ESTATE = "estate"
    READY = "ready"
    TAKE = "take"
    TAKEN = "taken"
    MAIN = "main"
    FAILED = "failed"


class Channel:
    """One end of a sequenced packet socket, on which neither side ever waits."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        sock.setblocking(False)

    def fileno(self) -> int:
        """The descriptor, for a selector; -1 when closed."""
        return self._sock.fileno()

    def say(self, what: Say, **details: Any) -> bool:
        """Send a message; False when nobody listens any more."""
        try:
            self._sock.send(json.dumps({"say": what, **details}).encode())
        except OSError:
            return False
        return True

    def hear(self) -> list[Message] | None:
        """Return the messages that have come; None at their end."""
        heard: list[Message] = []
        while self._sock.fileno() >= 0:
            try:
                data = self._sock.recv(LONGEST)
            except BlockingIOError:
                return heard
            except ConnectionError:
                break
            if not data:
                break
            heard.append(json.loads(data))
        return heard or None

    def close(self) -> None:
        """Give the descriptor back; idempotent."""
        self._sock.close()


def describe(listeners: Sequence[tuple[Role, Listener]]) -> list[Message]:
    """Return what a successor must know of the listeners, in the order of their descriptors."""
    return [
        {"role": role, "name": listener.name, "owned": listener.owned, "file": listener.file}
        for role, listener in listeners
    ]
