"""How much of the disk the temporary files of a worker take together: bodies that arrive, answers that wait.

Each of them has its own limit; ten thousand clients that all go to theirs would fill the disk.  So what is written is
taken from one account before, and given back when the file is gone.

Knows:     how much there is and how much is taken.
Never:     what lies in the files; what is done when there is no room.
Runs in:   every thread of a worker; with dispatch fork each connection's process has an account of its own.
"""

from __future__ import annotations

import io
from contextlib import suppress
from threading import Lock
from typing import Protocol

from hybridd.worker.temporary import temporary_file

_FEW = 64


class Owner(Protocol):
    """Whose bytes they are: a request."""

    @property
    def settled(self) -> bool:
        """Whether it is over."""


class Room:
    """The account: ``limit`` bytes, of which ``taken`` are."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = 0
        self._lock = Lock()
        self._kept: list[tuple[Owner, int]] = []
        self._look_at = _FEW  # how many must be kept for a look at who is settled

    def take(self, size: int) -> bool:
        """Take ``size`` bytes; False: there are not so many."""
        with self._lock:
            if self.taken + size > self.limit:
                self._settle()
            if self.taken + size > self.limit:
                return False
            self.taken += size
            return True

    def give_back(self, size: int) -> None:
        """``size`` bytes are on the disk no longer."""
        with self._lock:
            self.taken -= size

    def keep(self, owner: Owner, size: int) -> None:
        """Give ``size`` bytes back as soon as ``owner`` is settled: until then descriptors of its file are open."""
        with self._lock:
            self._kept.append((owner, size))
            if len(self._kept) > self._look_at:
                self._settle()

    def _settle(self) -> None:
        self.taken -= sum(size for owner, size in self._kept if owner.settled)
        self._kept = [one for one in self._kept if not one[0].settled]
        self._look_at = max(_FEW, 2 * len(self._kept))


class RoomyFile(io.BufferedRandom):
    """A temporary file without a name that gives its ``size`` back to the room when it is closed."""

    def __init__(self, raw: io.RawIOBase, room: Room) -> None:
        super().__init__(raw)
        self.size = 0
        self._room = room

    @classmethod
    def create(cls, room: Room) -> RoomyFile:
        """Make one; OSError: there is no descriptor for it, say."""
        return cls(temporary_file(), room)

    def close(self) -> None:
        """Close it; it is gone then."""
        size, self.size = self.size, 0
        with suppress(OSError):  # the disk is full: what could not be written is not wanted any more
            super().close()
        if size:
            self._room.give_back(size)
