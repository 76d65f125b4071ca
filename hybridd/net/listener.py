"""Listening sockets: bound by the master before the first fork, adopted from systemd or from whoever started us.

Knows:     sockets and the words of an address.
Never:     who accepts, what is spoken.
Runs in:   the master binds; workers inherit and accept.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hybridd.config.address import Address, Kind
from hybridd.errors import BindError

_FAMILIES = frozenset({socket.AF_INET, socket.AF_INET6, socket.AF_UNIX})

MOST_UNSENT = 131_072
"""Bytes that the kernel takes for a peer without having sent them.  Its own limit is 4 MiB (net.ipv4.tcp_wmem): 1,000
slow readers of answers of 2 MB took 1.9 GB of kernel memory, and a fresh client waited for 5 s: likely because every
connection of the machine stands still when that memory is short (net.ipv4.tcp_mem)."""

_INHERITED = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),  # an answer in two writes must not wait for an ACK
    (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT),
    # A peer that vanished without a word: HTTP has deadlines of its own, a raw protocol would wait for ever.
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)

# One address of a name may be missing: in most containers localhost is ::1 too, and there is no IPv6.
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Listener:
    """One listening socket.

    Attributes:
        name: what the operator called it: the configured address, as text.
        address: where it really listens: ``127.0.0.1:41234`` when port 0 was asked for.
        number: given by the master, of few that it uses again; what a newer generation does without is told by it.
        owned: True when we bound it; False when it was handed to us and others may use it as well.
    """

    def __init__(self, sock: socket.socket, name: str, *, owned: bool) -> None:
        self.sock = sock
        self.name = name
        self.owned = owned
        self.number = 0
        self.address = spell(sock)
        self._file = _identity(sock) if owned and sock.family == socket.AF_UNIX else None
        sock.setblocking(False)

    def __repr__(self) -> str:
        return f"<Listener {self.address}>"

    def fileno(self) -> int:
        """The descriptor, for a selector."""
        return self.sock.fileno()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next waiting connection and its peer's address; the socket does not block.

        Raises:
            BlockingIOError: nobody waits, or another worker was faster.
            OSError: the client is gone again (ECONNABORTED), or we are out of descriptors or memory.
        """
        connection, peer = self.sock.accept()
        connection.setblocking(False)
        return connection, peer

    def is_awaited(self) -> bool:
        """Whether somebody waits to be accepted: accept(2) looks for a free descriptor first, and for that second."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(0))

    @property
    def is_unix(self) -> bool:
        """Whether only processes of this machine can connect, by a file."""
        return self.sock.family == socket.AF_UNIX

    @property
    def file(self) -> tuple[int, int] | None:
        """Which file of a unix socket goes with us; None: none."""
        return self._file

    def give_away(self) -> None:
        """Let it be another process's: from now on we only close our descriptor of it."""
        self.owned, self._file = False, None

    def come_into(self, file: tuple[int, int] | None) -> None:
        """Own it from now on, with its file if it has one."""
        self.owned, self._file = True, file

    def close(self) -> None:
        """Stop listening; the file of a unix socket goes too, when it is ours and nobody has replaced it."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # removed by somebody
                if _identity(self.sock) == file:
                    _path(self.sock).unlink()
        self.sock.close()


def spell(sock: socket.socket) -> str:
    """The bound address as an operator writes it."""
    name = sock.getsockname()
    if sock.family == socket.AF_INET6:
        return f"[{name[0]}]:{name[1]}"
    if sock.family == socket.AF_INET:
        return f"{name[0]}:{name[1]}"
    path = os.fsdecode(name)
    if path.startswith("\0"):
        path = f"@{path[1:]}"  # the abstract namespace of unix(7), as ss and systemd write it
    return f"unix:{path or '(unnamed)'}"


def _path(sock: socket.socket) -> Path:
    return Path(os.fsdecode(sock.getsockname()))


def _identity(sock: socket.socket) -> tuple[int, int]:
    """Which file a unix socket's path leads to now."""
    status = _path(sock).stat()
    return status.st_dev, status.st_ino


