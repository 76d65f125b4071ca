"""Connections before their protocol: how far the steps go, what they leave alone, and every way to fail."""

from __future__ import annotations

import socket
from itertools import pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.net.opening import Opening, OpeningError, SilentlyGone
from hybridd.net.proxy_step import proxy_step
from hybridd.net.reactor import READ
from hybridd.net.terms import Terms
from tests.support.simulated_loop import SimulatedLoop

HEADER = b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443\r\n"
CLIENT = ("192.0.2.7", 40000)
PROXY = ("10.0.0.9", 50000)


class Way:
    """One connection on a simulated loop: an Opening, its client, and what became of them."""

    def __init__(self, loop: SimulatedLoop, *, trusted: bool = True, sent: bytes = b"", seconds: float = 10.0) -> None:
        self.loop = loop
        self.terms = Terms(loop.reactor, 30.0)
        own, self.client = socket.socketpair()
        own.setblocking(False)
        self.client.setblocking(False)
        self.client.sendall(sent)
        self.begun: tuple[socket.socket, object] | None = None
        self.failed: list[Exception] = []
        self.graces: list[float] = []
        self.opening = Opening(
            self.terms,
            own,
            PROXY,
            steps=[proxy_step(lambda _: trusted)],
            begin=self._begin,
            failed=lambda _, error: self.failed.append(error),
        )
        self.opening.start(seconds)

    def _begin(self, opening: Opening) -> object:
        self.begun = opening.sock, opening.peer
        protocol = SimpleNamespace(drain=self.graces.append)
        return SimpleNamespace(get_protocol=lambda: protocol)

    def send(self, data: bytes) -> None:
        """Let bytes come, as the loop tells of them."""
        self.client.sendall(data)
        self.opening.ready(READ)

    def left(self) -> bytes:
        """What the steps have left to the protocol."""
        assert self.begun is not None
        try:
            return self.begun[0].recv(65536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self.client.close()
        if self.begun is not None:
            self.begun[0].close()
        else:
            self.opening.abort()


@pytest.fixture
def loop():
    loop = SimulatedLoop()
    yield loop
    loop.close()


@pytest.fixture
def way(loop):
    ways = []

    def start(**further) -> Way:
        ways.append(Way(loop, **further))
        return ways[-1]

    yield start
    for one in ways:
        one.close()


def test_a_header_that_is_there_costs_no_turn(way):
    one = way(sent=HEADER + b"GET /")
    assert one.begun[1] == CLIENT
    assert one.left() == b"GET /"
    assert not one.terms.open
    assert not one.loop.selector.watched.get(one.begun[0].fileno())
    assert one.terms.received == len(HEADER)
    assert one.loop.reactor.deadlines.next() is None


@given(st.lists(st.integers(0, len(HEADER) + 12), max_size=5))
def test_it_does_not_matter_how_it_is_cut(cuts):
    whole, loop = HEADER + b"GET / HTTP/1.1", SimulatedLoop()
    one = Way(loop)
    places = [0, *sorted(cuts), len(whole)]
    for start, end in pairwise(places):
        if one.begun is None:
            one.send(whole[start:end])
            assert one.begun is not None or loop.watches(one.opening.sock.fileno()) == READ
        else:
            one.client.sendall(whole[start:end])
    assert one.begun[1] == CLIENT
    assert one.left() == b"GET / HTTP/1.1"
    one.close()
    loop.close()


def test_an_unfinished_header_is_taken_so_that_the_loop_sleeps(way):
    one = way(sent=HEADER[:20])
    with pytest.raises(BlockingIOError):
        one.opening.sock.recv(1)


def test_events_from_before_do_no_harm(way):
    one = way(sent=HEADER)
    one.opening.ready(READ)
    one.opening.expired(one.loop.clock())
    one.opening.abort()
    assert one.failed == []


@pytest.mark.parametrize(
    ("sent", "trusted", "why"),
    [
        (b"GET / HTTP/1.1\r\n", True, "does not begin with a PROXY header"),
        (b"PROXY TCP4 nonsense\r\n", True, "malformed"),
        (HEADER, False, "none of trusted_proxies"),
        (b"", False, "none of trusted_proxies"),
    ],
)
def test_what_is_refused_is_cut_with_its_reason(way, sent, trusted, why):
    one = way(sent=sent, trusted=trusted)
    ((error,), lost) = one.failed, one.terms.lost
    assert isinstance(error, OpeningError)
    assert error.reason == "proxy_header"
    assert why in str(error)
    assert (one.begun, one.opening.sock.fileno(), one.terms.open, lost) == (None, -1, {}, 1)


def test_who_closes_without_a_byte_is_no_offender(way):
    one = way()
    one.client.close()
    one.opening.ready(READ)
    assert isinstance(one.failed[0], SilentlyGone)


def test_who_closes_inside_its_header_is_one(way):
    one = way(sent=HEADER[:9])
    one.client.close()
    one.opening.ready(READ)
    assert "ended inside" in str(one.failed[0])


def test_the_deadline_is_absolute(way):
    one = way(seconds=10.0)
    for byte in HEADER[:9]:
        one.loop.run_for(1.0)
        one.send(bytes([byte]))
    assert not one.failed
    one.loop.run_for(1.1)
    assert isinstance(one.failed[0], TimeoutError)
    assert one.opening.sock.fileno() == -1


def test_a_drain_shortens_the_deadline_of_who_has_not_come_so_far(way):
    one = way(sent=HEADER[:9])
    one.opening.drain(2.0)
    one.loop.run_for(2.1)
    assert isinstance(one.failed[0], TimeoutError)


def test_a_drain_goes_on_with_the_protocol(way):
    one = way(sent=HEADER[:9])
    one.opening.get_protocol().drain(2.0)
    one.send(HEADER[9:])
    assert one.graces == [2.0]


def test_a_defect_costs_one_connection(way, caplog):
    def broken(opening):
        yield READ
        raise ZeroDivisionError

    one = way()
    one.opening._running = broken(one.opening)
    one.opening.ready(READ)
    one.opening.ready(READ)
    assert isinstance(one.failed[0], ZeroDivisionError)
    assert one.terms.lost == 1
    assert "its connection is cut" in caplog.text


def test_who_has_waited_gives_way_and_who_is_new_does_not(way):
    one = way(seconds=10.0)
    assert not one.opening.give_way(9.1, 0.1, "evicted"), "a handshake takes round trips"
    assert one.opening.give_way(8.9, 0.1, "evicted")
    assert one.failed[0].reason == "evicted"


def test_the_client_is_counted_and_not_its_proxy(way):
    asked, gone = [], []
    one = way()
    one.terms.admit = lambda peer, now: asked.append(peer) or len(asked) < 2
    one.terms.left = gone.append
    one.send(HEADER)
    assert one.begun[1] == CLIENT
    other = way()
    other.terms.admit, other.terms.left = one.terms.admit, one.terms.left
    other.send(HEADER)
    assert other.failed[0].reason == "address_limit"
    assert (asked, gone) == ([CLIENT, CLIENT], [PROXY])
