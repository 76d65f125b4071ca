"""A file that one thread writes and another one hands on."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.errors import SpoolFullError
from hybridd.worker.room import Room
from hybridd.worker.spool import Spool


class Owner:
    """A request whose client has everything."""

    settled = True


def taken(spool: Spool) -> bytes:
    """Take what there is, as the transport does: read it through the descriptor, and close that."""
    fd, offset, count = spool.take()
    try:
        return os.pread(fd, count, offset)
    finally:
        os.close(fd)


def test_what_is_appended_can_be_taken_once():
    spool = Spool(Room(1 << 20))
    assert not spool.pending
    spool.append(b"one ")
    spool.append(b"two")
    assert spool.pending
    assert taken(spool) == b"one two"
    assert not spool.pending
    spool.append(b" three")
    assert taken(spool) == b" three"
    assert (spool.written, spool.taken) == (13, 13)
    spool.close(Owner())


@given(st.lists(st.one_of(st.none(), st.binary(min_size=1, max_size=100)), max_size=20))
def test_the_order_is_kept(steps):
    spool, whole, got = Spool(Room(1 << 20)), b"", b""
    for step in steps:
        if step is None:
            got += taken(spool) if spool.written else b""
        else:
            spool.append(step)
            whole += step
        assert spool.pending == (len(got) < len(whole))
    got += taken(spool) if spool.pending else b""
    spool.close(Owner())
    assert got == whole


def test_what_was_taken_outlives_the_spool():
    spool = Spool(Room(1 << 20))
    spool.append(b"still here")
    fd, offset, count = spool.take()
    spool.close(Owner())
    assert os.pread(fd, count, offset) == b"still here"
    os.close(fd)


def test_the_file_has_no_name():
    spool = Spool(Room(1 << 20))
    spool.append(b"x")
    fd, _, _ = spool.take()
    assert os.fstat(fd).st_nlink == 0
    os.close(fd)
    spool.close(Owner())


class FullDisk:
    """Takes three bytes, then none."""

    def __init__(self) -> None:
        self.room = 3

    def write(self, data: memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken, self.room = min(self.room, len(data)), 0
        return taken

    def close(self) -> None:
        pass


def test_of_what_did_not_fit_only_that_much_counts_as_written():
    spool = Spool(Room(1 << 20))
    spool._file = FullDisk()
    with pytest.raises(OSError, match="No space"):
        spool.append(b"12345")
    assert spool.written == 3, "the leader may hand on what is there, and not a byte more"
    assert spool._room.taken == 3


def test_beyond_the_room_nothing_is_written():
    room = Room(10)
    spool = Spool(room)
    spool.append(b"12345678")
    with pytest.raises(SpoolFullError):
        spool.append(b"123")
    spool.append(b"12")
    assert (spool.written, room.taken) == (10, 10)
    spool.close(Owner())
    assert room.take(10)
