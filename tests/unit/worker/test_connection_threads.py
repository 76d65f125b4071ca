"""Connections in threads of their own, as the worker's loop has them: sums, caps, ends, handlers over their time."""

from __future__ import annotations

import socket
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybridd.config.settings import Config, Timeouts
from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CloseReason
from hybridd.http.request import Request
from hybridd.net.terms import Terms
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import connection_threads as module
from hybridd.worker import words
from hybridd.worker.call import CallState
from hybridd.worker.connection_threads import ConnectionThreads
from tests.support.simulated_loop import START


class PlayedThreads:
    """Threads that run nothing until they are told to end."""

    free = True

    def __init__(self, size, post):
        del post
        self.size = size
        self.refuse = False
        self.waiting = []
        PlayedThreads.last = self

    def submit(self, job, done):
        if self.refuse:
            raise RuntimeError("can't start new thread")
        self.waiting.append((job, done))

    def end_first(self):
        job, done = self.waiting.pop(0)
        done(job())

    def grow(self):
        pass


class PlayedLoop:
    """A private loop: what was posted to it, and the Call that it runs."""

    def __init__(self):
        self.counts = HttpCounts()
        self.terms = SimpleNamespace(received=0, sent=0, lost=0, open={})
        self.posted = []
        self.reactor = SimpleNamespace(post=lambda fn, *args: self.posted.append((fn, args)), now=START)
        self.desk = SimpleNamespace(running=())
        self.fails = False
        self.was_cut = False

    def serve(self, *connection):
        del connection
        if self.fails:
            raise LookupError("a defect")
        self.counts.count_closed(CloseReason.DONE)
        self.terms.lost += 1

    def drain(self, *_):
        raise AssertionError("in its own thread only")

    def cut(self):
        self.was_cut = True


class PlayedSocket:
    """Notes what is done to it."""

    def __init__(self):
        self.done = []

    def shutdown(self, how):
        self.done.append(how)


@pytest.fixture
def made():
    return []


@pytest.fixture
def threads(loop, made, monkeypatch):
    monkeypatch.setattr(module, "NewThreads", PlayedThreads)
    terms = Terms(loop.reactor, 30.0)
    config = replace(Config(), timeouts=replace(Timeouts(), handler=5.0))
    row = Scoreboard.create(words.LAYOUT, 1).claim(0)

    def make():
        made.append(PlayedLoop())
        return made[-1]

    work = ConnectionThreads(config, terms, HttpCounts(), row, make, door=HttpCounts(), pooled=False)
    work.row = row
    return work


def take(threads):
    sock = PlayedSocket()
    threads.take(0, sock, ("10.0.0.1", 4711))
    return sock


class PlayedCall:
    """A Call whose handler runs."""

    state = CallState.RUNNING

    def __init__(self, path, started):
        self.request = Request("GET", path.encode(), (1, 1), {})
        self.request.path = path
        self.started = started
        self.cell = -1


def test_an_open_connection_counts_until_its_thread_has_ended(threads):
    take(threads)
    assert len(threads._terms.open) == 1
    assert not threads.idle
    PlayedThreads.last.end_first()
    assert threads.idle


def test_loops_are_kept_for_the_next_connection(threads, made):
    take(threads)
    take(threads)
    PlayedThreads.last.end_first()
    take(threads)
    assert len(made) == 2


def test_a_loop_that_failed_is_not_used_again_and_its_counts_stay(threads, made, caplog):
    take(threads)
    made[0].fails = True
    made[0].counts.count_closed(CloseReason.DONE)
    PlayedThreads.last.end_first()
    take(threads)
    assert len(made) == 2
    assert made[0].was_cut
    threads.collect()
    assert sum(threads._counts.closed) == 1
    assert "a connection's loop failed" in caplog.text


def test_without_a_thread_the_connection_is_nobodys(threads, made):
    take(threads)
    PlayedThreads.last.refuse = True
    with pytest.raises(OSError, match="no thread can be started"):
        take(threads)
    assert len(threads._terms.open) == 1
    PlayedThreads.last.refuse = False
    take(threads)
    assert len(made) == 2, "the loop that was made for it is used"


