"""A simulated machine for the master's decisions: processes that boot slowly, fail, crash, hang, ignore signals.

One seed is one life of a master: it starts, is scaled and reloaded at any moment, its workers die, and in the end it is
stopped.  Time is simulated, so a life of minutes takes milliseconds.  The Witness watches it with books of its own.

Knows:     events and actions of hybridd.master, as values.
Never:     processes, clocks, the insides of plan() and fold().
Runs in:   tests/unit/master.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import Enum
from heapq import heappop, heappush
from itertools import count
from math import inf
from random import Random

from hybridd.master import children as do
from hybridd.master import events, lifecycle, preloading
from hybridd.master.children import TICKETS, Action, Child, Patience, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.desired import Desired
from hybridd.master.events import Event
from hybridd.master.fold import fold
from hybridd.master.state import first_state
from tests.support.witness import Process, Terms, Witness

Plan = Callable[[Desired, Collection[Child], float], list[Action]]

PATIENCE = Patience(boot=10.0, graceful=8.0, settle=2.0, leave=1.0, quit=2.0, abort=1.0, kill=1.0)
POLICIES = [CrashPolicy(restarts=restarts, window=60.0, longest_pause=8.0) for restarts in (10, 3)]
"""The second sees a crash loop in what the first takes for accidents; worlds have them by turns."""

QUIET = 150.0
"""Simulated seconds without trouble after which everything must be as wanted."""


class Code(Enum):
    """What a generation's code does."""

    GOOD = "good"
    BROKEN = "cannot be loaded"
    HANGS = "hangs while it is loaded"
    DIES_YOUNG = "dies soon after it was ready"
    DIES_LATER = "dies when it has begun to replace the others"


