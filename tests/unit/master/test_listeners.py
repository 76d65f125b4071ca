"""Which listeners a reload keeps, adds and gives up; the sockets are played."""

from __future__ import annotations

import socket

import pytest

from hybridd.config.address import parse_address
from hybridd.errors import BindError
from hybridd.master.listeners import Listeners, split
from hybridd.worker import leaving_words


class PlayedSocket:
    family = socket.AF_INET

    def setsockopt(self, *_):
        raise OSError("no filter here")

    def shutdown(self, _):
        pass


class PlayedListener:
    """A listener without a socket."""

    def __init__(self, name: str, *, owned: bool = True):
        self.name = self.address = name
        self.owned = owned
        self.number = 0
        self.closed = False
        self.sock = PlayedSocket()

    def fileno(self):
        return -1 if self.closed else 7

    def close(self):
        self.closed = True


A, B, C = "127.0.0.1:1", "127.0.0.1:2", "unix:/c"


def addresses(*names: str):
    return [parse_address(name) for name in names]


def bind(missing):
    return [PlayedListener(str(address)) for address in missing]


def started(*names: str) -> Listeners:
    return Listeners([PlayedListener(name) for name in names])


def names(listeners) -> list[str]:
    return [listener.name for listener in listeners]


def test_what_both_have_is_the_same_socket():
    listeners = started(A, B)
    listeners.prepare(2, addresses(B, C), bind)
    assert listeners.of(2)[0] is listeners.of(1)[1]
    assert names(listeners.of(2)) == [B, C]
    assert names(listeners.current) == [A, B]
    assert names(listeners.open) == [A, B, C]


def test_an_address_that_cannot_be_had_changes_nothing():
    def fail(_):
        raise BindError("in use")

    listeners = started(A)
    with pytest.raises(BindError):
        listeners.prepare(2, addresses(A, B), fail)
    assert names(listeners.open) == [A]
    with pytest.raises(BindError, match="only be taken over when hybridd starts"):
        listeners.prepare(2, addresses(A, "systemd:web"), bind)


def test_a_name_may_stand_for_several_sockets_and_port_0_be_wanted_twice():
    both = [PlayedListener("localhost:80"), PlayedListener("localhost:80")]
    assert split(both, addresses("localhost:80")) == (both, [])
    zeros = [PlayedListener("127.0.0.1:0"), PlayedListener("127.0.0.1:0")]
    assert split(zeros, addresses("127.0.0.1:0", "127.0.0.1:0")) == (zeros, [])
    assert split(zeros[:1], addresses("127.0.0.1:0", "127.0.0.1:0")) == (zeros[:1], addresses("127.0.0.1:0"))


def test_those_that_a_generation_does_without_are_told_by_their_numbers():
    listeners = started(A, B)
    listeners.prepare(2, addresses(B, C), bind)
    a, b, c = listeners.open
    assert len({a.number, b.number, c.number}) == 3
    assert listeners.leaving(2) == {a.number}
    assert listeners.leaving(1) == {c.number}


def test_they_end_when_linger_is_over():
    listeners = started(A, B)
    listeners.prepare(2, addresses(B), bind)
    a, b = listeners.open
    assert listeners.settle(2, 10.0)
    assert names(listeners.current) == [B]
    assert listeners.parting
    assert listeners.leaving(2) == {a.number}  # until their last worker has drained
    listeners.take_leave(10.1, linger=0.3)
    assert not a.closed
    listeners.take_leave(10.3, linger=0.3)
    assert a.closed
    assert not b.closed
    assert not listeners.parting
    assert listeners.leaving(2) == set()


def test_a_generation_that_is_given_up_takes_its_own_with_it():
    listeners = started(A)
    listeners.prepare(2, addresses(A, B), bind)
    b = listeners.of(2)[1]
    assert listeners.settle(1, 10.0)
    listeners.take_leave(20.0, linger=0.3)
    assert b.closed
    assert not listeners.settle(1, 30.0)


def test_numbers_are_used_again():
    listeners = started(A)
    for generation in range(2, 200):
        listeners.prepare(generation, addresses(A, f"127.0.0.1:{1000 + generation}"), bind)
        listeners.settle(generation, 0.0)
        listeners.take_leave(1.0, linger=0.3)
    assert max(one.number for one in listeners.open) < 4


def test_no_two_share_a_number():
    ports = range(1, leaving_words.MOST + 1)
    listeners = started(*(f"127.0.0.1:{port}" for port in ports))
    assert {one.number for one in listeners.open} == set(ports)


def test_more_than_there_are_numbers_for_are_refused():
    with pytest.raises(BindError, match="cannot listen on 1024 further addresses: expected at most 1023 listeners"):
        started(*(f"127.0.0.1:{port}" for port in range(1, leaving_words.MOST + 2)))


def test_a_reload_to_more_than_there_are_numbers_for_changes_nothing():
    made = []

    def note(missing):
        made.extend(bind(missing))
        return made

    listeners = started(A)
    with pytest.raises(BindError, match=r"and there are 1$"):
        listeners.prepare(2, addresses(*(f"127.0.0.1:{port}" for port in range(2, leaving_words.MOST + 2))), note)
    assert made
    assert all(one.closed for one in made)
    assert names(listeners.open) == [A]
