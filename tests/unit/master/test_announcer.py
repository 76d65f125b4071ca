from __future__ import annotations

import logging

import pytest

from hybridd.master import events
from hybridd.master.announcer import Announcer
from hybridd.master.children import Patience
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.fold import fold
from hybridd.master.state import first_state


class RecordingNotifier:
    """What was said to systemd."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []

    def __getattr__(self, name):
        return lambda *arguments: self.said.append((name, *map(str, arguments)))


class Life:
    def __init__(self, announcer: Announcer) -> None:
        self.announcer = announcer
        policy = CrashPolicy(restarts=2, window=60.0)
        self.state = first_state(1, Patience(settle=0.0), policy, drain_delay=0.0, slots=8)

    def after(self, *happened, now=10.0):
        for event in happened:
            before, self.state = self.state, fold(self.state, event, now)
            self.announcer.happened(before, event, self.state, now)
        self.announcer.settled(self.state, now)


@pytest.fixture
def notifier():
    return RecordingNotifier()


@pytest.fixture
def life(notifier, monkeypatch):
    monkeypatch.setattr("hybridd.master.announcer.Title.show", lambda *_: None)
    return Life(Announcer(notifier, "shop:app", lambda: notifier.said.append(("launcher",))))


def verbs(notifier):
    return [said[0] for said in notifier.said]


READY = (events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))


def test_ready_is_said_once_when_the_fleet_is_complete(life, notifier):
    life.after()
    assert verbs(notifier) == ["status"]
    life.after(*READY)
    assert notifier.said[-1] == ("ready", "running: 1 of 1 worker ready, generation 1")
    life.after()
    assert verbs(notifier) == ["status", "launcher", "ready"]


def test_why_it_gives_up_is_kept_for_who_waits_for_the_verdict(life):
    assert life.announcer.last_words == ""
    life.after(events.Spawned(0, 100, 1), events.Died(100, exited=True, reason="no such module"))
    assert life.announcer.last_words == "giving up, no worker ever became ready: no such module"


def test_a_reload_begins_and_ends(life, notifier):
    life.after(*READY)
    read = events.ConfigurationRead(2, Patience(settle=0.0), CrashPolicy())
    life.after(events.ReloadAsked(), read)
    assert notifier.said[-1][0] == "reloading"
    life.after(events.Spawned(1, 200, 2), events.BecameReady(200), events.Promoted(2))
    assert notifier.said[-1][0] == "status"  # the old worker is still there
    life.after(events.Retired(100))
    assert notifier.said[-1] == ("status", "reloading: 1 of 1 worker ready, generation 2 replaces 1")
    life.after(events.Committed(2))
    assert notifier.said[-1] == ("ready", "running: 1 of 1 worker ready, generation 2")


def test_a_refused_reload_ends_at_once_with_the_reason(life, notifier):
    life.after(*READY)
    life.after(events.ReloadAsked(), events.ConfigurationRefused("what?"))
    assert verbs(notifier)[-2:] == ["reloading", "ready"]
    assert "last reload refused: what?" in notifier.said[-1][1]


def test_a_reload_at_the_start_is_not_said_before_ready(life, notifier):
    life.after(events.Spawned(0, 100, 1), events.ReloadAsked())
    life.after(events.BecameReady(100), events.Promoted(1), events.ConfigurationRefused("what?"))
    assert verbs(notifier)[-2:] == ["reloading", "ready"] or "reloading" not in verbs(notifier)
    assert verbs(notifier).index("ready") <= len(verbs(notifier)) - 1


def test_stopping_is_said_once(life, notifier):
    life.after(*READY)
    life.after(events.StopAsked())
    life.after(events.StopAsked())
    assert verbs(notifier).count("stopping") == 1


def test_time_is_asked_for_only_while_something_takes_time(life, notifier):
    life.announcer.tick(life.state)
    assert verbs(notifier) == ["extend_timeout"]
    life.after(*READY)
    notifier.said.clear()
    life.announcer.tick(life.state)
    assert verbs(notifier) == []
    life.after(events.StopAsked())
    life.announcer.tick(life.state)
    assert verbs(notifier)[-1] == "extend_timeout"


def test_the_end_of_a_bad_time_is_news(life, caplog):
    caplog.set_level(logging.INFO)
    life.after(*READY)
    for pid in (200, 201):
        life.after(events.Spawned(5, pid, 1), events.Died(pid, exited=True, reason="x"))
    assert "degraded: 2 workers" in caplog.text
    life.after(now=100.0)
    assert "degraded no longer" in caplog.text
