"""Upgrades as lives of many kinds: a walk through chance, watched by rules; plans that are wrong break them."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from random import Random

import pytest

from hybridd.master import events, lifecycle
from hybridd.master.children import Commit, Drain, Exit, Patience, Promote, ReadConfiguration, Retire, Revive, Spawn
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.desired import Stop
from hybridd.master.fold import fold
from hybridd.master.modes import Mode
from hybridd.master.state import first_state
from hybridd.master.succession import TAKE
from hybridd.master.successor import EndSuccessor, HandOver, Stage, StartSuccessor

PATIENCE = Patience(boot=10.0, graceful=8.0, settle=2.0)
LIVES = 60


class RuleBrokenError(Exception):
    """What no upgrade may do."""


def rule(holds, text):
    if not holds:
        raise RuleBrokenError(text)


class Life:
    """A master with one worker, its successors, and an operator who does not wait."""

    def __init__(self, seed, plan):
        self.random, self.plan, self.now = Random(seed), plan, 1.0
        self.state = first_state(1, PATIENCE, CrashPolicy(), drain_delay=3.0, slots=8)
        self.pids = iter(range(100, 10_000))
        self.alive = {}  # successors: pid → what they have said and been told
        self.late_at = inf
        self.heir = 0
        self.decide()
        for _ in range(2):
            self.boot()

    def happen(self, event):
        self.state = fold(self.state, event, self.now)

    def decide(self):
        for _ in range(30):
            actions = self.plan(self.state.desired, tuple(self.state.children.values()), self.now)
            if not actions or self.state.mode is Mode.STOPPED:
                break
            for action in actions:
                self.carry_out(action)
        else:
            raise RuleBrokenError("the plan never comes to rest")
        self.look()

    def carry_out(self, action):  # noqa: C901 - one line per action
        desired = self.state.desired
        match action:
            case Spawn():
                self.happen(events.Spawned(action.slot, next(self.pids), action.generation))
            case StartSuccessor():
                rule(not self.alive, "two successors")
                rule(not (desired.trial or desired.fallback or desired.stop), "begun during a reload or a stop")
                self.start_successor()
            case HandOver(pid=pid):
                rule(self.alive[pid] == {"ready"}, "the word at the wrong time")
                self.alive[pid].add("told")
                self.late_at = self.now + TAKE
                self.happen(events.HandingOver(pid))
            case EndSuccessor(pid=pid):
                self.alive[pid].add("killed")
                rule(desired.stop or self.now >= self.late_at, "killed without need")
                self.happen(events.SuccessorEnded(pid, action.why))
            case Exit():
                rule(not self.alive, "left behind")
                self.happen(events.Left())
            case ReadConfiguration():
                rule(not self.alive, "a reload during an upgrade")
                generation = max(desired.generation, desired.trial) + 1
                self.happen(events.ConfigurationRead(generation, PATIENCE, CrashPolicy()))
            case Retire(pid=pid):
                self.happen(events.Retired(pid))
            case Revive(pid=pid):
                self.happen(events.Revived(pid))
            case Promote(generation=generation):
                self.happen(events.Promoted(generation))
            case Commit(generation=generation):
                self.happen(events.Committed(generation))
            case _:
                self.happen(events.Signalled(action))
                if isinstance(action, Drain):
                    self.happen(events.Died(action.pid, exited=True, reason="asked"))

    def start_successor(self):
        if self.random.random() < 0.1:
            self.happen(events.UpgradeRefused("no"))
            return
        pid = next(self.pids)
        self.alive[pid] = set()
        self.late_at = self.now + 2 * PATIENCE.boot
        self.happen(events.SuccessorStarted(pid))

    def look(self):
        """What holds whenever the master rests."""
        desired = self.state.desired
        for said in self.alive.values():
            rule("killed" in said or not desired.stop, "it outlives the stop")
            rule("killed" in said or self.now < self.late_at, "it may take for ever")
            rule("ready" not in said or said & {"told", "killed"}, "it waits for the word")
        if self.state.mode is Mode.RUNNING:
            rule(not self.alive, "forgotten")
            calm = not (desired.trial or desired.fallback or desired.reload_asked)
            rule(not (desired.upgrade_asked and calm), "asked in vain")
        if self.heir:
            rule(self.state.mode in {Mode.STOPPING, Mode.STOPPED}, "two masters serve")

    # What happens.

    def boot(self):
        for pid in list(self.state.children):
            self.happen(events.BecameReady(pid))
        self.now += PATIENCE.settle
        self.decide()

    def successor_says(self):
        for pid, said in list(self.alive.items()):
            if "killed" in said:
                continue
            if not said:
                said.add("ready")
                self.happen(events.SuccessorReady(pid))
            elif "told" in said:
                self.happen(events.SuccessorTook(pid, 1))
                del self.alive[pid]
                self.heir = pid

    def successor_dies(self):
        for pid in list(self.alive):
            upgrades = self.state.upgrades
            del self.alive[pid]
            self.happen(events.SuccessorDied(pid, "it died"))
            rule(self.state.upgrades == upgrades + 1, "nobody is told")

    def time_passes(self):
        due = lifecycle.next_deadline(self.state.desired, self.state.children.values(), self.now)
        self.now = due if due < inf else self.now + 1.0

    def live(self):
        steps = [
            *(self.successor_says, self.successor_says, self.successor_dies, self.time_passes, self.boot),
            *(lambda: self.happen(events.UpgradeAsked()), lambda: self.happen(events.UpgradeAsked())),
            *(lambda: self.happen(events.ReloadAsked()), lambda: self.happen(events.ScaleAsked(0))),
        ]
        for _ in range(25):
            self.random.choice(steps)()
            self.decide()
        self.happen(self.random.choice([events.StopAsked(), events.QuitAsked()]))
        self.decide()
        for _ in range(40):
            for pid in [pid for pid, said in self.alive.items() if "killed" in said]:
                del self.alive[pid]
                self.happen(events.SuccessorDied(pid, "it died"))
            for pid in list(self.state.children):
                self.happen(events.Died(pid, exited=True, reason="asked"))
            self.decide()
            if self.state.mode is Mode.STOPPED:
                return
            self.time_passes()
            self.decide()
        raise RuleBrokenError("it never ends")


def test_upgrades_keep_the_rules(rng):
    outcomes = set()
    for _ in range(LIVES):
        life = Life(rng.random(), lifecycle.plan)
        life.live()
        result = life.state.last_upgrade
        outcomes.add(None if result is None else bool(result.pid))
    assert outcomes >= {True, False}


def begins_during_a_reload(desired, children, now):
    asked = desired.upgrade_asked and desired.successor is None and not desired.stop
    return [StartSuccessor()] if asked else lifecycle.plan(desired, children, now)


def begins_again_and_again(desired, children, now):
    asked = desired.successor is not None and desired.successor.stage is Stage.READY
    return [StartSuccessor()] if asked else lifecycle.plan(desired, children, now)


def gives_the_word_at_once(desired, children, now):
    booting = desired.successor is not None and desired.successor.stage is Stage.BOOTING
    return [HandOver(desired.successor.pid)] if booting else lifecycle.plan(desired, children, now)


def waits_for_ever(desired, children, now):
    if desired.successor is not None and not desired.stop:
        desired = replace(desired, successor=replace(desired.successor, deadline=inf))
    return lifecycle.plan(desired, children, now)


def never_gives_the_word(desired, children, now):
    return [action for action in lifecycle.plan(desired, children, now) if not isinstance(action, HandOver)]


def lets_it_live_when_all_stops(desired, children, now):
    return [
        action
        for action in lifecycle.plan(desired, children, now)
        if not (isinstance(action, EndSuccessor) and desired.stop is not Stop.NO)
    ]


def forgets_it_when_all_stops(desired, children, now):
    return lifecycle.plan(replace(desired, successor=None) if desired.stop else desired, children, now)


def does_nothing(desired, children, now):
    return [action for action in lifecycle.plan(desired, children, now) if not isinstance(action, StartSuccessor)]


@pytest.mark.parametrize(
    "mutant",
    [
        begins_during_a_reload, begins_again_and_again, gives_the_word_at_once, waits_for_ever, never_gives_the_word,
        lets_it_live_when_all_stops, forgets_it_when_all_stops, does_nothing,
    ],
)  # fmt: skip
def test_wrong_plans_do_not(mutant, rng):
    def many_lives():
        for _ in range(20 * LIVES):
            Life(rng.random(), mutant).live()

    with pytest.raises(RuleBrokenError):
        many_lives()
