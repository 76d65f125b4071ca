"""When connections are taken and when not: a played listener, a loop in simulated time."""

from __future__ import annotations

import errno
import os
from collections import deque
from itertools import count
from typing import Any

import pytest

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CLOSE_REASON_INDEX, CloseReason
from hybridd.net.reactor import READ
from hybridd.net.terms import Terms
from hybridd.worker.accepting import Acceptor
from tests.support.simulated_loop import SimulatedLoop

LISTENER = 90
LIMIT = 20

GONE = ConnectionAbortedError(errno.ECONNABORTED, "Software caused connection abort")


class PlayedSocket:
    """A connection that says nothing, or one thing at once."""

    numbers = count(100)

    def __init__(self) -> None:
        self.fd = next(self.numbers)
        self.closed = False
        self.says = b""

    def recv(self, _: int) -> bytes:
        if not self.says:
            raise BlockingIOError
        said, self.says = self.says, b""
        return said

    def fileno(self) -> int:
        return self.fd

    def setsockopt(self, *_: object) -> None:
        pass

    def close(self) -> None:
        self.closed = True


class PlayedListener:
    """Somebody waits as long as ``waiting`` has something: a socket, or the error that accept(2) gives."""

    address = "127.0.0.1:8080"

    def __init__(self) -> None:
        self.waiting: deque[PlayedSocket | OSError] = deque()
        self.asked = 0

    def fileno(self) -> int:
        return LISTENER

    def is_awaited(self) -> bool:
        return bool(self.waiting)

    def accept(self) -> tuple[Any, Any]:
        self.asked += 1
        if not self.waiting:
            raise BlockingIOError
        answer = self.waiting.popleft()
        if isinstance(answer, OSError):
            raise answer
        return answer, ("192.0.2.9", 1)


class PlayedGate:
    """Says what the test wants."""

    def __init__(self) -> None:
        self.free = True
        self.slots = 1000
        self.answers: deque[bool] = deque()

    def capacity(self, expected: int) -> bool:
        return self.free and expected < self.slots

    has_room = capacity

    def defers(self, now: float) -> bool:
        assert now
        return self.answers.popleft() if self.answers else False


class PlayedProtocol:
    """Notes its connection."""

    def connection_made(self, transport: object) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        pass

    def connection_lost(self, _: object) -> None:
        pass


@pytest.fixture
def terms(loop):
    return Terms(loop.reactor, 30.0)


@pytest.fixture
def listener():
    return PlayedListener()


@pytest.fixture
def gate():
    return PlayedGate()


@pytest.fixture
def acceptor(listener, terms, gate):
    return Acceptor(listener, terms, LIMIT, PlayedProtocol, gate)


def arrive(listener: PlayedListener, number: int) -> list[PlayedSocket]:
    sockets = [PlayedSocket() for _ in range(number)]
    listener.waiting.extend(sockets)
    return sockets


def see(loop: SimulatedLoop) -> None:
    """Let the selector report the listener."""
    loop.selector.announce((LISTENER, READ))
    loop.turn()


def test_it_watches_the_listener_while_armed(loop, acceptor, terms):
    assert not loop.watches(LISTENER)
    acceptor.arm()
    acceptor.arm()
    assert (acceptor.armed, loop.watches(LISTENER), terms.armed) == (True, READ, 1)
    acceptor.disarm()
    acceptor.disarm()
    assert (acceptor.armed, loop.watches(LISTENER), terms.armed) == (False, 0, 0)


def test_each_connection_gets_a_transport_and_a_protocol_of_its_own(loop, acceptor, listener, terms):
    acceptor.arm()
    arrive(listener, 3)
    see(loop)
    assert acceptor.accepted == len(terms.open) == 3
    assert len({transport.get_protocol() for transport in terms.open}) == 3
    assert {transport.get_extra_info("peername") for transport in terms.open} == {("192.0.2.9", 1)}


def test_a_storm_of_connections_does_not_keep_the_loop(loop, acceptor, listener, terms):
    acceptor.arm()
    arrive(listener, 18)
    see(loop)
    assert len(terms.open) == 16
    see(loop)
    assert len(terms.open) == 18


