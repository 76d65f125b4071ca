"""The master's loop: what happened becomes events, events change the state, the state says what to do.

Knows:     the order: look, fold, plan, carry out, until nothing is left to do; then sleep until the next deadline.
Never:     decides (lifecycle.py), forks (effects.py), words anything (narrative.py).
Runs in:   the only thread of the first process.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import assert_never

from hybridd.errors import ExitCode
from hybridd.master import children as do
from hybridd.master import events, lifecycle
from hybridd.master.announcer import Announcer
from hybridd.master.children import Action
from hybridd.master.doorbell import Doorbell
from hybridd.master.effects import Effects
from hybridd.master.events import Event
from hybridd.master.farewell import Farewell
from hybridd.master.fold import fold
from hybridd.master.inheritance import same_logs
from hybridd.master.modes import Mode
from hybridd.master.registrar import Registrar
from hybridd.master.reload import Configurations
from hybridd.master.signals import BY_NUMBER
from hybridd.master.stacks import StackReader
from hybridd.master.state import State
from hybridd.master.status import History
from hybridd.master.successor import EndSuccessor, HandOver, StartSuccessor
from hybridd.master.upgrade import Upgrade
from hybridd.master.vitals import ROUND, Stall, Vitals
from hybridd.net.reactor import Reactor, Timer
from hybridd.ops import logs as logging_setup
from hybridd.worker import leaving_words, words

_log = logging.getLogger("hybridd.master")

MOST_ROUNDS = 100
"""Rounds of plan and effects in one turn; a plan that never comes to rest is a defect, and must not fork for ever."""


@dataclass(slots=True)
class Parts:
    """What the loop brings together."""

    effects: Effects
    configurations: Configurations
    vitals: Vitals
    announcer: Announcer
    history: History
    farewell: Farewell
    upgrade: Upgrade


class Master:
    """See the head of this file.

    Attributes:
        state: everything that decisions are made from.
        watchers: called after everything that happens.
        logs_reopened: how often the logs were opened again.
        stacks: asks workers where their threads stand.
    """

    def __init__(self, state: State, reactor: Reactor, parts: Parts) -> None:
        self.state = state
        self.watchers: list[Callable[[], None]] = []
        self.logs_reopened = 0
        self._reactor = reactor
        self._effects = parts.effects
        self._heritage = parts.effects.inheritance
        self._configurations = parts.configurations
        self._vitals = parts.vitals
        self._announcer = parts.announcer
        self._history = parts.history
        self._registrar = Registrar(self._heritage, parts.vitals, parts.history)
        self.stacks = StackReader(reactor, self._heritage.stacks, self._send)
        self._farewell = parts.farewell
        self._upgrade = parts.upgrade
        self._inbox: list[Event] = []
        self._attention = True  # something may have happened; at first, that there are no workers
        self._timer: Timer | None = None
        self._logs_opened = -inf

    def begin(self, watchdog: float | None) -> None:
        """Take part in the turns of the reactor; ``watchdog``: seconds between two signs of life for systemd."""
        Doorbell(self._heritage.doorbell, self._reactor, self.look)
        self._reactor.after_turn.append(self._turned)
        self._reactor.call_later(0.0, self.look)  # so that the first turn does not sleep
        self._round()
        if watchdog is not None:
            self._watchdog(watchdog)

    def look(self) -> None:
        """Look at the workers at the end of this turn."""
        self._attention = True

    def receive_signal(self, number: int) -> None:
        """Take what a signal asks for."""
        event = BY_NUMBER[signal.Signals(number)].event
        if event is not None:
            self._inbox.append(event)
        self._attention = True

    def ask(self, event: Event) -> None:
        """Take an operator's wish at the end of this turn."""
        self._inbox.append(event)
        self._attention = True

    def now(self) -> float:
        """Monotonic seconds of this turn."""
        return self._reactor.now

    # The loop.

    def _turned(self) -> None:
        if not self._attention:
            return
        self._attention = False
        self._inbox += self._vitals.announced(self.state.children)
        self._take(self._inbox)
        self._inbox = []
        self._reap()
        for _ in range(MOST_ROUNDS):
            actions = lifecycle.plan(self.state.desired, self.state.children.values(), self._reactor.now)
            if not actions:
                break
            wanted = self.state.desired.generation
            for action in actions:
                self._take([self._carry_out(action)])
                if self.state.desired.generation != wanted:
                    break  # a fork failed and with it a reload: the rest of the plan is of yesterday
            if self.state.finished:
                self._reactor.stop()
                return
        else:
            raise RuntimeError(f"the plan does not come to rest: {actions}")
        self._announcer.settled(self.state, self._reactor.now)
        self._take_leave()
        self._sleep_until_next_deadline()

    def _take(self, happened: list[Event]) -> None:
        """Fold events one by one, and do what is to be done beside the plan."""
        for event in happened:
            before, now = self.state, self._reactor.now
            self.state = fold(before, event, now)
            self._attend(before, event)  # before it is logged: when the logs are opened again, into the new file
            self._announcer.happened(before, event, self.state, now)
            for watch in self.watchers:
                watch()

    def _sleep_until_next_deadline(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._reactor.now
        due = lifecycle.next_deadline(self.state.desired, self.state.children.values(), now)
        if due < inf:
            self._timer = self._reactor.call_later(due - now, self.look)

    def _round(self) -> None:
        """Once per second: hearts, memory, logs, systemd's patience."""
        now = self._reactor.now
        self._inbox += self._vitals.round(self.state.children, self._configurations.worker_limits(), now)
        self._inbox += self._vitals.stuck(self.state.children, self._configurations.of, now)
        self._inbox += self._vitals.marks(self.state.children, self._configurations.of, now)
        for stall in self._vitals.stalls(self.state.children, self._configurations.of, now):
            self.stacks.ask_one(stall.child, partial(_tell_stall, stall))
        self._heritage.logs.tick(now)
        self._announcer.tick(self.state)
        self._reactor.call_later(ROUND, self._round)
        self._attention = True

    def _send(self, pid: int, number: int) -> None:
        if pid in self.state.children:  # else it was reaped, and the pid may be somebody else's
            os.kill(pid, number)

    def _watchdog(self, period: float) -> None:
        self._announcer.watchdog()
        self._reactor.call_later(period, lambda: self._watchdog(period))

    # What the plan wants.

    def _carry_out(self, action: Action) -> Event:  # noqa: C901, PLR0911 - one line per action
        match action:
            case do.Spawn():
                probation = self.state.patience[action.generation].settle if action.canary else 0.0
                probation = inf if self.state.heir else probation  # predecessor.py says when
                return self._effects.spawn(action, self._configurations.of(action.generation), probation)
            case do.Drain() | do.Quit() | do.Abort() | do.Kill():
                if self.state.desired.stop and not self._farewell.begun:
                    # Before the first worker stops accepting.
                    self._farewell.begin(self._heritage.listeners.open, self._reactor.now)
                    self._reactor.call_later(self._configurations.in_force.shutdown.linger, self.look)
                return self._effects.signal(action)
            case do.Retire():
                return self._effects.retire(action.pid)
            case do.Revive():
                return self._effects.revive(action.pid)
            case do.Promote():
                return events.Promoted(action.generation)
            case do.Commit():
                return events.Committed(action.generation)
            case do.ReadConfiguration():
                return self._configurations.read()
            case StartSuccessor() | HandOver() | EndSuccessor():
                return self._upgrade.carry_out(action)
            case do.Exit():
                return events.Left()
            case _:
                assert_never(action)

    def _reap(self) -> None:
        """Collect the dead."""
        children, now = self.state.children, self._reactor.now
        for reaped in self._effects.reap(children):
            child = children[reaped.pid]
            replaced = not self.state.desired.stop and child.generation != self.state.desired.trial
            self._take([self._registrar.register(child, reaped, now, replaced=replaced)])

    # What follows from events outside of the plan.

    def _attend(self, before: State, event: Event) -> None:
        self._follow_listeners(before)
        match event:
            case events.ReopenAsked() if self.state.mode is not Mode.STOPPED:
                self._reopen_logs()
            case events.BecameReady(pid=pid) if pid in self.state.children:
                if self.state.children[pid].born <= self._logs_opened:  # it was born with the old files
                    self._effects.reopen_logs(pid)
            case events.Promoted(generation=generation) if self.state.desired.generation == generation:
                if not self.state.desired.fallback:  # the very first one
                    self._follow(generation)
            case events.Committed(generation=generation) if self.state.desired.generation == generation:
                self._follow(generation)
            case _:
                pass
        self._forget_generations(before)
        if self.state.last_upgrade is not before.last_upgrade and self.state.last_upgrade is not None:
            self._upgrade.ended(self.state.last_upgrade)
        if self.state.last_reload is not before.last_reload and self.state.last_reload is not None:
            self._history.reload_successful = not self.state.last_reload.refused
            if self._history.reload_successful:
                self._history.reload_timestamp = time.time()

    def _reopen_logs(self) -> None:
        self._heritage.logs.reopen()
        self._effects.fork_servers.reopen_logs()
        self.logs_reopened += 1
        self._logs_opened = self._reactor.now
        for child in self.state.children.values():
            if child.served_since is not None:  # one that boots ignores the signal; it is told when it is ready
                self._effects.reopen_logs(child.pid)

    def _follow(self, generation: int) -> None:
        """Let the master itself follow the configuration of the generation that is trusted now."""
        self._configurations.trust(generation)
        config = self._configurations.in_force
        if not same_logs(config, self._heritage.config):
            try:
                self._heritage.logs = logging_setup.configure(
                    config.log, config.access_log, os.environ, daemon=config.daemon
                )
            except OSError as error:
                _log.warning("the master goes on with the logs before the reload: %s", error)
        self._heritage.config = config

    def _forget_generations(self, before: State) -> None:
        """Keep the configurations of those that have or will get workers."""
        wanted = self.state.desired.generations
        if wanted != before.desired.generations:
            alive = {child.generation for child in self.state.children.values()}
            self._configurations.forget(alive.union(wanted))

    def _follow_listeners(self, before: State) -> None:
        """Let the listeners come and go with their generations."""
        listeners, was, now = self._heritage.listeners, before.desired, self.state.desired
        if was.generations == now.generations or not now.generation:
            return
        config = self._configurations.of(now.generation)
        if not now.trial and not now.fallback and listeners.settle(now.generation, self._reactor.now):
            self._reactor.call_later(config.shutdown.linger, self.look)
        # Who retires keeps those that nobody else serves.
        leaving = self._heritage.scoreboard.header[words.LEAVING_LISTENERS]
        leaving_words.write(leaving, listeners.leaving(now.generation))
        for listener in listeners.current:
            if listener.owned:
                listener.sock.listen(config.backlog)  # again: it may have changed

    def _take_leave(self) -> None:
        """End the listeners when the workers have taken what waited there, and handshakes had time to be completed."""
        linger = self._configurations.in_force.shutdown.linger
        listeners, generation = self._heritage.listeners, self.state.desired.generation
        if listeners.parting:
            others = {pid: child for pid, child in self.state.children.items() if child.generation != generation}
            if self._vitals.all_drain(others):
                listeners.take_leave(self._reactor.now, linger)
        if self._farewell.is_due(self._reactor.now, linger) and self._vitals.all_drain(self.state.children):
            self._farewell.end()

    @property
    def exit_code(self) -> int:
        """The exit status of the process."""
        return ExitCode(self.state.desired.exit_code)


def _tell_stall(stall: Stall, stacks: str) -> None:
    _log.error("%s; its threads stand here:", stall.sentence, extra={"stacks": stacks})
