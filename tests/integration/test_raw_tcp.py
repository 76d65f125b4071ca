"""Raw TCP: an ordinary asyncio.Protocol class is served, drained and counted."""

from __future__ import annotations

import signal

import pytest

from tests.support.client import connect
from tests.support.waiting import wait_until

ECHO = {"protocol": "echo_tcp:Echo"}


def receive(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(65536)
        assert more, "the connection ended"
        data += more
    return data


def test_an_echo_class_is_served(share):
    server = share(ECHO)
    with connect(server.address) as connection:
        for text in (b"hello", b"x" * 100_000, b"\x00\xff"):
            connection.sendall(text)
            assert receive(connection, len(text)) == text


@pytest.mark.parametrize("pattern", ["serial", "process", "thread", "pool", "reactor"])
def test_in_every_pattern_the_class_is_the_same(serve, pattern):
    server = serve({**ECHO, "pattern": pattern, "workers": 1})
    for text in (b"hello", b"x" * 100_000):
        with connect(server.address) as connection:
            connection.sendall(text)
            assert receive(connection, len(text)) == text
    wait_until(
        lambda: server.metrics().total("hybridd_connections_closed_total") == 2, within=5, what="both are counted"
    )
    assert server.metrics().total("hybridd_connections_accepted_total") == 2


def test_many_clients_at_once(serve):
    server = serve(ECHO)
    connections = [connect(server.address) for _ in range(200)]
    for number, connection in enumerate(connections):
        connection.sendall(b"%d" % number)
    for number, connection in enumerate(connections):
        assert receive(connection, len(str(number))) == b"%d" % number
        connection.close()
    wait_until(lambda: server.metrics().total("hybridd_connections") == 0, within=5, what="all are gone")
    assert server.metrics().total("hybridd_connections_accepted_total") == 200


def test_a_half_closed_connection_is_answered(share):
    server = share(ECHO)
    with connect(server.address) as connection:
        connection.sendall(b"last words")
        connection.shutdown(1)
        assert receive(connection, 14) == b"last wordsbye\n"
        assert connection.recv(1) == b""


def test_term_ends_it(serve):
    server = serve({**ECHO, "timeouts": {"graceful": "1s"}})
    with connect(server.address) as connection:
        connection.sendall(b"hello")
        assert receive(connection, 5) == b"hello"
        server.signal(signal.SIGTERM)
        assert server.wait_ended(within=8) == 0


def test_it_can_be_given_on_the_command_line(serve):
    server = serve({}, arguments=["--protocol", "echo_tcp:Echo"])
    with connect(server.address) as connection:
        connection.sendall(b"hi")
        assert receive(connection, 2) == b"hi"


def test_a_misspelt_protocol_is_a_boot_failure(serve):
    server = serve({"protocol": "echo_tcp:Ehco"}, wait=False)
    assert server.wait_ended() == 70
    assert "Echo" in server.log()


@pytest.mark.parametrize("workers", [1, 2])
def test_hup_keeps_it_serving(serve, workers):
    server = serve({**ECHO, "workers": workers})
    before = server.wait_workers(workers)
    server.signal(signal.SIGHUP)
    server.wait_workers(workers, without=before)
    with connect(server.address) as connection:
        connection.sendall(b"hi")
        assert receive(connection, 2) == b"hi"
