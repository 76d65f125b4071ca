"""The rules of a sink over a destination made by hand; real descriptors: tests/integration/test_log_sink.py."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.ops.sink import NOTICE_INTERVAL, Sink, open_sink, pieces


class Destination:
    """Takes at most ``room`` bytes, then says that it is full."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room
        self.taken = b""
        self.writes = 0

    def __call__(self, record: bytes) -> int:
        self.writes += 1
        if self.room == 0:
            raise BlockingIOError(errno.EAGAIN, "full")
        accepted = record[: self.room]
        self.room -= len(accepted)
        self.taken += accepted
        return len(accepted)


def sink(destination, limit: int = 0) -> Sink:
    return Sink(-1, destination, limit=limit)


def test_a_record_is_one_write():
    to = Destination()
    assert sink(to).write(b"a\nb\n", lines=2)
    assert (to.taken, to.writes) == (b"a\nb\n", 1)


def test_a_full_destination_drops_and_counts_lines():
    s = sink(Destination(room=0))
    assert not s.write(b"a\nb\n", lines=2)
    assert not s.write(b"c\n")
    assert s.dropped == 3


@pytest.mark.parametrize("error", [errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.ECONNRESET])
def test_any_failing_destination_drops_and_counts(error):
    def fail(_record: bytes) -> int:
        raise OSError(error, "no")

    s = sink(fail)
    assert not s.write(b"x\n")
    assert s.dropped == 1


def test_a_record_that_went_out_in_part_is_finished_before_the_next():
    to = Destination(room=3)
    s = sink(to)
    assert s.write(b"first\n")
    assert not s.write(b"second\n")
    to.room = 100
    assert s.write(b"third\n")
    assert to.taken == b"first\nthird\n"
    assert s.dropped == 1


def test_finishing_needs_no_further_record():
    to = Destination(room=3)
    s = sink(to)
    s.write(b"first\n")
    assert not s.finish()
    to.room = 1
    assert not s.finish()
    to.room = 100
    assert s.finish()
    assert to.taken == b"first\n"


@given(
    st.lists(st.binary(min_size=1, max_size=20).map(lambda b: b.replace(b"\n", b".") + b"\n")),
    st.lists(st.integers(0, 12)),
)
def test_no_line_is_ever_torn(records, rooms):
    to = Destination(room=0)
    s = sink(to)
    written = []
    for number, record in enumerate(records):
        to.room += rooms[number % len(rooms)] if rooms else 5
        if s.write(record):
            written.append(record)
    to.room = 10**6
    s.finish()
    assert to.taken == b"".join(written)
    assert s.dropped == len(records) - len(written)


def test_a_child_does_not_finish_what_its_parent_began():
    to = Destination(room=3)
    s = sink(to)
    s.write(b"first\n")
    s.write(b"lost\n")
    s.forked()
    to.room = 100
    s.write(b"child\n")
    assert to.taken == b"firchild\n"
    assert s.dropped == 0


def test_a_closed_sink_counts():
    s = sink(Destination())
    s.close()
    assert not s.write(b"x\n")
    assert s.dropped == 1


# -- what was lost is said, now and then


def test_losses_are_news_once():
    s = sink(Destination(room=0))
    s.write(b"x\n", lines=5)
    assert s.news(1000.0) == 5
    assert s.news(1000.0) == 5  # not told yet
    s.told(5, 1000.0)
    assert s.news(1000.0 + NOTICE_INTERVAL) == 0


def test_news_are_not_told_all_the_time():
    s = sink(Destination(room=0))
    s.write(b"x\n")
    s.told(1, 1000.0)
    s.write(b"x\n")
    assert s.news(1000.0 + NOTICE_INTERVAL - 1) == 0
    assert s.news(1000.0 + NOTICE_INTERVAL) == 1


# -- pieces


@given(st.lists(st.binary(min_size=1, max_size=30)), st.integers(1, 60))
def test_pieces_keep_every_line_whole_and_in_order(lines, limit):
    made = list(pieces(lines, limit))
    assert b"".join(piece for piece, _ in made) == b"".join(lines)
    assert sum(count for _, count in made) == len(lines)
    assert all(len(piece) <= limit or count == 1 for piece, count in made)


def test_pieces_are_as_few_as_possible():
    assert [count for _, count in pieces([b"1234"] * 7, 12)] == [3, 3, 1]
    assert [count for _, count in pieces([b"1234"] * 7, 0)] == [7]
    assert list(pieces([], 12)) == []


def test_lines_are_written_piece_by_piece():
    to = Destination()
    sink(to, limit=12).write_lines([b"123\n"] * 7)
    assert to.writes == 3


# -- files (a regular file is as fast and certain as memory)


def test_a_file_is_appended_to(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    s = open_sink(str(path), 2)
    s.write(b"after\n")
    s.close()
    assert path.read_bytes() == b"before\nafter\n"


def test_a_new_file_is_not_for_everybody(tmp_path):
    path = tmp_path / "log"
    open_sink(str(path), 2).close()
    assert path.stat().st_mode & 0o007 == 0


def test_reopening_follows_a_rename(tmp_path):
    path = tmp_path / "log"
    s = open_sink(str(path), 2)
    s.write(b"1\n")
    path.rename(tmp_path / "log.1")
    s.write(b"2\n")
    number = s.fd
    s.reopen()
    s.write(b"3\n")
    assert s.fd == number
    assert (tmp_path / "log.1").read_bytes() == b"1\n2\n"
    assert path.read_bytes() == b"3\n"
    s.close()


def test_reopening_takes_the_file_that_logrotate_created(tmp_path):
    path = tmp_path / "log"
    s = open_sink(str(path), 2)
    path.rename(tmp_path / "log.1")
    path.touch(0o600)
    s.reopen()
    s.write(b"new\n")
    assert path.read_bytes() == b"new\n"
    assert path.stat().st_mode & 0o777 == 0o600
    s.close()


def test_when_reopening_fails_the_old_file_is_used_on(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    s = open_sink(str(folder / "log"), 2)
    folder.rename(tmp_path / "moved")
    with pytest.raises(FileNotFoundError):
        s.reopen()
    assert s.write(b"still here\n")
    assert (tmp_path / "moved" / "log").read_bytes() == b"still here\n"
    s.close()


def test_a_relative_path_is_reopened_where_it_was_opened(tmp_path, monkeypatch):
    """An application may enter another directory, and ``chdir`` does."""
    monkeypatch.chdir(tmp_path)
    sink = open_sink("log", 1)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "log").rename(tmp_path / "log.1")
    sink.reopen()
    sink.write(b"x\n")
    sink.close()
    assert (tmp_path / "log").read_bytes() == b"x\n"


def test_mirrors_are_the_same_file_also_after_a_reopen(tmp_path):
    """The standard streams of a daemon."""
    sink = open_sink(str(tmp_path / "log"), 1)
    stream = os.open(os.devnull, os.O_WRONLY)
    sink.mirror(stream)
    os.write(stream, b"one\n")
    (tmp_path / "log").rename(tmp_path / "log.1")
    sink.reopen()
    os.write(stream, b"two\n")
    assert os.get_inheritable(stream), "for the programs that an application starts"
    assert not os.get_inheritable(sink.fd)
    sink.close()
    os.write(stream, b"three\n")
    os.close(stream)
    assert (tmp_path / "log.1").read_bytes() == b"one\n"
    assert (tmp_path / "log").read_bytes() == b"two\nthree\n"
