"""A unix socket that only its owner and root may talk to.

The file's mode keeps others away; SO_PEERCRED (unix(7)) is asked too, because a directory may be shared, a mode may be
changed, and not every file system keeps one.

Knows:     the effective user of this process.
Never:     what is spoken.
Runs in:   the master.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from hybridd.config.address import Address, Kind
from hybridd.net.listener import Listener, bind_all

BACKLOG: Final = 16

_CREDENTIALS: Final = struct.Struct("iII")  # struct ucred: pid, uid, gid
_ROOT: Final = 0
_OTHERS: Final = 0o007


class PrivateListener(Listener):
    """A listener that takes connections of root and of our own user only."""

    def accept(self) -> tuple[socket.socket, Any]:
        """The next waiting connection; see Listener.accept.

        Raises:
            ConnectionAbortedError: it was a stranger's, and is closed.
        """
        connection, peer = super().accept()
        if peer_uid(connection) not in (_ROOT, os.geteuid()):
            connection.close()
            raise ConnectionAbortedError(errno.ECONNABORTED, "a stranger")
        return connection, peer


@contextmanager
def away_from_others() -> Iterator[None]:
    """Let unix sockets that are bound meanwhile be closed to other users, whatever the umask says of them."""
    before = os.umask(_OTHERS)
    os.umask(before | _OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def peer_uid(connection: socket.socket) -> int:
    """Return the effective user of the process at the other end when it connected."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(credentials)[1]
    return uid


def bind_private(path: str) -> PrivateListener:
    """Bind a unix socket with mode 0600.

    Raises:
        BindError: it cannot be made there; the sentence says why.
    """
    before = os.umask(0o177)  # chmod behind bind would leave a moment in which others may connect
    try:
        [bound] = bind_all([Address(Kind.UNIX, path=path)], BACKLOG, {})
    finally:
        os.umask(before)
    return PrivateListener(bound.sock, bound.name, owned=True)
