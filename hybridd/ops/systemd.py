"""systemd: what we tell it (sd_notify(3)), what it hands us (sd_listen_fds(3)), how often it wants to hear from us.

The protocols are a few environment variables and datagrams; no library is needed.  Without systemd all of it is
silent, and a notification that cannot be sent is one warning, never an error.

Knows:     NOTIFY_SOCKET, WATCHDOG_*, LISTEN_*.
Never:     decides what the state is; waits.
Runs in:   the master.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping, MutableMapping
from typing import Final

from hybridd.errors import BindError

FIRST_FD: Final = 3  # SD_LISTEN_FDS_START
IMPORTANT: Final = 2.0  # seconds; the queue of a busy systemd may be full (unix(7), max_dgram_qlen)
UNNAMED: Final = "unknown"  # what sd_listen_fds_with_names(3) calls a descriptor without a name

_log = logging.getLogger("hybridd.systemd")


class Notifier:
    """Says how we are to the service manager; every method does nothing when there is none."""

    def __init__(self, address: str = "") -> None:
        """Take the value of NOTIFY_SOCKET: a path, ``@name`` for an abstract socket, empty for nobody."""
        self.silent = False  # while another process speaks for the service
        self._address = address
        self._warned = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Notifier:
        """Make a notifier for whoever started us."""
        return cls(environment.get("NOTIFY_SOCKET", ""))

    def ready(self, status: str) -> None:
        """We serve (also: a reload is finished, whether it was taken or refused)."""
        self.send(READY="1", STATUS=status)

    def reloading(self, monotonic: float, status: str) -> None:
        """A reload began at ``monotonic`` seconds of CLOCK_MONOTONIC; ``ready`` ends it."""
        self.send(RELOADING="1", MONOTONIC_USEC=str(int(monotonic * 1_000_000)), STATUS=status)

    def stopping(self, status: str) -> None:
        """We are on our way out."""
        self.send(STOPPING="1", STATUS=status)

    def status(self, status: str) -> None:
        """One sentence for ``systemctl status``."""
        self.send(STATUS=status)

    def watchdog(self) -> None:
        """Our loop turns."""
        self.send(WATCHDOG="1")

    def extend_timeout(self, seconds: float) -> None:
        """Starting, reloading or stopping takes up to so long from now; repeat it before that has passed."""
        self.send(EXTEND_TIMEOUT_USEC=str(int(seconds * 1_000_000)))

    def main_pid(self, pid: int) -> None:
        """Another process is the main one from now on."""
        # A message that is lost here ends the service: systemd would take the end of this process for its end.
        self.send(IMPORTANT, MAINPID=str(pid))

    def send(self, patience: float = 0.0, /, **assignments: str) -> None:
        """Send one datagram with these assignments; wait at most ``patience`` seconds for room in the queue."""
        if not self._address or self.silent:
            return
        try:
            # A socket for each message: none is left open for the workers, who must not speak for us.
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.settimeout(patience)  # 0: do not block
                channel.sendto(message(assignments), socket_name(self._address))
        except (OSError, ValueError) as error:
            if not self._warned:
                _log.warning("cannot notify %s: %s", self._address, error)
            self._warned = True


def message(assignments: Mapping[str, str]) -> bytes:
    """Return the datagram: one ``KEY=value`` a line, so a value must not hold a newline."""
    lines = (f"{key}={' '.join(value.splitlines())}\n" for key, value in assignments.items())
    return "".join(lines).encode("utf-8", "replace")


def socket_name(address: str) -> bytes:
    """Return the name for sendto(2); ValueError for what is neither a path nor abstract (such as ``vsock:``)."""
    if address.startswith("@"):
        return b"\0" + os.fsencode(address[1:])
    if address.startswith("/"):
        return os.fsencode(address)
    raise ValueError("only absolute paths and abstract sockets (@name) are supported")


def watchdog_period(environment: Mapping[str, str], pid: int) -> float | None:
    """Return after how many seconds to say ``watchdog`` again: half of what systemd allows.

    None when it does not watch this process.
    """
    for_pid = environment.get("WATCHDOG_PID", "")
    allowed = environment.get("WATCHDOG_USEC", "")
    if (for_pid and for_pid != str(pid)) or not allowed.isdecimal() or int(allowed) == 0:
        return None
    return int(allowed) / 1_000_000 / 2


def parse_listen_fds(environment: Mapping[str, str], pid: int) -> dict[str, list[int]]:
    """Return the descriptors meant for process ``pid``, by name in their order; empty when there are none.

    Raises:
        BindError: the variables contradict each other.
    """
    if environment.get("LISTEN_PID") != str(pid):
        return {}
    number = environment.get("LISTEN_FDS", "")
    if not number.isdecimal():
        raise BindError(f"LISTEN_FDS is {number!r}, expected a number of descriptors")
    count = int(number)
    text = environment.get("LISTEN_FDNAMES")
    names = [UNNAMED] * count if text is None else text.split(":")
    if len(names) != count and count:
        raise BindError(f"LISTEN_FDNAMES has {len(names)} names for {count} descriptors")
    found: dict[str, list[int]] = {}
    for index in range(count):
        found.setdefault(names[index], []).append(FIRST_FD + index)
    return found


def take_listen_fds(environment: MutableMapping[str, str], pid: int) -> dict[str, list[int]]:
    """Take the descriptors over: they become close-on-exec, and the variables go: no child shall believe them its own.

    Raises:
        BindError: the variables contradict each other, or name a descriptor that is not open.
    """
    found = parse_listen_fds(environment, pid)
    for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"):
        environment.pop(variable, None)
    for name, fds in found.items():
        for fd in fds:
            try:
                os.set_inheritable(fd, False)
            except OSError as error:
                raise BindError(f"systemd passed descriptor {fd} ({name}), but it is not open: {error}") from error
    return found
