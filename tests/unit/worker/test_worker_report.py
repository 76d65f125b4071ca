"""What stands in the row, and when: a played worker, a real row."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from hybridd.http.counts import HttpCounts
from hybridd.http.outcome import CLOSE_REASON_INDEX, CloseReason
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import report as report_module
from hybridd.worker import words
from hybridd.worker.report import Report
from hybridd.worker.words import WorkerState

DOORBELL = 77
NOW = 5_000_000_000


class PlayedTitle:
    """What ps shows, and how often it was written."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def show(self, title: str) -> None:
        self.shown.append(title)


class Worker:
    """The parts that a report reads, and its row."""

    def __init__(self) -> None:
        size = words.LAYOUT.header_words + words.LAYOUT.row_words
        self.row = Scoreboard(words.LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), 1).row(0)
        self.counts = HttpCounts()
        self.terms = SimpleNamespace(received=0, sent=0, lost=0, open=set(), armed=0)
        self.terms.reactor = self.reactor = SimpleNamespace(now=100.0)
        self.dispatch = SimpleNamespace(running=set(), queued=0, threads=32, oldest=0.0, handoffs=0)
        self.acceptors = [SimpleNamespace(accepted=0) for _ in range(2)]
        self.logs = SimpleNamespace(dropped=(0, 0))
        self.report = Report(
            SimpleNamespace(slot=3, generation=7, doorbell=DOORBELL, logs=self.logs),
            self.row,
            counts=self.counts,
            terms=self.terms,
            dispatch=self.dispatch,
            acceptors=self.acceptors,
        )

    def __getitem__(self, word: int) -> int:
        return self.row.words[word]


@pytest.fixture
def title(monkeypatch):
    title = PlayedTitle()
    monkeypatch.setattr(report_module, "Title", lambda: title)
    return title


@pytest.fixture
def rung(monkeypatch):
    """What was written to event descriptors."""
    rung = []
    monkeypatch.setattr(os, "eventfd_write", lambda *what: rung.append(what))
    return rung


@pytest.fixture
def worker(title, rung, monkeypatch):
    monkeypatch.setattr(report_module.time, "monotonic_ns", lambda: NOW)
    return Worker()


def test_a_state_is_written_before_the_bell_is_rung(worker, rung, monkeypatch):
    seen = []
    monkeypatch.setattr(os, "eventfd_write", lambda *what: seen.append((what, words.unpack_state(worker[words.STATE]))))
    worker.report.state(WorkerState.READY)
    worker.report.state(WorkerState.DRAINING)
    assert seen == [((DOORBELL, 1), (WorkerState.READY, 7)), ((DOORBELL, 1), (WorkerState.DRAINING, 7))]


def test_the_title_says_what_it_does(worker, title):
    worker.report.state(WorkerState.READY)
    worker.terms.open.update("ab")
    worker.dispatch.running.add("call")
    worker.report.beat()
    worker.report.state(WorkerState.DRAINING)
    assert title.shown == [
        "hybridd: worker 3 gen 7, 0 connections, 0 calls",
        "hybridd: worker 3 gen 7, 2 connections, 1 calls",
        "hybridd: worker 3 gen 7 draining, 2 connections, 1 calls",
    ]


def test_a_beat_stores_what_is_too_dear_for_every_turn(worker):
    worker.dispatch.oldest = 3.5
    worker.dispatch.handoffs = 9
    worker.logs.dropped = (2, 5)
    worker.report.beat()
    assert worker[words.HEARTBEAT] == NOW
    assert worker[words.OLDEST_CALL] == 3_500_000_000
    assert worker[words.THREADS] == 32
    assert worker[words.HANDOFFS] == 9
    assert (worker[words.LOG_DROPPED], worker[words.LOG_DROPPED + 1]) == (2, 5)


@pytest.mark.parametrize(
    ("armed", "asleep"),
    [(0, 0), (1, 1), (2, 1)],
)
def test_asleep_means_that_a_connection_would_wake_us(worker, armed, asleep):
    worker.terms.armed = armed
    worker.report.wakes()
    worker.report.sleeps()
    assert (worker[words.ASLEEP], worker[words.BUSY_SINCE]) == (asleep, 0)


def turn(worker, woken, ended, *, beats=False):
    """One turn of the loop; its times are seconds."""
    worker.report.sleeps()
    worker.reactor.now = woken
    worker.report.wakes()
    if beats:
        worker.report.beat()
    worker.reactor.now = ended
    worker.report.turned()


def stalls(worker):
    return worker[words.LOOP_STALLS], round(worker[words.LOOP_STALL] / 1e9, 3)


def test_a_turn_that_takes_long_is_a_stall(worker):
    turn(worker, 100.0, 100.05)
    assert stalls(worker) == (0, 0)
    turn(worker, 101.0, 101.25)
    turn(worker, 102.0, 105.0)
    assert stalls(worker) == (2, 3.25)


