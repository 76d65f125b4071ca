"""Calls that take too long are named, with the place where their thread stands."""

from __future__ import annotations

import threading
from contextvars import copy_context
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybridd.app.exchange import RUNNING, WsgiExchange
from hybridd.config.settings import Timeouts
from hybridd.worker.call import Call
from hybridd.worker.watch import Watch, stack_of

REQUEST = SimpleNamespace(method="GET", path="/slow", id="abc-1")


class PlayedExchange(WsgiExchange):
    """One whose application is a function of the test."""

    def __init__(self, application) -> None:
        self._phase = RUNNING
        self._iterate = application


def make_call(step, started=10.0) -> Call:
    call = Call(SimpleNamespace(), SimpleNamespace(), REQUEST, copy_context())
    call.exchange = PlayedExchange(step)
    call.started = started
    return call


@pytest.fixture
def slow():
    """A Call that a thread runs until the test has ended."""
    begun, go = threading.Event(), threading.Event()

    def a_handler_that_hangs():
        begun.set()
        go.wait(10)
        return True

    call = make_call(a_handler_that_hangs)
    thread = threading.Thread(target=call.step)
    thread.start()
    begun.wait(10)
    yield call
    go.set()
    thread.join(10)


def test_the_stack_is_that_of_the_thread_that_runs_it(slow):
    names = [frame.name for frame in stack_of(slow)]
    assert "a_handler_that_hangs" in names
    assert names[-1] == "wait"
    assert stack_of(make_call(lambda: True)) == []


@pytest.mark.parametrize(
    ("handler", "stuck", "setting"),
    [(5.0, 0.0, "timeouts.handler"), (0.0, 5.0, "timeouts.stuck"), (5.0, 9.0, "timeouts.handler")],
)
def test_who_takes_too_long_is_named_once(slow, caplog, handler, stuck, setting):
    watch = Watch(replace(Timeouts(), handler=handler, stuck=stuck))
    watch.look([slow], 14.9)
    assert caplog.text == ""
    for now in (15.0, 16.0, 17.0):
        watch.look([slow], now)
    [record] = caplog.records
    first, *stack = record.getMessage().splitlines()
    assert first == f"GET /slow has run for 5.0 s ({setting}, request abc-1); its thread stands here:"
    assert any("in a_handler_that_hangs" in line for line in stack)


def test_without_a_limit_nobody_is_late(slow, caplog):
    Watch(Timeouts()).look([slow], 1e9)
    assert caplog.text == ""


def test_who_ends_in_that_moment_has_no_stack(caplog):
    Watch(replace(Timeouts(), handler=1.0)).look([make_call(lambda: True)], 20.0)
    assert "it ends just now" in caplog.text
