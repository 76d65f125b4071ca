"""The end of listening sockets, on the real thing: who got through is served, who comes later is refused."""

from __future__ import annotations

import socket

import pytest

from hybridd.config.address import parse_address
from hybridd.master.farewell import Farewell
from hybridd.net.listener import Listener, bind_all


@pytest.fixture
def listener():
    (one,) = bind_all([parse_address("127.0.0.1:0")], 64, {})
    yield one
    one.close()


def connect(listener: Listener, within: float) -> socket.socket:
    return socket.create_connection(listener.sock.getsockname(), within)


def test_new_connections_get_no_answer_while_the_old_ones_are_taken(listener):
    farewell = Farewell()
    with connect(listener, 1.0) as early:
        farewell.begin([listener], 10.0)
        with pytest.raises(TimeoutError):
            connect(listener, 0.3)
        served, _ = listener.accept()
        with served:
            served.sendall(b"served")
            assert early.recv(100) == b"served"
            farewell.end()
            served.sendall(b" still")
            assert early.recv(100) == b" still"


def test_afterwards_they_are_refused_though_another_process_holds_the_socket_too(listener):
    address = listener.sock.getsockname()
    with listener.sock.dup():  # as a worker has it that finishes a long request
        farewell = Farewell()
        farewell.begin([listener], 10.0)
        farewell.end()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, 1.0)


def test_the_end_waits_for_handshakes_and_comes_once(listener):
    farewell = Farewell()
    assert not farewell.is_due(100.0, linger=0.3)
    farewell.begin([listener], 10.0)
    assert farewell.begun
    assert not farewell.is_due(10.2, linger=0.3)
    assert farewell.is_due(10.3, linger=0.3)
    farewell.end()
    assert not farewell.is_due(20.0, linger=0.3)
    farewell.end()


def test_a_socket_that_was_handed_to_us_goes_on():
    with socket.create_server(("127.0.0.1", 0)) as systemds:
        handed = Listener(systemds.dup(), "systemd:web", owned=False)
        farewell = Farewell()
        farewell.begin([handed], 10.0)
        farewell.end()
        handed.sock.close()
        with socket.create_connection(systemds.getsockname(), 1.0):
            systemds.accept()[0].close()


def test_the_file_of_a_unix_socket_goes_first(tmp_path):
    (listener,) = bind_all([parse_address(f"unix:{tmp_path}/web.sock")], 64, {})
    with listener.sock.dup() as workers, socket.socket(socket.AF_UNIX) as early:
        early.connect(f"{tmp_path}/web.sock")
        farewell = Farewell()
        farewell.begin([listener], 10.0)
        assert not (tmp_path / "web.sock").exists()
        served, _ = workers.accept()
        with served:
            served.sendall(b"served")
            assert early.recv(100) == b"served"
        farewell.end()
