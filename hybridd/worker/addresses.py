"""How many connections each address has, and how many new ones in this second: over all workers together.

Each worker has its own table in memory that all share, and adds the others' to its own: one writer per word, no locks.
A word holds a hash of the address (keyed, so that nobody can aim at another's place), the second that it is about, and
the count.  A place is one of eight; when all are taken the smallest goes: who has few connections is forgotten before
who has many, and forgetting lets in rather than keeps out.

Knows:     the tables, the limits; which addresses are one (IPv6: a /64 belongs to one customer).
Never:     sockets.
Runs in:   the thread that leads; made by the master before the first fork.
"""

from __future__ import annotations

import hashlib
import mmap
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final

PLACES: Final = 8192  # per worker and table: 64 KiB, of which only what is used takes memory
_BUCKET: Final = 8
_COUNT: Final = (1 << 20) - 1
_SECOND_SHIFT: Final = 20
_SECOND: Final = 0xFF
_TAG_SHIFT: Final = 28
_TAG: Final = (1 << 36) - 1
_SPREAD: Final = 0x9E3779B97
_WORD: Final = 8
_FOUR_IN_SIX = bytes(10) + b"\xff\xff"


class Tables:
    """The memory: for each worker two tables of ``PLACES`` words, open connections and new ones."""

    def __init__(self, rows: int) -> None:
        self._words = memoryview(mmap.mmap(-1, rows * 2 * PLACES * _WORD)).cast("Q")
        self.key = secrets.token_bytes(16)

    def table(self, slot: int, number: int) -> memoryview:
        """Return a table of a worker: 0, open ones; 1, new ones."""
        start = (slot * 2 + number) * PLACES
        return self._words[start : start + PLACES]


def network_of(peer: Any) -> bytes | None:
    """Return what counts as one address; None: a unix socket's, which is limited by its file's mode."""
    if not isinstance(peer, tuple) or not peer:
        return None
    host = str(peer[0]).partition("%")[0]
    if ":" not in host:
        return socket.inet_aton(host)
    packed = socket.inet_pton(socket.AF_INET6, host)
    return packed[12:] if packed.startswith(_FOUR_IN_SIX) else packed[:8]


def change(table: memoryview, at: int, tag: int, second: int, by: int) -> None:
    """Add ``by`` to the count of an address in one of the eight places from ``at`` on."""
    words = table[at : at + _BUCKET].tolist()
    best, least = at, _COUNT + 1
    for place, word in enumerate(words, at):
        count = word & _COUNT if word >> _SECOND_SHIFT & _SECOND == second else 0
        if count and word >> _TAG_SHIFT == tag:
            table[place] = max(0, word + by) if count + by > 0 else 0
            return
        if count < least:
            best, least = place, count
    if by > 0:
        table[best] = tag << _TAG_SHIFT | second << _SECOND_SHIFT | by


def count(table: memoryview, at: int, tag: int, second: int) -> int:
    """Return the count of an address in one table."""
    for word in table[at : at + _BUCKET].tolist():
        if word >> _TAG_SHIFT == tag and word >> _SECOND_SHIFT & _SECOND == second:
            return int(word & _COUNT)
    return 0


class AddressLimits:
    """What one worker asks of each connection that it accepts, and tells of each that ends.

    ``exempt``: addresses that are many clients, those of trusted proxies; ``others``: the slots of the other workers.
    """

    def __init__(
        self,
        tables: Tables,
        slot: int,
        *,
        most_open: int,
        most_new: int,
        exempt: Callable[[str], bool],
        others: Callable[[], Sequence[int]],
    ) -> None:
        self._tables = tables
        self._most_open = most_open
        self._most_new = most_new
        self._exempt = exempt
        self._others = others
        self._open, self._new = tables.table(slot, 0), tables.table(slot, 1)
        for table in (self._open, self._new):  # what a worker that died has left
            if any(table):
                table[:] = memoryview(bytes(PLACES * _WORD)).cast("Q")

    def admit(self, peer: Any, now: float) -> bool:
        """Count a new connection at the monotonic time ``now``; False: its address has too many, and it is not."""
        place = self._place(peer)
        if place is None:
            return True
        at, tag = place
        if self._most_new:
            second, tag_now = int(now) & _SECOND, (tag ^ int(now) * _SPREAD) & _TAG | 1  # not that of 256 s ago
            if self._sum(self._new, 1, at, tag_now, second) >= self._most_new:
                return False
            change(self._new, at, tag_now, second, 1)
        if self._most_open:
            if self._sum(self._open, 0, at, tag, 0) >= self._most_open:
                return False
            change(self._open, at, tag, 0, 1)
        return True

    def left(self, peer: Any) -> None:
        """One of its connections has ended."""
        place = self._place(peer) if self._most_open else None
        if place is not None:
            change(self._open, *place, 0, -1)

    def _sum(self, own: memoryview, number: int, at: int, tag: int, second: int) -> int:
        others = (count(self._tables.table(slot, number), at, tag, second) for slot in self._others())
        return count(own, at, tag, second) + sum(others)

    def _place(self, peer: Any) -> tuple[int, int] | None:
        network = network_of(peer)
        if network is None or self._exempt(peer[0]):
            return None
        digest = int.from_bytes(hashlib.blake2b(network, digest_size=8, key=self._tables.key).digest(), "big")
        return digest % (PLACES // _BUCKET) * _BUCKET, digest >> _TAG_SHIFT | 1  # 0 is nobody's
