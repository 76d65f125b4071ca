"""The account of temporary files."""

from __future__ import annotations

from types import SimpleNamespace

from hybridd.worker.room import Room, RoomyFile


def test_what_is_given_back_can_be_taken_again():
    room = Room(10)
    assert room.take(7)
    assert not room.take(4)
    assert room.take(3)
    room.give_back(7)
    assert room.take(7)
    assert not room.take(1)


def test_what_is_kept_comes_back_when_its_owner_is_settled():
    room, owner = Room(10), SimpleNamespace(settled=False)
    room.take(8)
    room.keep(owner, 8)
    assert not room.take(5)
    owner.settled = True
    assert room.take(5)
    assert room.taken == 5


def test_settled_owners_are_not_kept_for_ever():
    room = Room(1 << 30)
    for _ in range(1000):
        room.take(1)
        room.keep(SimpleNamespace(settled=True), 1)
    assert len(room._kept) <= 65
    assert room.taken <= 65


def test_a_file_gives_back_what_it_had_once_however_it_ends():
    room = Room(10)
    for end in (RoomyFile.close, lambda file: file.__exit__(None, None, None)):
        assert room.take(6)
        file = RoomyFile.create(room)
        file.size += 6
        file.write(b"abcdef")
        file.seek(0)
        assert file.read() == b"abcdef"
        end(file)
        file.close()
        assert room.taken == 0
