"""The sentences of the log, as a trace of a short life."""

from __future__ import annotations

import logging

from hybridd.master import events
from hybridd.master.children import Abort, Drain, Patience, Quit, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.fold import fold
from hybridd.master.narrative import tell
from hybridd.master.state import State, first_state


class Story:
    """A state and what was said on the way to it."""

    def __init__(self, workers: int = 1) -> None:
        policy = CrashPolicy(restarts=3, window=60.0)
        self.state: State = first_state(workers, Patience(settle=2.0), policy, drain_delay=0.0, slots=20)

    def after(self, *happened: events.Event, now: float = 10.0) -> list[str]:
        said = []
        for event in happened:
            before, self.state = self.state, fold(self.state, event, now)
            said += [f"{logging.getLevelName(level)} {text}" for level, text in tell(before, event, self.state, now)]
        return said


def started(workers: int = 1) -> Story:
    story = Story(workers)
    story.after(events.Spawned(0, 100, 1), events.BecameReady(100), events.Promoted(1))
    for slot in range(1, workers):
        story.after(events.Spawned(slot, 100 + slot, 1), events.BecameReady(100 + slot))
    return story


def test_a_start():
    story = Story()
    story.after(events.Spawned(0, 100, 1), now=10.0)
    assert story.after(events.BecameReady(100), events.Promoted(1), now=10.21) == [
        "INFO worker=0 gen=1 pid=100 ready in 0.21 s",
        "INFO ready: 1 worker, generation 1",
    ]


def test_a_start_that_fails():
    story = Story()
    assert story.after(events.Spawned(0, 100, 1), events.Died(100, exited=True, reason="it could not boot: x")) == [
        "CRITICAL giving up, no worker ever became ready: it could not boot: x"
    ]


def test_a_system_that_cannot_fork():
    story = Story()
    said = [line for _ in range(3) for line in story.after(events.SpawnFailed(0, 1, "no memory"))]
    assert said[0] == "ERROR worker=0 gen=1 cannot be started: no memory"
    assert said[-1] == "CRITICAL giving up, no worker ever became ready: no memory"


def test_a_reload():
    story = started()
    read = events.ConfigurationRead(2, Patience(), CrashPolicy())
    assert story.after(events.ReloadAsked(), read, events.Spawned(1, 200, 2), events.BecameReady(200)) == [
        "INFO reload: reading the configuration",
        "INFO reload: generation 2 goes on trial behind one worker",
        "INFO worker=1 gen=2 pid=200 ready in 0.00 s",
    ]
    assert story.after(events.ReloadAsked()) == ["INFO reload: waits for the one on its way"]
    assert story.after(events.ReloadAsked()) == []
    assert story.after(
        events.Promoted(2), events.Retired(100), events.Committed(2), events.Signalled(Drain(100, Why.RELOAD))
    ) == [
        "INFO reload: generation 2 replaces the other workers, which may come back",
        "INFO worker=0 gen=1 pid=100 retires: it accepts nothing more, and may come back",
        "INFO reload: done, 1 worker of generation 2",
        "INFO worker=0 gen=1 pid=100 drains (reload)",
    ]


def test_a_reload_that_is_undone():
    story = started()
    read = events.ConfigurationRead(2, Patience(), CrashPolicy())
    story.after(events.ReloadAsked(), read, events.Spawned(1, 200, 2), events.BecameReady(200), events.Promoted(2))
    story.after(events.Retired(100))
    assert story.after(events.Died(200, True, "it died"), events.Revived(100)) == [
        "ERROR reload undone, generation 1 goes on: it died",
        "INFO worker=0 gen=1 pid=100 is called back",
    ]
    (line,) = story.after(events.ScaleAsked(1))
    assert line.startswith("INFO scale: stays at 1 worker: generation 1 cannot be re-created, because what is on disk")
    assert line.endswith("recycling and scaling up pause until a reload succeeds")


def test_a_worker_that_is_to_be_replaced():
    story = started()
    assert story.after(events.Marked(100, Why.RECYCLE, "it is old"), events.Marked(100, Why.RECYCLE, "it is old")) == [
        "INFO worker=0 gen=1 pid=100 is to be replaced (recycle): it is old"
    ]
    assert story.after(events.Marked(100, Why.STUCK, "a handler")) == [
        "ERROR worker=0 gen=1 pid=100 is to be replaced (stuck): a handler"
    ]
    assert story.after(events.RestartAsked(0)) == ["INFO restart: worker=0 is to be replaced"]


