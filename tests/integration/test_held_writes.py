"""Bytes that a transport holds back until the jobs of a turn are done, over real sockets."""

from __future__ import annotations

import os
import socket
from asyncio import Protocol
from collections.abc import Callable

import pytest

from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.net.transport import SocketTransport
from hybridd.net.writing import MOST_HELD
from tests.support.descriptors import is_open


class Connection:
    """A transport in the test's own thread, and its peer."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        ours, self.peer = socket.socketpair()
        for sock in (ours, self.peer):
            sock.setblocking(False)
        self.transport = SocketTransport(Terms(self.reactor, 30.0), ours, Protocol(), "peer")
        self.transport.open()
        self.seen: list[bytes] = []

    def look(self) -> None:
        """Note what the peer has by now."""
        try:
            self.seen.append(self.peer.recv(1 << 20))
        except BlockingIOError:
            self.seen.append(b"")

    def turn(self, *jobs: Callable[[], object]) -> list[bytes]:
        """One turn with these jobs, looking after each; return what was seen, and what behind all."""
        self.seen.clear()
        for job in jobs:
            self.reactor.call_soon(job)
            self.reactor.call_soon(self.look)
        self.reactor.turn()
        self.look()
        return self.seen


@pytest.fixture
def connection():
    connection = Connection()
    yield connection
    connection.transport.abort()
    connection.reactor.call_soon(lambda: None)
    connection.reactor.turn()
    connection.reactor.close()
    connection.peer.close()


def test_little_is_sent_behind_the_last_job(connection):
    assert connection.turn(lambda: connection.transport.write(b"one")) == [b"", b"one"]
    assert connection.transport.get_write_buffer_size() == 0


def test_a_second_write_finds_the_first_one_before_it(connection):
    write = connection.transport.write
    assert connection.turn(lambda: write(b"one "), lambda: write(b"two")) == [b"", b"one two", b""]


def test_much_is_sent_at_once(connection):
    much = b"m" * (MOST_HELD + 1)
    assert connection.turn(lambda: connection.transport.write(much)) == [much, b""]


def test_a_file_goes_behind_what_is_held(connection, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"file")

    def send() -> None:
        connection.transport.write(b"head ")
        assert connection.transport.get_write_buffer_size() == 5
        connection.transport.sendfile(os.open(path, os.O_RDONLY), 0, 4)

    assert b"".join(connection.turn(send)) == b"head file"


def test_a_file_behind_what_nobody_takes_any_more_is_given_back(connection, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"file")
    files = []

    def send() -> None:
        connection.transport.write(b"head ")
        files.append(os.open(path, os.O_RDONLY))
        connection.transport.sendfile(files[0], 0, 4)

    connection.transport.pause_reading()  # it shall learn of its peer's end by sending
    connection.peer.close()
    connection.reactor.call_soon(send)
    connection.reactor.call_soon(lambda: None)
    connection.reactor.turn()
    assert not is_open(files[0])
    assert connection.transport.is_closing()


@pytest.mark.parametrize("end", ["close", "write_eof"])
def test_the_end_comes_behind_what_is_held(connection, end):
    def send() -> None:
        connection.transport.write(b"last words")
        getattr(connection.transport, end)()

    assert connection.turn(send) == [b"last words", b""]
    assert connection.peer.recv(1) == b""


def test_an_abort_drops_what_is_held(connection):
    def send() -> None:
        connection.transport.write(b"never")
        connection.transport.abort()

    assert connection.turn(send)[0] == b""
    assert connection.transport.get_write_buffer_size() == 0


def test_a_peer_that_is_gone_is_noticed_when_it_is_sent(connection):
    class Noting(Protocol):
        def connection_lost(self, exc):
            lost.append(exc)

    lost: list[Exception | None] = []
    connection.transport.set_protocol(Noting())
    connection.transport.pause_reading()  # it shall learn of it by sending
    connection.peer.close()
    connection.reactor.call_soon(lambda: connection.transport.write(b"nobody"))
    for _ in range(2):
        connection.reactor.call_soon(lambda: None)
        connection.reactor.turn()
    assert isinstance(lost[0], OSError)