def test_who_was_just_taken_may_need_a_handler_each(loop, acceptor, listener, gate):
    """They are no load yet: the rest is for others, or for a later turn."""
    acceptor.arm()
    gate.slots = 2
    arrive(listener, 5)
    taken = []
    for _ in range(4):
        see(loop)
        taken.append(acceptor.accepted)
        acceptor.turned()
    assert taken == [2, 2, 4, 4]


def test_who_has_asked_at_once_is_load_when_the_turn_ends(loop, acceptor, listener, gate):
    acceptor.arm()
    gate.slots = 2
    for sock in arrive(listener, 3):
        sock.says = b"GET / HTTP/1.1\r\n"
    see(loop)
    assert acceptor.accepted == 2
    acceptor.turned()
    see(loop)
    assert acceptor.accepted == 3


def test_it_stops_at_the_limit_and_goes_on_below_it(loop, acceptor, listener, terms):
    acceptor.arm()
    arrive(listener, LIMIT + 1)
    see(loop)
    see(loop)
    assert (len(terms.open), acceptor.armed) == (LIMIT, False)
    assert listener.asked == LIMIT, "a connection beyond the limit must stay in the backlog"
    next(iter(terms.open)).abort()
    acceptor.review()
    assert acceptor.armed
    see(loop)
    assert (len(terms.open), acceptor.accepted) == (LIMIT, LIMIT + 1)


def test_an_event_from_before_it_was_disarmed_takes_nobody(loop, acceptor, listener):
    acceptor.arm()
    arrive(listener, 1)
    loop.selector.announce((LISTENER, READ))
    loop.reactor.post(acceptor.disarm)
    loop.reactor.turn()
    acceptor.ready(READ)
    assert (acceptor.accepted, len(listener.waiting)) == (0, 1)


# -- the gate


def test_with_no_handler_free_it_does_not_watch(loop, acceptor, gate):
    acceptor.arm()
    gate.free = False
    acceptor.review()
    assert not loop.watches(LISTENER)
    gate.free = True
    acceptor.review()
    assert loop.watches(LISTENER)


def test_with_no_handler_free_one_connection_at_a_time_is_admitted(loop, acceptor, listener, gate):
    acceptor.arm()
    gate.free = False
    acceptor.review()
    arrive(listener, 5)
    acceptor.admit_one()
    assert acceptor.accepted == 1
    gate.free = True
    acceptor.review()
    acceptor.admit_one()
    assert acceptor.accepted == 1, "who watches the listener needs no admission"


def test_one_that_is_disarmed_admits_nobody(acceptor, listener):
    arrive(listener, 1)
    acceptor.admit_one()
    acceptor.arm()
    acceptor.disarm()
    acceptor.admit_one()
    assert acceptor.accepted == 0


def test_nobody_is_admitted_beyond_the_limit(acceptor, listener, terms, gate):
    acceptor.arm()
    arrive(listener, LIMIT + 5)
    acceptor.accept(LIMIT)
    acceptor.admit_one()
    assert len(terms.open) == LIMIT


def test_what_another_worker_should_take_is_left(loop, acceptor, listener, gate, monkeypatch):
    yields = []
    monkeypatch.setattr(os, "sched_yield", lambda: yields.append(True))
    acceptor.arm()
    arrive(listener, 3)
    gate.answers.extend([False, True])
    see(loop)
    assert (acceptor.accepted, len(listener.waiting), yields) == (1, 2, [True])
    assert acceptor.armed, "it looks again when its loop comes round"


def test_without_a_gate_it_takes_what_comes(loop, listener, terms):
    acceptor = Acceptor(listener, terms, LIMIT, PlayedProtocol)
    acceptor.arm()
    arrive(listener, 3)
    see(loop)
    assert acceptor.accepted == 3


# -- what goes wrong


@pytest.mark.parametrize("error", [GONE, OSError(errno.EPROTO, "x"), OSError(errno.ENETDOWN, "x"), InterruptedError()])
def test_a_client_that_is_gone_already_is_passed_over(loop, acceptor, listener, terms, error):
    acceptor.arm()
    arrive(listener, 1)
    listener.waiting.appendleft(error)
    see(loop)
    see(loop)
    assert len(terms.open) == 1
    assert acceptor.armed