@dataclass
class World:
    """One life.  ``live()`` runs it to its end or raises BrokenPromiseError."""

    seed: int
    plan: Plan = lifecycle.plan
    now: float = 0.0
    spawned: int = 0
    _queue: list[tuple[float, int, Callable[[], list[Event]]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _pids: count[int] = field(default_factory=lambda: count(100))
    _tickets: count[int] = field(default_factory=lambda: count(TICKETS))
    _processes: dict[int, Process] = field(default_factory=dict)
    _outage_until: float = -1.0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.workers = self.random.choice([1, 1, 2, 3, 4, 6])
        self.drain_delay = self.random.choice([0.0, 0.0, 3.0])
        self.code = {1: self._draw_code(good=0.9)}
        self.surge = self.random.choice([1, 1, 2])
        self.unavailable = self.random.choice([1, 1, 2])
        self.preload = self.seed % 3 == 0
        self._fork_servers: dict[int, float] = {}  # generation → when its application is loaded
        self._preloaded: set[int] = set()
        self.policy = POLICIES[self.seed % 2]
        terms = Terms(PATIENCE, self.policy, self.drain_delay, QUIET, self.surge, self.unavailable)
        self.witness = Witness(self.seed, self.workers, terms)
        self.state = first_state(
            self.workers,
            PATIENCE,
            self.policy,
            drain_delay=self.drain_delay,
            slots=60,
            surge=self.surge,
            unavailable=self.unavailable,
        )
        self._write_script()

    def live(self) -> None:
        """Run until the master has left."""
        self._decide()
        while not self.state.finished:
            due = lifecycle.next_deadline(self.state.desired, self.state.children.values(), self.now)
            at = min(self._queue[0][0] if self._queue else inf, due)
            self.witness.expect(at < inf, self.now, "the master waits for nothing")
            self.now = at
            while self._queue and self._queue[0][0] <= self.now:
                for event in heappop(self._queue)[2]():
                    self._fold(event)
            self._decide()

    # The master's loop.

    def _fold(self, event: Event) -> None:
        self.state = fold(self.state, event, self.now)
        self.witness.saw(event, self.now)

    def _decide(self) -> None:
        for _ in range(30):
            actions = self.plan(self.state.desired, tuple(self.state.children.values()), self.now)
            wanted = self.state.desired.generation
            for action in actions:
                self.witness.judge(action, self.now)
                self._fold(self._carry_out(action))
                if self.state.desired.generation != wanted:
                    break
            if not actions or self.state.finished:
                self.witness.at_rest(self.now)
                return
        self.witness.expect(False, self.now, "the plan never comes to rest")

    def _carry_out(self, action: Action) -> Event:  # noqa: PLR0911 - one line per action
        match action:
            case do.Spawn():
                return self._spawn(action)
            case do.Retire():
                return events.Retired(action.pid)
            case do.Revive():
                return events.Revived(action.pid)
            case do.Promote():
                return events.Promoted(action.generation)
            case do.Commit():
                return events.Committed(action.generation)
            case do.ReadConfiguration():
                return self._read_configuration()
            case do.Exit():
                return events.Left()
            case do.Drain() | do.Quit() | do.Abort() | do.Kill():
                self._signal(action)
                return events.Signalled(action)
            case _:
                raise AssertionError(f"nobody has asked for an upgrade: {action}")

    def _read_configuration(self) -> Event:
        if self.random.random() < 0.2:
            return events.ConfigurationRefused("syntax error")
        generation = max(self.code) + 1
        self.code[generation] = self._draw_code(good=0.6)
        workers = self.random.choice([None, None, None, 2, 5])
        self.witness.read(generation, workers)
        if self.code[generation] is Code.GOOD:
            self.witness.owe(generation, self.now)
        terms = (self.surge, self.unavailable)
        return events.ConfigurationRead(generation, PATIENCE, self.policy, self.drain_delay, workers, *terms)

    # Processes.

    def _spawn(self, action: do.Spawn) -> Event:
        if self.random.random() < 0.01:
            return events.SpawnFailed(action.slot, action.generation, "EAGAIN")
        self.spawned += 1
        pid = next(self._tickets if self.preload else self._pids)
        process = Process(pid, action.slot, action.generation, self.now, canary=action.canary)
        self._processes[pid] = process
        self.witness.born(process)
        code = self.code[action.generation]
        boot = self.random.choice([0.1, 0.5, 2.0, 6.0])
        if self.preload and code not in {Code.BROKEN, Code.HANGS}:
            boot = self._ask_fork_server(process, boot)
        if code is Code.BROKEN or (self.now < self._outage_until and not action.canary):
            self._at(self.random.uniform(0.05, 0.4), lambda: self._die(process, exited=True))
        elif code is not Code.HANGS:
            self._at(boot, lambda: self._ready(process))
            if code is Code.DIES_YOUNG:
                self._at(boot + self.random.uniform(0.1, 1.9), lambda: self._die(process, exited=True))
            elif code is Code.DIES_LATER:
                self._at(boot + self.random.uniform(2.1, 6.0), lambda: self._die(process, exited=True))
        process.deaf = self.random.random() < 0.1
        process.undead = self.random.random() < 0.05
        return events.Spawned(action.slot, pid, action.generation)

    def _ask_fork_server(self, process: Process, load: float) -> float:
        """Let a worker be born when the application of its generation is loaded; return when it will be ready."""
        generation = process.generation
        if generation not in self._fork_servers:
            self._fork_servers[generation] = self.now + load
            original = generation not in self._preloaded
            self._preloaded.add(generation)
            self._at(load, lambda: [preloading.Preloaded(generation, 1, load, original)])
        waits = max(0.0, self._fork_servers[generation] - self.now) + 0.01
        self._at(waits, lambda: self._bear(process))
        return waits + 0.05

    def _bear(self, process: Process) -> list[Event]:
        if process.dead:
            return []
        ticket = process.pid
        del self._processes[ticket]
        if self.random.random() < 0.01:
            process.died_at = self.now
            self.witness.never_born(process)
            return [events.SpawnFailed(process.slot, process.generation, "EAGAIN", ticket)]
        process.pid = next(self._pids)
        self._processes[process.pid] = process
        self.witness.named(ticket, process)
        return [preloading.Born(ticket, process.pid)]

    def _lose_fork_server(self) -> list[Event]:
        """A fork server dies, and with it only those workers that it has not made yet."""
        self.witness.trouble(self.now)
        if not self._fork_servers:
            return []
        generation = self.random.choice(list(self._fork_servers))
        del self._fork_servers[generation]
        unborn = [one for one in self._processes.values() if one.pid >= TICKETS and one.generation == generation]
        died = [event for process in unborn for event in self._die(process)]
        return [*died, preloading.ForkServerLost(generation, 1, -9)]

    def _signal(self, step: do.Step) -> None:
        process = self._processes.get(step.pid)
        if process is None:
            return
        if isinstance(step, do.Kill):
            self._at(0.01, lambda: self._die(process))
        elif isinstance(step, do.Abort):
            if not process.undead:
                self._at(0.05, lambda: self._die(process))
        elif not process.deaf and not process.hung:
            slow = isinstance(step, do.Drain) and process.ready
            self._at(self.random.uniform(0.0, PATIENCE.graceful) if slow else 0.02, lambda: self._die(process))

    def _ready(self, process: Process) -> list[Event]:
        if process.dead:
            return []
        process.ready_at = self.now
        return [events.BecameReady(process.pid)]

    def _die(self, process: Process, *, exited: bool = False, from_outside: bool = False) -> list[Event]:
        if process.dead:
            return []
        process.died_at = self.now
        del self._processes[process.pid]
        self.witness.died(process, self.now, from_outside=from_outside)
        return [events.Died(process.pid, exited, "it died", from_outside)]

    # What happens to them, and what the operator does.

    def _at(self, seconds: float, what: Callable[[], list[Event]]) -> None:
        heappush(self._queue, (self.now + seconds, next(self._order), what))

    def _draw_code(self, good: float) -> Code:
        if self.random.random() < good:
            return Code.GOOD
        return self.random.choice([Code.BROKEN, Code.HANGS, Code.DIES_YOUNG, Code.DIES_LATER])

    def _write_script(self) -> None:
        """Plan the trouble: some of it dense, then a quiet time, then the end."""
        trouble = [
            *(self._accident, self._accident, self._hang, self._outage, self._leave),
            *(self._reload, self._reload, self._reload, self._scale, self._scale, self._mark),
            *((self._lose_fork_server, self._lose_fork_server) if self.preload else ()),
        ]
        at = 0.0
        for _ in range(self.random.choice([0, 3, 6, 12])):
            at += self.random.choice([0.0, 0.3, 3.0, 30.0])
            self._at(at, self.random.choice(trouble))
        end = at + self.random.choice([0.1, 5.0, QUIET + 60.0])
        self._at(end - 0.05, list)  # the witness looks once more before the end
        how: list[Event] = [events.StopAsked(), events.StopAsked(), events.QuitAsked()]
        self._at(end, lambda: [self.random.choice(how)])
        if self.random.random() < 0.3:
            self._at(end + self.random.uniform(0.0, 5.0), lambda: [events.StopAsked()])

    def _reload(self) -> list[Event]:
        self.witness.trouble(self.now)
        return [events.ReloadAsked()]

    def _scale(self) -> list[Event]:
        self.witness.trouble(self.now)
        return [events.ScaleAsked(self.random.choice([1, 1, 2, -1, -1, -3]))]

    def _outage(self) -> list[Event]:
        """For a while nothing can boot (a database is gone), and some workers die of it."""
        self._outage_until = self.now + self.random.choice([5.0, 60.0])
        self.witness.trouble(self._outage_until)
        return [event for process in list(self._processes.values())[:2] for event in self._die(process, exited=True)]

    def _victim(self) -> Process | None:
        self.witness.trouble(self.now)
        return self.random.choice(list(self._processes.values())) if self._processes else None

    def _accident(self) -> list[Event]:
        victim = self._victim()
        return [] if victim is None else self._die(victim, from_outside=victim.serving and self.random.random() < 0.5)

    def _hang(self) -> list[Event]:
        victim = self._victim()
        if victim is None or not victim.serving:
            return []
        victim.hung_since = self.now
        if self.random.random() < 0.3:
            self._at(self.random.uniform(0.5, 5.0), lambda: self._recover(victim))
        return [events.SeemsHung(victim.pid)]

    def _recover(self, process: Process) -> list[Event]:
        if process.dead or process.told:
            return []
        process.hung_since = None
        return [events.Recovered(process.pid)]

    def _mark(self) -> list[Event]:
        """Some workers have had enough, or do not please the operator."""
        why = self.random.choice([Why.RECYCLE, Why.RECYCLE, Why.RESTART, Why.STUCK])
        self.witness.trouble(self.now)
        marked = [process for process in self._processes.values() if process.serving and self.random.random() < 0.6]
        if why is not Why.RESTART:
            return [events.Marked(process.pid, why) for process in marked]
        return [events.RestartAsked(process.slot) for process in marked]

    def _leave(self) -> list[Event]:
        """Somebody sends a worker SIGTERM by hand."""
        victim = self._victim()
        if victim is None or not victim.serving:
            return []
        victim.told.append((self.now, "left"))
        self._at(1.0, lambda: self._die(victim))
        return [events.BeganToLeave(victim.pid)]