def test_reloads_that_are_refused():
    story = started()
    assert story.after(events.ReloadAsked(), events.ConfigurationRefused("x.yaml:1:1: what?"))[1:] == [
        "ERROR reload refused, generation 1 goes on: x.yaml:1:1: what?"
    ]
    read = events.ConfigurationRead(2, Patience(), CrashPolicy())
    said = story.after(events.ReloadAsked(), read, events.Spawned(1, 200, 2), events.Died(200, True, "it died"))
    assert said[-1] == "ERROR reload refused, generation 1 goes on: it died"


def test_scaling():
    story = started(2)
    assert story.after(events.ScaleAsked(1), events.ScaleAsked(-2), events.ScaleAsked(-1)) == [
        "INFO scale: 2 to 3 workers",
        "INFO scale: 3 to 1 worker",
        "INFO scale: stays at 1 worker",
    ]


def test_stopping():
    story = started(2)
    assert story.after(events.StopAsked(), events.ReloadAsked(), events.StopAsked()) == [
        "INFO stopping: 2 workers to drain",
        "WARNING reload: ignored: hybridd is stopping",
        "INFO stopping: a quick stop hurries, 2 workers cut off",
    ]
    assert story.after(events.Signalled(Quit(100, Why.STOP))) == ["DEBUG worker=0 gen=1 pid=100 quits (stop)"]


def test_a_hung_worker():
    story = started()
    assert story.after(events.SeemsHung(100), events.Recovered(100), events.SeemsHung(100))[0:2] == [
        "ERROR worker=0 gen=1 pid=100 does not turn its loop any more; it is replaced",
        "WARNING worker=0 gen=1 pid=100 turns its loop again",
    ]
    assert story.after(events.Signalled(Abort(100, Why.HUNG))) == [
        "ERROR worker=0 gen=1 pid=100 is aborted, the stacks of its threads follow (hung)"
    ]


def test_a_signal_by_somebody_else_is_news_unless_everything_stops():
    story = started(2)
    assert story.after(events.BeganToLeave(100)) == [
        "WARNING worker=0 gen=1 pid=100 leaves: somebody else sent it a signal"
    ]
    assert story.after(events.StopAsked(), events.BeganToLeave(101))[1].startswith("DEBUG")


def test_workers_that_keep_dying():
    story = started(2)
    said = []
    for pid in (300, 301, 302):
        said += story.after(events.Spawned(5, pid, 1), events.Died(pid, exited=True, reason="exit 1"))
    assert said == [
        "WARNING worker=5 is started again in 1 s: the last starts came to nothing",
        "ERROR degraded: 3 workers crashed within 60 s (crash.restarts, crash.window)",
    ]


def test_what_is_ignored_without_having_been_asked_for_is_not_worth_a_line():
    story = started()
    assert story.after(events.FleetComplete(), events.BecameReady(7), events.Died(7, True, "x")) == []


def test_an_upgrade_is_told_from_its_beginning_to_its_end():
    story = started(2)
    assert story.after(
        *(events.UpgradeAsked(), events.SuccessorStarted(500), events.SuccessorReady(500), events.HandingOver(500)),
        events.SuccessorTook(500, 2),
    ) == [
        "INFO upgrade: asked for",
        "INFO upgrade: a new master (pid 500) is started",
        "INFO upgrade: the workers of the new master (pid 500) are ready",
        "INFO upgrade: done, pid 500 serves; this master drains 2 workers and leaves",
    ]


def test_an_upgrade_that_fails_is_told_with_the_reason():
    story = started()
    said = story.after(events.UpgradeAsked(), events.SuccessorStarted(500), events.UpgradeAsked())
    assert said[-1] == "WARNING upgrade: refused: an upgrade is on its way; ask again when it has ended"
    assert story.after(events.SuccessorEnded(500, "it was late"), events.SuccessorDied(500, "SIGKILL")) == [
        "WARNING upgrade: the new master (pid 500) is killed: it was late",
        "ERROR upgrade: failed, this master goes on: it was late; it was killed",
    ]
