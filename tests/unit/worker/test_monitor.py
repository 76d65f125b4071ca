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


def test_a_call_seen_twice_is_taken_over(script):
    token = object()
    script.run(lambda: script.lead.open(token), nothing, nothing)
    assert script.taken == [token]
    assert script.slept[0] == HANDOFF_AFTER
    assert not script.lead.close(token), "its thread will learn that it leads no more"


def test_a_call_seen_once_is_not(script):
    token = object()
    script.run(lambda: script.lead.open(token), lambda: script.lead.close(token), nothing)
    assert script.taken == []


def test_two_calls_seen_once_each_are_not_one_seen_twice(script):
    first, second = object(), object()

    def swap() -> None:
        assert script.lead.close(first)
        script.lead.open(second)

    script.run(lambda: script.lead.open(first), swap, lambda: script.lead.close(second))
    assert script.taken == []


def test_a_call_that_comes_back_at_the_last_moment_keeps_the_lead(script, monkeypatch):
    token = object()
    look = Lead.look

    def look_then_leave(lead):
        found = look(lead)
        if len(script.slept) == 2:
            assert lead.close(token)
        return found

    monkeypatch.setattr(Lead, "look", look_then_leave)
    script.run(lambda: script.lead.open(token), nothing, nothing)
    assert script.taken == []


def test_after_a_hand_off_it_watches_the_next_leader(script):
    first, second = object(), object()
    script.run(lambda: script.lead.open(first), nothing, lambda: script.lead.open(second), nothing, nothing)
    assert script.taken == [first, second]


def test_an_idle_worker_is_woken_by_nothing(script):
    script.run(*[nothing] * 20)
    assert (script.parked, script.lead.unwatched) == (1, True)


def test_a_window_wakes_it(script):
    token = object()
    script.run(*[nothing] * 20, lambda: script.lead.open(token), nothing, nothing)
    assert not script.lead.unwatched
    assert script.taken == [token]


def test_a_window_opened_while_it_was_about_to_park_is_seen(script):
    """The leader has opened it and saw that somebody watches, before the monitor said that nobody does."""
    token = object()
    script.run(*[nothing] * 19, lambda: script.lead.open(token), nothing, nothing)
    assert script.parked == 0
    assert script.taken == [token]


def test_parking_looks_again_behind_its_word(script, monkeypatch):
    token = object()
    look = Lead.look

    def open_late(lead):
        found = look(lead)
        if len(script.slept) == 20 and not lead.unwatched and found is None:
            lead._tokens.append(token)  # between the look and the word: the leader's own look came too early
        return found

    monkeypatch.setattr(Lead, "look", open_late)
    script.run(*[nothing] * 23)
    assert script.parked == 0
    assert not script.lead.unwatched
    assert script.taken == [token]


def test_only_a_pause_of_some_length_makes_it_park(script):
    token = object()
    busy = [lambda: script.lead.open(token), lambda: script.lead.close(token)]
    script.run(*busy * 50)
    assert script.parked == 0