@pytest.mark.parametrize(
    "pause", [(errno.EMFILE, 0.02), (errno.ENFILE, 0.02), (errno.ENOBUFS, 1.0), (errno.ENOMEM, 1.0)]
)
def test_a_system_without_descriptors_or_memory_gets_a_pause(loop, acceptor, listener, caplog, pause):
    number, seconds = pause
    acceptor.arm()
    arrive(listener, 1)
    listener.waiting.appendleft(OSError(number, "too much"))
    see(loop)
    assert (acceptor.armed, loop.watches(LISTENER), listener.asked) == (False, 0, 1)
    assert "cannot accept on 127.0.0.1:8080 for now: too much" in caplog.text
    acceptor.review()
    assert not acceptor.armed, "connections that end do not mend it"
    loop.run_for(seconds * 0.9)
    assert not acceptor.armed
    loop.run_for(seconds * 0.2)
    assert acceptor.armed
    see(loop)
    assert acceptor.accepted == 1


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.EPERM])
def test_a_listener_that_cannot_work_does_not_spin_the_loop(loop, acceptor, listener, caplog, number):
    """EINVAL: somebody who shares it has shut it down.  The selector reports that for ever."""
    acceptor.arm()
    listener.waiting.extend(OSError(number, "cannot") for _ in range(100))
    see(loop)
    assert listener.asked == 1
    assert not loop.watches(LISTENER)
    assert len(caplog.records) == 1


def test_disarming_during_the_pause_holds(loop, acceptor, listener):
    acceptor.arm()
    arrive(listener, 1)
    listener.waiting.appendleft(OSError(errno.EMFILE, "too many"))
    see(loop)
    acceptor.disarm()
    loop.run_for(2)
    assert not acceptor.armed


def test_arming_during_the_pause_ends_it(loop, acceptor, listener):
    acceptor.arm()
    arrive(listener, 1)
    listener.waiting.appendleft(OSError(errno.EMFILE, "too many"))
    see(loop)
    acceptor.arm()
    assert acceptor.armed
    loop.run_for(2)
    assert acceptor.armed


def test_a_connection_may_be_taken_elsewhere(loop, listener, terms):
    taken = []
    acceptor = Acceptor(listener, terms, LIMIT, take=lambda sock, peer: taken.append(sock))
    acceptor.arm()
    arrived = arrive(listener, 2)
    see(loop)
    assert taken == arrived
    assert (acceptor.accepted, len(terms.open)) == (2, 0)


def test_who_cannot_be_taken_is_cut_and_nobody_is_accepted_for_a_while(loop, listener, terms, caplog):
    def take(sock, peer):
        raise OSError(errno.EAGAIN, "no thread can be started")

    acceptor = Acceptor(listener, terms, LIMIT, take=take)
    acceptor.arm()
    first, second = arrive(listener, 2)
    see(loop)
    assert (first.closed, second.closed) == (True, False)
    assert not acceptor.armed
    assert terms.lost == 1
    assert "cannot accept on" in caplog.text
    assert "no thread can be started" in caplog.text


def test_a_protocol_that_cannot_be_made_costs_its_connection_only(loop, listener, terms, caplog):
    made = []

    def make_protocol() -> PlayedProtocol:
        if not made:
            made.append("failed")
            raise LookupError("no database today")
        return PlayedProtocol()

    told = []
    terms.lost_one = told.append
    acceptor = Acceptor(listener, terms, LIMIT, make_protocol)
    acceptor.arm()
    first, second = arrive(listener, 2)
    see(loop)
    see(loop)
    assert first.closed
    assert not second.closed
    assert len(terms.open) == 1
    assert (acceptor.accepted, terms.lost, len(told)) == (2, 1, 1)
    assert "no database today" in caplog.text


def test_the_last_connections_of_a_drain_are_taken_though_nothing_is_watched(acceptor, listener):
    arrive(listener, 5)
    assert acceptor.accept(1024) == 5
    assert not acceptor.armed