def bind_all(addresses: Sequence[Address], backlog: int, inherited: Mapping[str, Sequence[int]]) -> list[Listener]:
    """Bind or adopt every address, or none.

    Args:
        addresses: in the order of the configuration.
        backlog: how many connections may wait to be accepted; the kernel cuts it at ``net.core.somaxconn``.
        inherited: descriptors that systemd passed, by name (``LISTEN_FDNAMES``).

    Raises:
        BindError: names the address and what to do; everything bound before it is closed again.
    """
    listeners: list[Listener] = []
    try:
        for address in addresses:
            listeners += _open(address, backlog, inherited)
    except BindError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def _open(address: Address, backlog: int, inherited: Mapping[str, Sequence[int]]) -> list[Listener]:
    match address.kind:
        case Kind.TCP:
            return _bind_tcp(address, backlog)
        case Kind.UNIX:
            return [_bind_unix(address, backlog)]
        case Kind.FD:
            return [_adopt(address.fd, str(address))]
        case Kind.SYSTEMD:
            descriptors = inherited.get(address.name)
            if not descriptors:
                known = ", ".join(sorted(inherited)) or "none at all"
                raise BindError(
                    f"cannot listen on {address}: systemd passed no socket of that name (passed: {known}); "
                    f"set FileDescriptorName={address.name} in the .socket unit and start hybridd through it"
                )
            return [_adopt(fd, str(address)) for fd in descriptors]


def _bind_tcp(address: Address, backlog: int) -> list[Listener]:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise BindError(
            f"cannot listen on {address}: the host name {address.host!r} is not known ({error.strerror})"
        ) from None
    listeners: list[Listener] = []
    missing: OSError | None = None
    for family, _, _, _, where in dict.fromkeys(found):
        try:
            listeners.append(_bind_one(family, where, str(address), backlog))
        except OSError as error:
            if error.errno in _NOT_HERE:
                missing = error
                continue
            for listener in listeners:
                listener.close()
            raise BindError(f"cannot listen on {address}: {_explain(error, address.port)}") from None
    if missing is not None and not listeners:
        raise BindError(f"cannot listen on {address}: {_explain(missing, address.port)}") from None
    return listeners


def _bind_one(family: int, where: Any, name: str, backlog: int) -> Listener:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a restart must not wait for TIME_WAIT
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # so that 0.0.0.0 and [::] can stand together
        _arrange_for_connections(sock)
        sock.bind(where)
        sock.listen(backlog)
        return Listener(sock, name, owned=True)
    except BaseException:
        sock.close()
        raise


def _arrange_for_connections(sock: socket.socket) -> None:
    """Say what every accepted connection inherits (tcp(7), socket(7)), and none has to be told."""
    for level, option, value in _INHERITED:
        sock.setsockopt(level, option, value)


def _bind_unix(address: Address, backlog: int) -> Listener:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(address.path)
        sock.bind(address.path)
        sock.listen(backlog)
        return Listener(sock, str(address), owned=True)
    except OSError as error:
        sock.close()
        raise BindError(f"cannot listen on {address}: {_explain(error, None)}") from None


def _remove_stale(path: str) -> None:
    """Remove the socket file of a server that is no more; a living one or another kind of file stays.

    Raises:
        OSError: EADDRINUSE when somebody listens there or the file is not a socket.
    """
    file = Path(path)
    if not file.exists():
        return
    if not file.is_socket():
        raise OSError(errno.EADDRINUSE, "the file exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            file.unlink()
            return
        except BlockingIOError:
            pass  # its backlog is full: somebody is very much alive
    raise OSError(errno.EADDRINUSE, "another process listens there")


def _adopt(fd: int, name: str) -> Listener:
    try:
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise BindError(f"cannot listen on {name}: descriptor {fd} is not an open socket ({error.strerror})") from None
    listens = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listens or sock.family not in _FAMILIES:
        sock.detach()
        raise BindError(f"cannot listen on {name}: descriptor {fd} is not a listening stream socket (TCP or unix)")
    os.set_inheritable(fd, False)
    if sock.family != socket.AF_UNIX:
        _arrange_for_connections(sock)
    return Listener(sock, name, owned=False)


def _explain(error: OSError, port: int | None) -> str:
    match error.errno:
        case errno.EADDRINUSE if port is not None:
            return f"the address is in use; stop the other server (see: ss -ltnp 'sport = :{port}') or choose another"
        case errno.EADDRINUSE:
            return f"the address is in use ({error.strerror})"
        case errno.EACCES | errno.EPERM if port is not None:
            return "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or a systemd socket"
        case errno.EADDRNOTAVAIL:
            return "this machine does not have that address"
        case errno.ENOENT:
            return "its folder does not exist"
    return (error.strerror or str(error)).lower()
