from __future__ import annotations

from dataclasses import replace

import pytest

from hybridd.config.settings import Config, Timeouts
from hybridd.master import events, vitals
from hybridd.master.children import Child, Phase, Why
from hybridd.master.processes import Reaped
from hybridd.master.vitals import Seen, Vitals
from hybridd.ops.procfs import Stat
from hybridd.ops.run_queue import Thread
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.words import CallState, WorkerState

SECOND = 1_000_000_000


class Machine:
    """What /proc and the control group say."""

    def __init__(self) -> None:
        self.stats: dict[int, Stat | None] = {}
        self.oom_kills: int | None = 0


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(vitals, "read_stat", machine.stats.get)
    monkeypatch.setattr(vitals, "read_threads", lambda _: {1: Thread(0.0, runnable=False)})
    monkeypatch.setattr(vitals, "read_oom_kills", lambda: machine.oom_kills)
    return machine


@pytest.fixture
def board():
    return Scoreboard.create(words.LAYOUT, rows=4)


@pytest.fixture
def looker(machine, board):
    return Vitals(board)


def child(slot=0, phase=Phase.READY, *, served=True, generation=1):
    return Child(
        slot=slot,
        pid=100 + slot,
        generation=generation,
        phase=phase,
        born=1.0,
        since=1.0,
        served_since=2.0 if served else None,
    )


def by_pid(*children):
    return {one.pid: one for one in children}


def says(board, slot, state, generation=1):
    board.row(slot).words[words.STATE] = words.pack_state(state, generation)


def test_ready_is_news_once(looker, board):
    says(board, 0, WorkerState.READY)
    booting = child(phase=Phase.BOOTING, served=False)
    assert list(looker.announced(by_pid(booting))) == [events.BecameReady(100)]
    assert list(looker.announced(by_pid(child()))) == []


def test_what_an_earlier_life_left_in_the_row_is_not_news(looker, board):
    says(board, 0, WorkerState.READY, generation=1)
    assert list(looker.announced(by_pid(child(phase=Phase.BOOTING, served=False, generation=2)))) == []


def test_leaving_unasked_is_news(looker, board):
    says(board, 0, WorkerState.DRAINING)
    assert list(looker.announced(by_pid(child()))) == [events.BeganToLeave(100)]
    assert list(looker.announced(by_pid(child(phase=Phase.DRAINING)))) == []


def test_one_that_was_ready_for_a_moment_only_was_ready(looker, board):
    says(board, 0, WorkerState.DRAINING)
    booting = child(phase=Phase.BOOTING, served=False)
    assert list(looker.announced(by_pid(booting))) == [events.BecameReady(100), events.BeganToLeave(100)]


def test_a_silent_heart_is_found_and_its_return_too(looker, board):
    row = board.row(0)
    row.words[words.HEARTBEAT] = 10 * SECOND
    limits = {1: 5.0}
    found = {now: looker.round(by_pid(child()), limits, float(now)) for now in range(10, 17)}
    assert {now: news for now, news in found.items() if news} == {
        15: [events.SeemsHung(100)],
        16: [events.SeemsHung(100)],
    }
    hung = by_pid(child(phase=Phase.HUNG))
    assert looker.round(hung, limits, 17.0) == []
    row.words[words.HEARTBEAT] = 18 * SECOND
    assert looker.round(hung, limits, 18.0) == [events.Recovered(100)]


def test_who_boots_or_leaves_has_other_deadlines(looker):
    others = by_pid(child(0, Phase.BOOTING, served=False), child(1, Phase.DRAINING), child(2, Phase.KILLED))
    assert [looker.round(others, {1: 5.0}, float(now)) for now in range(10, 40)] == [[]] * 30


def test_the_last_memory_of_a_zombie_is_what_it_had_before(looker, machine):
    machine.stats[100] = Stat("S", 1.5, 4, 0.0, 1000)
    looker.round(by_pid(child()), {1: 30.0}, 2.0)
    machine.stats[100] = Stat("Z", 2.5, 1, 0.0, 0)
    looker.round(by_pid(child()), {1: 30.0}, 3.0)
    assert looker.seen == {100: Seen(1.5, 1000)}


def test_what_is_left_of_a_worker(looker, board, machine):
    row = board.claim(0)
    requests = words.LAYOUT.start("http_requests")
    row.words[requests] = 3
    row.words[requests + 4] = 2
    row.words[words.CONNECTIONS] = 7
    words.write_call(row, 0, CallState.QUEUED, 9 * SECOND, 8 * SECOND, request_id="b", method="POST", path="/b")
    words.write_call(row, 1, CallState.RUNNING, 8 * SECOND, 7 * SECOND, request_id="a", method="GET", path="/a")
    words.write_boot_error(row, "ImportError: no x")
    looker.seen[100] = Seen(1.0, 1000)
    left = looker.remains(child(), Reaped(100, -9, 1.0, 2000), 10.5)
    assert (left.status, left.requests, left.connections) == (-9, 5, 7)
    assert (left.resident, left.peak, left.oom) == (1000, 2000, False)
    assert left.boot_error == "ImportError: no x"
    assert left.calls == ["GET /a (2.5 s, request a)", "POST /b (queued, 1.5 s, request b)"]
    assert 100 not in looker.seen


def with_timeouts(**timeouts):
    config = replace(Config(), timeouts=replace(Timeouts(), **timeouts))
    return lambda generation: config


