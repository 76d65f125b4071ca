"""Bytes and stretches of files in order, whatever the kernel takes at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.net import send_queue
from hybridd.net.send_queue import SendQueue
from tests.support.descriptors import file_of, is_open

Answer = int | OSError
"""What the kernel says to one call: how many bytes it takes at most, or that it does not."""

AGAIN = BlockingIOError(errno.EAGAIN, "again")
ALL = 1 << 40


class ScriptedSocket:
    """Takes what its script says, call by call; everything once the script is over."""

    def __init__(self, *answers: Answer) -> None:
        self.taken = b""
        self.calls: list[str] = []
        self._answers = list(answers)

    def sendmsg(self, buffers: Sequence[bytes | memoryview]) -> int:
        self.calls.append(f"sendmsg {len(buffers)}")
        return self._take(b"".join(buffers))

    def send(self, data: bytes) -> int:
        self.calls.append("send")
        return self._take(data)

    def sendfile(self, _: int, fd: int, offset: int, count: int) -> int:
        """Stand in for os.sendfile."""
        self.calls.append("sendfile")
        return self._take(os.pread(fd, count, offset))

    def fileno(self) -> int:
        return -1

    def _take(self, data: bytes) -> int:
        answer = self._answers.pop(0) if self._answers else ALL
        if isinstance(answer, OSError):
            raise answer
        self.taken += data[:answer]
        return min(len(data), answer)


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], int]:
    """Make descriptors of files with the given content; the queue owns them."""
    monkeypatch.setattr(os, "sendfile", lambda sock, *stretch: sock.sendfile(sock, *stretch))
    monkeypatch.setattr(ScriptedSocket, "fileno", lambda self: self)
    return file_of


def drain(queue: SendQueue, sock: ScriptedSocket) -> list[int]:
    """Send until everything is sent, as a socket that becomes ready again and again."""
    counts: list[int] = []
    while queue.size:
        counts += queue.send(sock)
    return counts


def test_an_empty_queue_sends_nothing():
    sock = ScriptedSocket()
    assert list(SendQueue().send(sock)) == []
    assert sock.calls == []


def test_what_was_queued_goes_in_one_call():
    queue, sock = SendQueue(), ScriptedSocket()
    for part in (b"one ", b"two ", b"three"):
        queue.append(part)
    assert queue.size == 13
    assert list(queue.send(sock)) == [13]
    assert (sock.taken, sock.calls, queue.size) == (b"one two three", ["sendmsg 3"], 0)


@pytest.mark.parametrize("cut", range(1, 14))
def test_the_rest_of_a_part_that_went_half_goes_next(cut):
    queue, sock = SendQueue(), ScriptedSocket(cut, AGAIN)
    for part in (b"one ", b"two ", b"three"):
        queue.append(part)
    assert list(queue.send(sock)) == [cut]
    assert queue.size == 13 - cut
    drain(queue, sock)
    assert sock.taken == b"one two three"


def test_a_kernel_that_takes_nothing_now_is_asked_once():
    queue, sock = SendQueue(), ScriptedSocket(AGAIN, InterruptedError(errno.EINTR, "signal"))
    queue.append(b"data")
    assert list(queue.send(sock)) == []
    assert list(queue.send(sock)) == []
    assert (len(sock.calls), queue.size) == (2, 4)


def test_a_broken_connection_is_said_and_loses_nothing_of_the_count():
    queue, sock = SendQueue(), ScriptedSocket(2, BrokenPipeError(errno.EPIPE, "gone"))
    queue.append(b"data")
    sending = queue.send(sock)
    assert next(sending) == 2
    with pytest.raises(BrokenPipeError):
        next(sending)
    assert queue.size == 2


def test_one_call_gathers_a_bounded_number_of_parts():
    queue, sock = SendQueue(), ScriptedSocket()
    for _ in range(150):
        queue.append(b"x")
    assert list(queue.send(sock)) == [64, 64, 22]


def test_a_fast_reader_does_not_keep_the_loop_to_itself():
    queue, sock = SendQueue(), ScriptedSocket(*[1] * 100)
    queue.append(b"x" * 100)
    assert len(list(queue.send(sock))) == 8
    assert queue.size == 92


def test_files_go_between_bytes_in_order(file):
    queue, sock = SendQueue(), ScriptedSocket()
    fd = file(b"0123456789")
    queue.append(b"head ")
    queue.append_file(fd, 2, 5)
    queue.append(b" tail")
    assert queue.size == 15
    drain(queue, sock)
    assert sock.taken == b"head 23456 tail"
    assert sock.calls == ["sendmsg 1", "sendfile", "sendmsg 1"]
    assert not is_open(fd)


def test_a_file_in_pieces_keeps_its_descriptor_until_the_last_one(file):
    queue, sock = SendQueue(), ScriptedSocket(3, AGAIN, 3)
    fd = file(b"0123456789")
    queue.append_file(fd, 0, 10)
    assert list(queue.send(sock)) == [3]
    assert is_open(fd)
    drain(queue, sock)
    assert sock.taken == b"0123456789"
    assert not is_open(fd)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS])
def test_a_file_that_cannot_be_spliced_is_read(file, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, "cannot splice")

    monkeypatch.setattr(os, "sendfile", refuse)
    queue, sock = SendQueue(), ScriptedSocket(4)
    fd = file(b"0123456789")
    queue.append_file(fd, 1, 8)
    drain(queue, sock)
    assert sock.taken == b"12345678"
    assert sock.calls == ["send", "send"]
    assert not is_open(fd)


def test_a_file_that_became_shorter_is_an_error_and_not_an_endless_loop(file):
    queue, sock = SendQueue(), ScriptedSocket()
    fd = file(b"0123")
    queue.append_file(fd, 0, 10)
    with pytest.raises(OSError, match="shorter"):
        drain(queue, sock)
    assert sock.taken == b"0123"
    queue.close()
    assert not is_open(fd)


def test_closing_gives_every_descriptor_back(file):
    queue = SendQueue()
    descriptors = [file(b"x") for _ in range(3)]
    for fd in descriptors:
        queue.append(b"between")
        queue.append_file(fd, 0, 1)
    queue.close()
    assert queue.size == 0
    assert not any(map(is_open, descriptors))
    queue.close()


def test_the_real_sendfile_does_the_same():
    """A pipe takes the place of the socket: sendfile(2) writes to any descriptor."""
    read_end, write_end = os.pipe()

    class Pipe(ScriptedSocket):
        def fileno(self) -> int:
            return write_end

    queue, fd = SendQueue(), file_of(b"0123456789")
    queue.append_file(fd, 3, 4)
    assert list(queue.send(Pipe())) == [4]
    os.close(write_end)
    assert os.read(read_end, 100) == b"3456"
    os.close(read_end)
    assert not is_open(fd)


parts = st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=60)), max_size=12)
answers = st.lists(st.one_of(st.integers(1, 50), st.just(AGAIN)), max_size=40)


@given(parts, answers)
def test_the_peer_gets_what_was_queued(parts, answers):
    queue, sock = SendQueue(), ScriptedSocket(*answers)
    descriptors = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(send_queue.os, "sendfile", sock.sendfile)
        for is_file, data in parts:
            if is_file:
                descriptors.append(file_of(b"before" + data + b"behind"))
                queue.append_file(descriptors[-1], 6, len(data))
            else:
                queue.append(memoryview(data))
        whole = b"".join(data for _, data in parts)
        assert queue.size == len(whole)
        while queue.size:
            before = queue.size
            assert sum(queue.send(sock)) == before - queue.size
            assert queue.size == len(whole) - len(sock.taken)
    assert sock.taken == whole
    assert not any(map(is_open, descriptors))
