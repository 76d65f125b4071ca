"""What becomes of orders: the fork server's part is played by the test, at the other end of the channel."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from hybridd.config.settings import Config
from hybridd.master import events, preloading
from hybridd.master.children import TICKETS, Kill, Quit, Spawn, Why
from hybridd.master.desired import Desired
from hybridd.master.fork_servers import ForkServers
from hybridd.master.processes import Reaped
from hybridd.master.tickets import ForkServer
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.births import Born, Failed, Loaded, Order, Reopen, Unborn, decode, encode, make_channel

ITS_PID = TICKETS + 1000  # nobody's: a signal to it goes nowhere
WORKER = TICKETS + 2000


class Reactor:
    """Does at once what would be done at the end of the turn."""

    now = 100.0

    def call_soon(self, fn, *args):
        fn(*args)

    def call_later(self, seconds, fn):
        del seconds, fn

    def unregister(self, fd):
        del fd


class Play:
    """A fork server of generation 1 that has been started."""

    def __init__(self) -> None:
        self.board = Scoreboard.create(words.LAYOUT, rows=8)
        self.servers = ForkServers(SimpleNamespace(reactor=Reactor(), scoreboard=self.board, close_in_child=[]))
        self.told: list[object] = []
        self.servers.tell = self.told.append
        self.servers.follow(Desired(4, generation=1))
        self.ours, self.its = make_channel()
        self.its.setblocking(False)
        self.server = ForkServer(1, ITS_PID, self.ours, Config(preload=True), Reactor.now, original=True)
        self.servers._servers.append(self.server)

    def order(self, slot: int) -> int:
        self.board.claim(slot)
        return self.servers.order(Spawn(slot, 1), Config(preload=True), 0.0)

    def says(self, *messages: object) -> None:
        for message in messages:
            self.its.send(encode(message))
        self.servers.listen(self.server)

    def hears(self) -> list[object]:
        heard = []
        while True:
            try:
                heard.append(decode(self.its.recv(10_000)))
            except BlockingIOError:
                return heard

    def ends(self, status: int = -9) -> list[Reaped]:
        self.its.close()
        return self.servers.sort([Reaped(ITS_PID, status, 0.5, 7)], ())


@pytest.fixture
def play():
    found = Play()
    yield found
    found.ours.close()
    found.its.close()


def test_it_is_told_one_thing_at_a_time_and_nothing_before_it_is_ready(play):
    first, second = play.order(0), play.order(1)
    assert play.hears() == []
    play.says(Loaded(0.2))
    assert play.hears() == [Order(first, 0, 0.0)]
    play.servers.reopen_logs()
    play.says(Born(first, WORKER))
    assert play.hears() == [Reopen(), Order(second, 1, 0.0)]
    assert play.told == [preloading.Preloaded(1, ITS_PID, 0.2, original=True), preloading.Born(first, WORKER)]


def test_a_worker_that_waits_can_be_taken_back_and_is_reaped_with_the_signal(play):
    first, second = play.order(0), play.order(1)
    play.servers.take_back(Kill(second, Why.STOP))
    assert play.servers.sort([], ()) == [Reaped(second, -signal.SIGKILL, 0.0, 0)]
    play.servers.take_back(Kill(second, Why.STOP))  # its end is on its way: nothing
    play.says(Loaded(0.2), Born(first, WORKER))
    assert play.hears() == [Order(first, 0, 0.0)]


def test_a_worker_that_is_being_made_is_ended_when_it_is_born(play):
    first = play.order(0)
    play.says(Loaded(0.2))
    play.servers.take_back(Quit(first, Why.STOP))
    assert play.servers.sort([], ()) == []
    play.says(Born(first, WORKER))
    assert play.told[-1] == preloading.Born(first, WORKER)


def test_a_worker_that_died_before_anybody_heard_of_it_is_not_lost(play):
    first = play.order(0)
    play.says(Loaded(0.2))
    play.servers.tell = lambda _: None
    play.servers._deliver = lambda _: None  # that would come in the next turn
    play.its.send(encode(Born(first, WORKER)))
    assert play.servers.sort([Reaped(WORKER, 1, 0.1, 5)], (first,)) == [Reaped(first, 1, 0.1, 5)]


def test_strangers_are_passed_over_and_known_ones_are_not(play):
    known, stranger = Reaped(77, 0, 0.1, 5), Reaped(78, 0, 0.1, 5)
    assert play.servers.sort([known, stranger], (77,)) == [known]


def test_a_fork_that_the_system_refuses_is_told(play):
    first = play.order(3)
    play.says(Loaded(0.2), Unborn(first, "EAGAIN"))
    assert play.told[-1] == events.SpawnFailed(3, 1, "EAGAIN", first)
    assert not play.board.read().rows


def test_with_it_end_the_workers_that_it_has_not_made(play):
    first, second = play.order(0), play.order(1)
    play.says(Loaded(0.2), Born(first, WORKER))
    assert play.ends() == [Reaped(second, -9, 0.5, 7)]
    assert play.told[-1] == preloading.ForkServerLost(1, ITS_PID, -9)
    assert play.servers.pids == []


def test_why_the_application_cannot_be_loaded_is_left_where_certificates_look(play):
    first = play.order(2)
    play.says(Failed("cannot load: ZeroDivisionError"))
    assert play.ends(70) == [Reaped(first, 70, 0.5, 7)]
    assert words.read_boot_error(play.board.row(2)) == "cannot load: ZeroDivisionError"
    assert play.told == []  # the worker's death says it


def test_one_that_nobody_needs_is_ended_without_a_word(play):
    play.says(Loaded(0.2))
    play.servers.follow(Desired(4, generation=2))
    assert play.ends() == []
    assert play.told == [preloading.Preloaded(1, ITS_PID, 0.2, original=True)]
