"""The monitor, look by look: sleep and bell are played, so that a thread's turn ends where it would wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridd.worker import monitor as monitor_module
from hybridd.worker.lead import Lead
from hybridd.worker.monitor import HANDOFF_AFTER, Monitor


class Enough(BaseException):
    """Ends the monitor's endless loop."""


class Script:
    """What happens at each look; the script's end ends the monitor."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lead = Lead()
        self.taken: list[object] = []
        self.monitor = Monitor(self.lead, self.taken.append)
        self.slept: list[float] = []
        self.parked = 0
        self._steps: list[Callable[[], object]] = []
        monkeypatch.setattr(monitor_module.time, "sleep", self._sleep)
        self.monitor._bell.acquire = self._park  # type: ignore[method-assign,assignment]

    def run(self, *steps: Callable[[], object]) -> None:
        """Let the steps happen, each while the monitor sleeps or is parked."""
        self._steps = list(steps)
        with pytest.raises(Enough):
            self.monitor._watch()

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._next()

    def _park(self) -> bool:
        self.parked += 1
        self._next()
        return True

    def _next(self) -> None:
        if not self._steps:
            raise Enough
        self._steps.pop(0)()


@pytest.fixture
def script(monkeypatch):
    return Script(monkeypatch)


def nothing() -> None:
    return


def begins(script: Script, call: object) -> Callable[[], None]:
    """A Call begins on the leader and enters the application."""

    def step() -> None:
        script.lead.call = call
        script.lead.open(call)

    return step


def ends(script: Script, call: object) -> Callable[[], None]:
    """It comes back from the application, and is over."""

    def step() -> None:
        assert script.lead.close(call)
        script.lead.call = None

    return step


def test_a_call_seen_twice_is_taken_over(script):
    call = object()
    script.run(begins(script, call), nothing, nothing)
    assert script.taken == [call]
    assert script.slept[0] == HANDOFF_AFTER
    assert not script.lead.close(call), "its thread will learn that it leads no more"


def test_a_call_seen_once_is_not(script):
    call = object()
    script.run(begins(script, call), ends(script, call), nothing)
    assert script.taken == []


def test_two_calls_seen_once_each_are_not_one_seen_twice(script):
    first, second = object(), object()

    def swap() -> None:
        ends(script, first)()
        begins(script, second)()

    script.run(begins(script, first), swap, ends(script, second))
    assert script.taken == []


def test_a_call_that_is_in_the_servers_code_at_the_second_look_is_wanted_and_gives_up_at_its_next_entry(script):
    call = object()
    given_up = []
    script.lead.give_up = given_up.append
    script.run(begins(script, call), lambda: script.lead.close(call), nothing)
    assert script.taken == []
    assert script.lead.wanted is call
    script.lead.open(call)
    assert given_up == [call]
    assert script.lead.wanted is None


def test_a_wanted_call_that_ended_is_forgotten(script):
    call, other = object(), object()

    def over() -> None:
        script.lead.call = None

    given_up = []
    script.lead.give_up = given_up.append
    script.run(begins(script, call), lambda: script.lead.close(call), over, begins(script, other))
    assert script.lead.wanted is None
    assert given_up == []


def test_after_a_hand_off_it_watches_the_next_leader(script):
    first, second = object(), object()
    script.run(begins(script, first), nothing, begins(script, second), nothing, nothing)
    assert script.taken == [first, second]


def test_an_idle_worker_is_woken_by_nothing(script):
    script.run(*[nothing] * 20)
    assert (script.parked, script.lead.unwatched) == (1, True)


def test_a_window_wakes_it(script):
    call = object()
    script.run(*[nothing] * 20, begins(script, call), nothing, nothing)
    assert not script.lead.unwatched
    assert script.taken == [call]


def test_a_call_that_began_while_it_was_about_to_park_is_seen(script):
    """The leader has begun it and saw that somebody watches, before the monitor said that nobody does."""
    call = object()
    script.run(*[nothing] * 19, begins(script, call), nothing, nothing)
    assert script.parked == 0
    assert script.taken == [call]


def test_parking_looks_again_behind_its_word(script):
    """Between the last look and the word that nobody watches: the leader's own look came too early."""
    call = object()

    class LateLead(Lead):
        __slots__ = ()

        def __setattr__(self, name: str, value: object) -> None:
            if name == "unwatched" and value and self.call is None:
                self.call = call
                self.tokens.append(call)
            super().__setattr__(name, value)

    script.lead.__class__ = LateLead
    script.run(*[nothing] * 23)
    assert script.parked == 0
    assert not script.lead.unwatched
    assert script.taken == [call]


def test_only_a_pause_of_some_length_makes_it_park(script):
    call = object()
    script.run(*[begins(script, call), ends(script, call)] * 50)
    assert script.parked == 0
