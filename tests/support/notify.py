"""The systemd end of sd_notify(3): a datagram socket that remembers what the service said.

Knows:     the protocol: one datagram is lines of KEY=VALUE; the newest value of a key counts.
Never:     the service's process; whoever starts it puts :attr:`NotifySocket.path` into its environment.
Runs in:   the test process.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.support.waiting import wait_until


class NotifySocket:
    """Receives what a service tells systemd; ``messages`` holds every datagram so far, in order, as a dict."""

    def __init__(self, path: Path | str) -> None:
        """Bind ``path``; a text that begins with ``@`` is an address of the abstract name space."""
        self.path = str(path)
        self.messages: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind(self.path.replace("@", "\0", 1) if self.path.startswith("@") else self.path)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._socket.fileno()

    def poll(self) -> None:
        """Take in every datagram that waits."""
        while True:
            try:
                data = self._socket.recv(65536)
            except BlockingIOError:
                return
            pairs = (line.partition("=") for line in data.decode().splitlines() if line)
            self.messages.append({key: value for key, _, value in pairs})

    def mark(self) -> int:
        """Where the next message will stand; for ``since``."""
        self.poll()
        return len(self.messages)

    def find(self, accept: Callable[[dict[str, str]], bool], since: int = 0) -> dict[str, str] | None:
        """Return the first message at or after ``since`` that ``accept`` accepts."""
        self.poll()
        return next((message for message in self.messages[since:] if accept(message)), None)

    def wait(
        self,
        accept: Callable[[dict[str, str]], bool],
        *,
        within: float,
        what: str,
        since: int = 0,
        hopeless: Callable[[], str] | None = None,
    ) -> dict[str, str]:
        """Wait for a message that ``accept`` accepts."""
        return (
            wait_until(
                lambda: self.find(accept, since),
                within=within,
                what=lambda: f"{what} was not said; said was {self.messages}",
                hopeless=hopeless,
            )
            or {}
        )

    def wait_for(
        self,
        key: str,
        value: str = "1",
        *,
        within: float = 15,
        since: int = 0,
        hopeless: Callable[[], str] | None = None,
    ) -> dict[str, str]:
        """Wait for ``key=value`` (for example READY=1)."""
        return self.wait(
            lambda message: message.get(key) == value,
            within=within,
            what=f"{key}={value}",
            since=since,
            hopeless=hopeless,
        )

    def latest(self, key: str) -> str:
        """Return the newest value of ``key``; "" when it was never said."""
        self.poll()
        return next((message[key] for message in reversed(self.messages) if key in message), "")

    def close(self) -> None:
        """Close and unlink."""
        self._socket.close()
        if not self.path.startswith("@") and os.path.exists(self.path):  # noqa: PTH110 - the path is a text
            os.unlink(self.path)  # noqa: PTH108
