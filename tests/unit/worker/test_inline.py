"""Calls that run where the loop runs: to their end, suspended for a slow client, resumed, abandoned."""

from __future__ import annotations

from contextvars import copy_context
from types import SimpleNamespace

import pytest

from hybridd.config.settings import Config
from hybridd.http.request import Request
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.call import Call, CallState
from hybridd.worker.in_flight import InFlight, killed_requests
from hybridd.worker.inline import Inline, InlineFiles
from tests.support.simulated_loop import START

BEHIND = "its client reads nothing"


class PlayedExchange:
    """An application whose steps answer what the test says: True for done, False for suspended, BEHIND for good."""

    def __init__(self, desk, steps):
        self._desk = desk
        self._steps = list(steps)
        self.seen = []

    def step(self):
        call = self._desk.call
        self.seen.append((call.state, call.leading, self._desk.oldest))
        step = self._steps.pop(0)
        if step is BEHIND:
            call.client_behind()
        return step is True

    def abandon(self):
        self.seen.append("abandoned")


class PlayedConnection(SimpleNamespace):
    """A connection that notes when its Call has begun."""

    def __init__(self):
        super().__init__(call=None, begun=0)

    def call_started(self):
        self.begun += 1


@pytest.fixture
def desk(loop):
    return Inline(Config(), loop.reactor)


def submit(desk, *steps, path="/slow"):
    request = Request("GET", path.encode(), (1, 1), {"HTTP_X_REQUEST_ID": "abc-1"})
    request.path = path
    call = Call(desk, PlayedConnection(), request, copy_context())
    call.exchange = PlayedExchange(desk, steps)
    call.connection.call = call
    desk.submit(call)
    return call


def test_a_call_runs_to_its_end_at_once(desk):
    call = submit(desk, True)
    assert call.exchange.seen == [(CallState.RUNNING, True, START)]
    assert (call.state, call.connection.begun, call.connection.call) == (CallState.DONE, 1, None)
    assert desk.idle
    assert (desk.call, list(desk.running), desk.oldest) == (None, [], 0.0)


def test_a_client_that_is_behind_suspends_its_call_and_the_loop_goes_on(loop, desk):
    slow = submit(desk, BEHIND, True)
    assert slow.state is CallState.SUSPENDED
    assert submit(desk, True).state is CallState.DONE, "others run meanwhile"
    assert not desk.idle
    slow.client_caught_up()
    assert slow.state is CallState.RESUMED
    loop.turn()
    assert slow.state is CallState.DONE
    assert desk.idle


def test_it_goes_on_outside_of_the_transports_frame_and_does_not_begin_again(loop, desk):
    call = submit(desk, False, True)  # its client has caught up before we learn of it
    assert call.state is CallState.RESUMED
    assert len(call.exchange.seen) == 1
    loop.turn()
    assert (call.state, call.connection.begun) == (CallState.DONE, 1)
    assert desk.idle


def test_a_suspended_call_whose_client_is_gone_is_abandoned(loop, desk):
    call = submit(desk, BEHIND)
    desk.client_gone(call)
    loop.turn()
    assert call.exchange.seen[-1] == "abandoned"
    assert desk.idle


def test_a_client_that_leaves_during_a_step_lets_the_call_end(loop, desk):
    call = submit(desk, False)
    desk.client_gone(call)
    loop.turn()
    assert call.exchange.seen[-1] == "abandoned"
    assert call.state is CallState.DONE


def test_a_process_of_its_own_names_what_it_does(loop):
    row = Scoreboard.create(words.LAYOUT, 1).claim(0)
    desk = Inline(Config(), loop.reactor, InFlight(row))
    during = []
    request = Request("GET", b"/report", (1, 1), {"HTTP_X_REQUEST_ID": "abc-1"})
    request.path = "/report"
    request.started = START
    call = Call(desk, PlayedConnection(), request, copy_context())
    call.exchange = SimpleNamespace(
        step=lambda: during.append((words.running_since(row), killed_requests(row, 3, START + 2.0))) or True
    )
    desk.submit(call)
    ((since, (killed,)),) = during
    assert since == START
    assert (killed.method, killed.target, killed.id, killed.worker) == ("GET", b"/report", "abc-1", 3)
    assert killed.duration == pytest.approx(2.0)
    assert words.running_since(row) == 0.0
    assert killed_requests(row, 3, START) == []


def test_what_the_turn_has_done_is_told_before_a_handler_can_hang(loop):
    desk = Inline(Config(), loop.reactor)
    order = []
    desk.before_step = lambda: order.append("told")
    call = Call(desk, PlayedConnection(), Request("GET", b"/", (1, 1), {}), copy_context())
    call.exchange = SimpleNamespace(step=lambda: order.append("runs") or True)
    desk.submit(call)
    assert order == ["told", "runs"]


def test_a_file_is_written_at_once_and_told_from_the_top_of_the_loop(loop):
    done = []
    InlineFiles(loop.reactor).submit(lambda: "written", done.append)
    assert done == []
    loop.turn()
    assert done == ["written"]