def test_what_all_have_counted_is_summed_up_but_not_with_every_turn(threads, loop, made):
    take(threads)
    take(threads)
    made[0].terms.received, made[1].terms.received = 3, 4
    threads.collect()
    assert threads._terms.received == 7
    made[0].terms.received = 5
    threads.collect()
    assert threads._terms.received == 7
    loop.run_for(0.2)
    threads.collect()
    assert threads._terms.received == 9
    for _ in range(2):
        PlayedThreads.last.end_first()
    threads.collect()
    assert (threads._terms.lost, sum(threads._counts.closed)) == (2, 2), "at once when nobody is left"


def test_goodbyes_are_said_in_the_threads_of_the_connections(threads, made):
    take(threads)
    (hosted,) = threads._terms.open
    hosted.get_protocol().drain(1.5)
    hosted.abort()
    assert made[0].posted == [(made[0].drain, (1.5,)), (made[0].cut, ())]


def test_who_runs_for_long_is_named_and_forgotten_again(threads, made):
    take(threads)
    made[0].desk.running = (PlayedCall("/slow", START - 1.0),)
    threads.grow()
    assert [call.path for call in words.read_calls(threads.row)] == ["/slow"]
    assert threads.oldest == START - 1.0
    made[0].desk.running = (PlayedCall("/quick", START - 0.5),)
    threads.grow()
    assert words.read_calls(threads.row) == []


def test_a_handler_over_its_time_loses_its_connection_once(threads, made, caplog):
    stuck, other = take(threads), take(threads)
    made[0].desk.running = (PlayedCall("/stuck", START - 5.1),)
    made[1].desk.running = (PlayedCall("/fine", START - 4.9),)
    for _ in range(2):
        threads.grow()
    assert (stuck.done, other.done) == ([socket.SHUT_RDWR], [])
    assert caplog.text.count("timeouts.handler") == 1


class PlayedConnection:
    """What is open in a thread: idle or not; ``firm``: it is not any more when its thread hears of it."""

    def __init__(self, deadline, *, idle=True, firm=False):
        self.deadline = deadline
        self.idle = idle
        self.firm = firm

    def may_give_way(self, left, undisturbed):
        return self.idle and 75.0 - left >= undisturbed

    def give_way(self, left, undisturbed, reason):
        assert reason == "evicted"
        return not self.firm and self.may_give_way(left, undisturbed)


def hosting(threads, made, *connections):
    """Take so many, and let their threads have begun with them."""
    for connection in connections:
        take(threads)
        made[-1].terms.open[connection] = None
    return list(threads._terms.open)


def hear(hosted):
    """Let its thread do what was posted to it."""
    for fn, args in hosted.loop.posted:
        fn(*args)
    hosted.loop.posted.clear()


def test_those_who_end_soonest_are_asked_first_to_give_way(threads, made):
    late, soon, _ = hosting(
        threads, made, *(PlayedConnection(START + at) for at in (50.0, 10.0)), PlayedConnection(0.0)
    )
    assert list(threads.soonest()) == [soon, late]


def test_who_is_asked_is_not_asked_again_and_counts_as_leaving_until_it_has_left(threads, made):
    (idle, busy) = hosting(threads, made, PlayedConnection(START + 10), PlayedConnection(START + 10, idle=False))
    assert not busy.give_way(10.0, 1.0, "evicted")
    assert idle.give_way(10.0, 1.0, "evicted")
    assert not idle.give_way(10.0, 1.0, "evicted")
    assert threads._terms.leaving == 1
    hear(idle)
    PlayedThreads.last.end_first()
    assert threads._terms.leaving == 0
    assert not idle.give_way(10.0, 1.0, "evicted"), "its loop may have another one by now"
    idle.stay()  # said late by its thread
    assert threads._terms.leaving == 0


def test_who_got_a_request_meanwhile_stays(threads, made, loop):
    (hosted,) = hosting(threads, made, PlayedConnection(START + 10, firm=True))
    assert hosted.give_way(10.0, 1.0, "evicted")
    hear(hosted)
    loop.reactor.turn()
    assert (threads._terms.leaving, hosted.leaving) == (0, False)
