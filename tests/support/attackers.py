"""Hostile clients: each attack one small loop of its own process, cheap, because it shares the CPUs with its victim.

    python -m tests.support.attackers NAME HOST PORT NUMBER SECONDS

NUMBER is how many connections (idle, bodies) or how many per second (all others).

Knows:     sockets.
Never:     waits for an answer that it does not need.
Runs in:   a process beside the tests, with a lower priority than the server: an attacker has CPUs of his own.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

HEAD = b"GET / HTTP/1.1\r\nHost: attack\r\n"
RESET = struct.pack("ii", 1, 0)
MEGABYTE = 1 << 20
_DELAY = 0.01
_OPENED = 500  # connections per second, of an attack that keeps a number of them
_HELD = 200  # connections that an attack at a rate keeps before it leaves the oldest

Where = tuple[str, int]


def connect(where: Where) -> socket.socket:
    """Begin to connect, and go on at once."""
    sock = socket.socket()
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        sock.connect(where)
    return sock


def pace(rate: int, seconds: float) -> Iterator[None]:
    """Yield ``rate`` times a second."""
    begun, done = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        due = int(passed * rate)
        for _ in range(min(due - done, rate)):
            yield
        done = due
        select.select([], [], [], _DELAY)


def flood(where: Where, rate: int, seconds: float) -> int:
    """Connect, ask nothing, leave."""
    return _at_rate(where, rate, seconds, b"", reset=False)


def resets(where: Where, rate: int, seconds: float) -> int:
    """Connect, begin to ask, reset: some before they were accepted, some in the middle of a head."""
    return _at_rate(where, rate, seconds, HEAD, reset=True)


def heads(where: Where, rate: int, seconds: float) -> int:
    """Send heads that are twice as large as any may be."""
    return _at_rate(where, rate, seconds, HEAD + b"X-Bomb: " + b"x" * 65536, reset=False)


def fields(where: Where, rate: int, seconds: float) -> int:
    """Send heads with a thousand short fields."""
    return _at_rate(where, rate, seconds, HEAD + b"".join(b"X%d: y\r\n" % n for n in range(1000)), reset=False)


def _at_rate(where: Where, rate: int, seconds: float, data: bytes, *, reset: bool) -> int:
    held: list[socket.socket] = []
    done = 0
    for _ in pace(rate, seconds):
        held.append(connect(where))
        done += 1
        if len(held) > min(_HELD, rate // 4):
            sock = held.pop(0)
            with contextlib.suppress(OSError):
                if data:
                    sock.send(data)
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            sock.close()
    return done


def idle(where: Where, number: int, seconds: float) -> int:
    """Open connections and say nothing; open another one for each that is closed."""
    return _hoard(where, number, seconds, b"", b"")


def bodies(where: Where, number: int, seconds: float) -> int:
    """Announce 60 MiB each and send them, as fast as they are taken."""
    head = b"POST /upload HTTP/1.1\r\nHost: attack\r\nContent-Length: %d\r\n\r\n" % (60 * MEGABYTE)
    return _hoard(where, number, seconds, head, b"x" * 65536)


def _hoard(where: Where, number: int, seconds: float, head: bytes, piece: bytes) -> int:
    held: dict[int, socket.socket] = {}
    fresh: set[int] = set()
    opened, begun = 0, time.monotonic()
    with select.epoll() as poll:
        while time.monotonic() < begun + seconds:
            allowed = int((time.monotonic() - begun) * _OPENED) - opened
            for _ in range(min(number - len(held), allowed)):
                sock = connect(where)
                held[sock.fileno()] = sock
                fresh.add(sock.fileno())
                opened += 1
                poll.register(sock, select.EPOLLIN | (select.EPOLLOUT if head else 0))
            for fd, event in poll.poll(0.02, 50):
                try:
                    if event & ~select.EPOLLOUT:
                        raise ConnectionResetError
                    with contextlib.suppress(BlockingIOError):
                        held[fd].send(head if fd in fresh else piece)
                        fresh.discard(fd)
                except OSError:
                    poll.unregister(fd)
                    held.pop(fd).close()
            select.select([], [], [], _DELAY)
    return opened


ATTACKS: dict[str, Callable[[Where, int, float], int]] = {
    attack.__name__: attack for attack in (flood, resets, heads, fields, idle, bodies)
}


def main() -> None:
    """Attack."""
    name, host, port, number, seconds = sys.argv[1:]
    os.nice(10)
    done = ATTACKS[name]((host, int(port)), int(number), float(seconds))
    sys.stdout.write(f"{name}: {done} connections\n")


if __name__ == "__main__":
    main()