class PlayedReserve:
    """Takes one in place of another, or turns away who waits."""

    def __init__(self) -> None:
        self.asked = 0

    def accept(self, listener: PlayedListener) -> tuple[Any, Any]:
        return listener.accept()

    def refill(self) -> None:
        pass

    def turn_away(self, listener: PlayedListener, most: int) -> int:
        self.asked += 1
        waiting = len(listener.waiting)
        listener.waiting.clear()
        return min(waiting, most)


class Idler(PlayedProtocol):
    """Waits for nothing, and gives way when it is asked, unless it is ``busy``."""

    busy = False
    why = ""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_deadline(75.0)

    def give_way(self, left: float, undisturbed: float, reason: str) -> bool:
        if self.busy or 75.0 - left < undisturbed:
            return False
        self.why = reason
        self.transport.close()
        return True


class Crowded:
    """A worker with 64 places, two of which it keeps free as long as somebody can go."""

    def __init__(self, loop: SimulatedLoop, terms: Terms, limit: int = 64) -> None:
        self.loop, self.terms = loop, terms
        self.listener = PlayedListener()
        self.reserve = PlayedReserve()
        self.acceptor = Acceptor(self.listener, terms, limit, Idler, reserve=self.reserve)
        self.acceptor.arm()

    def come(self, number: int) -> list[Any]:
        before = set(self.terms.open)
        arrive(self.listener, number)
        while self.listener.waiting and self.acceptor.armed:
            see(self.loop)
            self.acceptor.turned()
        return [one for one in self.terms.open if one not in before]


@pytest.fixture
def crowded(loop, terms):
    return Crowded(loop, terms)


def test_near_the_limit_those_go_who_have_waited_longest(crowded):
    oldest = crowded.come(10)
    crowded.loop.run_for(1.0)
    crowded.come(52)
    assert len(crowded.terms.open) == 62
    crowded.loop.run_for(5.0)
    crowded.come(10)
    assert len(crowded.terms.open) == 62
    assert not set(oldest) & set(crowded.terms.open)
    assert crowded.acceptor.armed


def test_nobody_goes_who_has_just_come_and_the_rest_waits_in_the_backlog(crowded):
    crowded.come(70)
    assert len(crowded.terms.open) == 64
    assert len(crowded.listener.waiting) == 6
    assert not crowded.acceptor.armed
    crowded.loop.run_for(2.0)
    crowded.acceptor.turned()
    assert len(crowded.terms.open) == 62, "room is made also when nobody was taken"
    crowded.come(0)
    assert len(crowded.terms.open) == 62
    assert not crowded.listener.waiting


def test_who_is_about_to_leave_is_no_reason_for_others_to_go(crowded):
    crowded.come(62)
    crowded.loop.run_for(5.0)
    crowded.terms.leaving = 2
    crowded.come(2)
    assert len(crowded.terms.open) == 64


def test_a_small_worker_closes_nobody_for_others(loop, terms, listener):
    acceptor = Acceptor(listener, terms, LIMIT, Idler)
    acceptor.arm()
    arrive(listener, LIMIT)
    see(loop)
    loop.run_for(10)
    see(loop)
    assert len(terms.open) == LIMIT


NO_DESCRIPTOR = OSError(errno.EMFILE, "too many")


def test_who_still_waits_when_others_had_a_second_is_turned_away(loop, listener, terms):
    counts, reserve = HttpCounts(), PlayedReserve()
    acceptor = Acceptor(listener, terms, LIMIT, PlayedProtocol, counts=counts, reserve=reserve)
    acceptor.arm()
    arrive(listener, 5)

    def come_again(seconds: float) -> None:
        loop.run_for(seconds)
        listener.waiting.appendleft(NO_DESCRIPTOR)
        see(loop)

    come_again(0.0)
    come_again(0.1)
    assert not reserve.asked, "another worker may have one left"
    come_again(1.0)
    assert reserve.asked == 1
    assert counts.closed[CLOSE_REASON_INDEX[CloseReason.NO_DESCRIPTORS]] == 5
    assert (acceptor.accepted, terms.lost, acceptor.armed) == (5, 5, False)
    arrive(listener, 1)
    come_again(0.1)
    assert reserve.asked == 1, "who has come since has a second too"
    loop.run_for(1.0)
    see(loop)
    assert len(terms.open) == 1
    arrive(listener, 1)
    come_again(5.0)
    assert reserve.asked == 1, "a good accept lay between"