def test_a_turn_whose_leader_lost_the_lead_is_a_stall_too(worker):
    worker.reactor.now = 100.0
    worker.report.wakes()
    turn(worker, 102.0, 102.0)
    turn(worker, 103.0, 103.0)
    assert stalls(worker) == (1, 2.0)


def test_a_loop_that_wakes_up_late_stood_still_since_its_heartbeat_was_due(worker):
    turn(worker, 100.0, 100.0, beats=True)
    turn(worker, 101.01, 101.01, beats=True)
    assert stalls(worker) == (0, 0)
    turn(worker, 104.51, 104.51, beats=True)
    assert stalls(worker) == (1, 2.5)


def test_no_time_is_counted_twice(worker):
    turn(worker, 100.0, 100.0, beats=True)
    turn(worker, 100.5, 103.5)  # the beat was due in the middle of this
    turn(worker, 103.52, 103.52, beats=True)
    assert stalls(worker) == (1, 3.0)


def test_awake_since(worker):
    worker.terms.armed = 1
    worker.report.sleeps()
    worker.report.wakes()
    assert (worker[words.ASLEEP], worker[words.BUSY_SINCE]) == (NOW, NOW)


def test_a_loop_that_goes_on_without_sleep_was_not_just_woken(worker):
    worker.terms.armed = 1
    worker.report.sleeps()
    worker.report.wakes()
    worker.report.wakes()
    assert (worker[words.ASLEEP], worker[words.BUSY_SINCE]) == (0, NOW)


def test_a_turn_stores_what_it_changed(worker):
    worker.terms.open.update("abc")
    worker.terms.received, worker.terms.sent = 1000, 2000
    worker.dispatch.running.update("xy")
    worker.dispatch.queued = 4
    worker.acceptors[0].accepted, worker.acceptors[1].accepted = 10, 20
    worker.terms.armed = 1
    worker.counts.reading, worker.counts.active = 1, 2
    worker.counts.count_closed(CloseReason.DONE)
    worker.report.turned()
    assert worker[words.CONNECTIONS] == 3
    assert (worker[words.CONNECTIONS_READING], worker[words.CONNECTIONS_ACTIVE]) == (1, 2)
    assert (worker[words.CALLS_RUNNING], worker[words.CALLS_QUEUED]) == (2, 4)
    assert worker[words.LOAD] == words.pack_load(6, 3)
    assert worker[words.ACCEPTING] == 1
    assert worker[words.CONNECTIONS_ACCEPTED] == 30
    assert (worker[words.NETWORK_RECEIVE], worker[words.NETWORK_TRANSMIT]) == (1000, 2000)
    assert worker[words.CONNECTIONS_CLOSED + CLOSE_REASON_INDEX[CloseReason.DONE]] == 1


def test_a_turn_that_moved_nothing_stores_nothing(worker):
    worker.report.turned()
    worker.row.zero()
    worker.report.turned()
    assert set(worker.row.read()) == {0}
    worker.terms.received = 1
    worker.report.turned()
    assert worker[words.NETWORK_RECEIVE] == 1


@pytest.mark.parametrize(
    "move",
    [
        lambda worker: setattr(worker.terms, "received", 1),
        lambda worker: setattr(worker.terms, "sent", 1),
        lambda worker: setattr(worker.terms, "lost", 1),
        lambda worker: worker.terms.open.add("a"),
        lambda worker: worker.dispatch.running.add("a"),
        lambda worker: setattr(worker.dispatch, "queued", 1),
    ],
)
def test_whatever_moves_has_the_http_counts_stored(worker, move):
    worker.report.turned()
    worker.counts.count_closed(CloseReason.CLIENT)
    move(worker)
    worker.report.turned()
    assert worker[words.CONNECTIONS_CLOSED + CLOSE_REASON_INDEX[CloseReason.CLIENT]] == 1


def test_arming_and_disarming_are_told_though_nothing_moves(worker):
    """Other workers leave connections to those that accept; a drain, or the end of a probation, moves no byte."""
    worker.report.turned()
    worker.terms.armed = 1
    worker.report.turned()
    assert worker[words.ACCEPTING] == 1
    worker.terms.armed = 0
    worker.report.turned()
    assert worker[words.ACCEPTING] == 0


def test_a_connection_that_came_and_went_in_one_turn_is_counted(worker):
    worker.report.turned()
    worker.acceptors[0].accepted += 1
    worker.terms.lost += 1
    worker.report.turned()
    assert worker[words.CONNECTIONS_ACCEPTED] == 1


def test_the_beat_catches_up_on_what_no_turn_told(worker):
    worker.report.turned()
    worker.counts.count_closed(CloseReason.CLIENT)
    worker.report.beat()
    worker.report.turned()
    assert worker[words.CONNECTIONS_CLOSED + CLOSE_REASON_INDEX[CloseReason.CLIENT]] == 1