def stuck_at(looker, board, *, since, word=words.OLDEST_CALL, late=False, **timeouts):
    """Look once per second; return when a worker was first said to be stuck."""
    board.row(0).words[word] = since * SECOND
    for now in range(10, 40):
        at = float(now + 20 * (late and now >= 14))
        looker.round(by_pid(child()), {1: 1000.0}, at)
        if found := list(looker.stuck(by_pid(child()), with_timeouts(**timeouts), at)):
            assert [(one.pid, one.why) for one in found] == [(100, Why.STUCK)]
            return at
    return None


def test_a_handler_that_does_not_come_back(looker, board):
    assert stuck_at(looker, board, since=10, stuck=6.0) == 16.0
    assert stuck_at(looker, board, since=10) is None, "off by default"


def test_one_that_holds_the_loop_is_known_by_the_turn_that_does_not_end(looker, board):
    assert stuck_at(looker, board, since=10, word=words.BUSY_SINCE, stuck=6.0) == 16.0


def test_whose_worker_gets_no_cpu_is_not_stuck(looker, board, monkeypatch):
    waited = iter(range(1000))
    monkeypatch.setattr(vitals, "read_threads", lambda _: {1: Thread(float(next(waited)), runnable=True)})
    assert stuck_at(looker, board, since=10, stuck=6.0) is None


def test_nobody_is_called_stuck_by_a_master_that_stood_still_itself(looker, board):
    assert stuck_at(looker, board, since=10, stuck=8.0, late=True) >= 35.0


def test_a_loop_that_stands_still_is_told_of_once(looker, board):
    row = board.row(0)
    row.words[words.BUSY_SINCE] = 10 * SECOND
    words.write_call(row, 0, CallState.RUNNING, 10 * SECOND, 10 * SECOND, request_id="a", method="GET", path="/a")
    told = [
        stall.sentence
        for now in range(10, 20)
        for stall in looker.stalls(by_pid(child()), with_timeouts(handler=3.0, stuck=60.0), float(now))
    ]
    still = "worker=0 gen=1 pid=100 has not turned its loop for 3.0 s (timeouts.handler)"
    assert told == [f"{still}; in flight: GET /a (3.0 s, request a)"]
    row.words[words.BUSY_SINCE] = 0
    assert not list(looker.stalls(by_pid(child()), with_timeouts(handler=3.0), 20.0))
    row.words[words.BUSY_SINCE] = 21 * SECOND
    assert list(looker.stalls(by_pid(child()), with_timeouts(stuck=3.0), 25.0))
    assert not list(looker.stalls(by_pid(child()), with_timeouts(), 99.0)), "off by default"


def test_requests_that_ended_with_a_worker(looker, board):
    row = board.claim(0)
    words.write_call(row, 0, CallState.QUEUED, 9 * SECOND, 8 * SECOND, request_id="b", method="POST", path="/b")
    words.write_call(row, 1, CallState.RUNNING, 8 * SECOND, 7 * SECOND, request_id="a", method="GET", path="/a")
    words.write_call(row, 2, CallState.SETTLED, 1 * SECOND, SECOND, request_id="c", method="GET", path="/c")
    first, second = looker.killed_requests(child(), 10.5)
    assert (first.method, first.target, first.id, first.worker, first.duration) == ("GET", b"/a", "a", 0, 3.5)
    assert (second.method, second.target, second.outcome) == ("POST", b"/b", "killed")


def test_out_of_memory_is_proven_by_the_counter_and_only_for_the_death_after_which_it_grew(looker, machine):
    def oom(status=-9):
        return looker.remains(child(), Reaped(100, status, 0.0, 0), 10.0).oom

    assert not oom()
    machine.oom_kills = 1
    assert not oom(status=-11), "that one ended by its own fault"
    assert oom()
    assert not oom()
    machine.oom_kills = None
    assert not oom()


def test_all_drain_when_nobody_takes_connections_any_more(looker, board):
    two = by_pid(child(0), child(1))
    says(board, 0, WorkerState.DRAINING)
    says(board, 1, WorkerState.READY)
    assert not looker.all_drain(two)
    says(board, 1, WorkerState.DRAINING)
    assert looker.all_drain(two)
    says(board, 1, WorkerState.READY)
    assert looker.all_drain(by_pid(child(0), child(1, Phase.KILLED)))
    assert looker.all_drain({})


def test_two_that_the_kernel_killed_at_once_are_both_explained_and_a_third_one_is_not(looker, machine):
    machine.oom_kills = 2
    assert [looker.remains(child(), Reaped(100, -9, 0.0, 0), 10.0).oom for _ in range(3)] == [True, True, False]


def test_a_kill_of_long_ago_was_somebody_elses(looker, machine):
    """A process that the application had started, say."""
    for now, kills in ((10.0, 0), (11.0, 1), (12.0, 1)):
        machine.oom_kills = kills
        looker.round({}, {}, now)
    assert not looker.remains(child(), Reaped(100, -9, 0.0, 0), 12.0).oom
    machine.oom_kills = 2
    looker.round({}, {}, 13.0)  # a round may come between a kill and the worker's reaping
    assert looker.remains(child(), Reaped(100, -9, 0.0, 0), 13.0).oom
    looker.round({}, {}, 14.0)
    assert not looker.remains(child(), Reaped(100, -9, 0.0, 0), 14.0).oom


def test_a_counter_that_can_be_read_only_later_proves_nothing_of_before(looker, machine):
    machine.oom_kills = None
    looker.round({}, {}, 10.0)
    looker.round({}, {}, 11.0)
    machine.oom_kills = 7
    looker.round({}, {}, 12.0)
    assert not looker.remains(child(), Reaped(100, -9, 0.0, 0), 12.0).oom