def test_where_nobody_waits_nothing_is_missing(crowded, caplog):
    """accept(2) says EMFILE before it looks whether somebody waits."""
    (idle,) = crowded.come(1)
    crowded.loop.run_for(2)
    crowded.listener.waiting.append(NO_DESCRIPTOR)
    see(crowded.loop)
    assert list(crowded.terms.open) == [idle]
    assert crowded.acceptor.armed
    assert not caplog.records


def short(crowded: Crowded, number: int) -> list[Any]:
    """Let so many come, each of whom finds no descriptor."""
    came = []
    for _ in range(number):
        crowded.listener.waiting.append(NO_DESCRIPTOR)
        came += crowded.come(1)
    return came


def test_an_idle_connection_gives_its_descriptor_to_a_new_one_at_once(crowded):
    (idle,) = crowded.come(1)
    protocol = idle.get_protocol()
    crowded.loop.run_for(2)
    arrive(crowded.listener, 1)
    crowded.listener.waiting.appendleft(NO_DESCRIPTOR)
    see(crowded.loop)
    assert idle not in crowded.terms.open
    assert protocol.why == "evicted_no_descriptors", "and not for limits.connections"
    assert len(crowded.terms.open) == 1
    assert crowded.acceptor.armed


def test_without_descriptors_those_go_who_have_waited_longest(crowded):
    oldest = crowded.come(3)
    crowded.loop.run_for(1.5)
    younger = crowded.come(3)
    crowded.loop.run_for(0.5)
    short(crowded, 3)
    assert not set(oldest) & set(crowded.terms.open)
    short(crowded, 2)
    assert len(set(younger) & set(crowded.terms.open)) == 1, "nobody has waited for a second: those who came first"
    assert len(crowded.terms.open) == 6


def test_without_descriptors_who_has_just_come_is_left_alone(crowded):
    came = crowded.come(3)
    arrive(crowded.listener, 1)
    crowded.listener.waiting.appendleft(NO_DESCRIPTOR)
    see(crowded.loop)
    assert set(came) == set(crowded.terms.open)
    assert not crowded.acceptor.armed
    crowded.loop.run_for(0.15)
    crowded.listener.waiting.appendleft(NO_DESCRIPTOR)
    see(crowded.loop)
    assert len(set(came) & set(crowded.terms.open)) == 2


def test_many_who_cannot_go_hide_nobody_who_can(loop, terms):
    """A walk that has not come to its end is no failure, and no reason to pause."""
    crowded = Crowded(loop, terms, limit=2000)
    for busy in crowded.come(600):
        busy.get_protocol().busy = True
    crowded.loop.run_for(1.5)
    (idle,) = crowded.come(1)
    crowded.loop.run_for(1.5)
    begun = loop.clock.now
    for _ in range(3):  # 256 of them in each turn
        arrive(crowded.listener, 1)
        crowded.listener.waiting.appendleft(NO_DESCRIPTOR)
        see(loop)
        if crowded.listener.waiting:
            crowded.listener.waiting.clear()
    assert idle not in crowded.terms.open
    assert crowded.acceptor.armed
    assert loop.clock.now == begun


def test_when_nobody_can_go_the_question_rests(loop, terms):
    crowded = Crowded(loop, terms, limit=20_000)
    crowd = crowded.acceptor._crowd
    for busy in crowded.come(1000):
        busy.get_protocol().busy = True
    crowded.loop.run_for(2)
    while not crowd.free_descriptor() and crowd.asking:
        pass
    crowded.come(1)
    crowded.loop.run_for(0.01)
    assert not crowd.free_descriptor(), "2000 looks in vain: 100 ms"
    assert not crowd.asking
