"""Watches the simulated world with books of its own, and says which promise was broken, when, in which life.

1. Never more workers than wanted plus one that do not leave, and no slot twice.
2. No worker is started while hybridd stops.
3. Nobody who serves is sent away for a reload or for being too many so that fewer serve than wanted.
4. No worker outlives its deadlines.
5. After trouble has ended: as many ready workers as wanted, all of the newest good generation; none of a bad one, ever.
6. Workers that die young are replaced no faster than the back-off allows; any other vacancy is filled at once.
7. A stop ends within its deadlines, with nobody left.

Knows:     what was asked, what was done, what the processes did.
Never:     the state that decisions are made from.
Runs in:   tests/unit/master, driven by world.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from hybridd.errors import ExitCode
from hybridd.master import children as do
from hybridd.master import events
from hybridd.master.children import Action, Patience, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.events import Event

SLACK = 0.1
"""Seconds that a simulated signal and a turn of the loop may take."""
SURGE = 1
YOUNG = 5.0
BURST_WINDOW = 30.0
BURST = 12
"""Starts per wanted worker in BURST_WINDOW: 3 at once, then pauses of 1, 2, 4, 8, 8 s, and room for accidents."""


class BrokenPromiseError(AssertionError):
    """A promise was broken."""


@dataclass(eq=False)
class Process:
    """One simulated worker."""

    pid: int
    slot: int
    generation: int
    born: float
    canary: bool
    ready_at: float | None = None
    died_at: float | None = None
    hung_since: float | None = None
    deaf: bool = False  # ignores TERM and QUIT
    undead: bool = False  # ignores ABRT too
    told: list[tuple[float, str]] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return self.ready_at is not None

    @property
    def hung(self) -> bool:
        return self.hung_since is not None

    @property
    def dead(self) -> bool:
        return self.died_at is not None

    @property
    def serving(self) -> bool:
        return self.ready and not self.told and not self.hung and not self.dead


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings of a life; ``quiet``: seconds without trouble after which everything must be as wanted."""

    patience: Patience
    policy: CrashPolicy
    drain_delay: float
    quiet: float


class Witness:
    """See the head of this file."""

    def __init__(self, seed: int, workers: int, terms: Terms) -> None:
        self.seed = seed
        self.workers = workers
        self.patience = terms.patience
        self.policy = terms.policy
        self.drain_delay = terms.drain_delay
        self.quiet = terms.quiet
        self.alive: dict[int, Process] = {}
        self.trusted = 0
        self.tried: dict[int, Process] = {}
        self.owed: dict[int, float] = {}
        self.new_workers: dict[int, int | None] = {}
        self.reload_asked = False
        self.last_trouble = 0.0
        self.stop_by = inf
        self.stopping = False
        self.young: dict[int, tuple[int, float]] = {}  # slot → short lives in a row, may not start before
        self.forgiven: set[int] = set()  # of these, what a smaller fleet may have forgotten
        self.starts: list[float] = []
        self.deaths_of_old = 0

    def expect(self, condition: bool, now: float, promise: str) -> None:
        if not condition:
            raise BrokenPromiseError(f"seed {self.seed}, {now:.2f} s: {promise}")

    # What happens.

    def trouble(self, at: float) -> None:
        self.last_trouble = max(self.last_trouble, at)

    def owe(self, generation: int, workers: int | None, now: float) -> None:
        self.owed[generation] = now
        self.new_workers[generation] = workers
        self.trouble(now)

    def born(self, process: Process) -> None:
        self.alive[process.pid] = process
        if process.canary:
            self.tried[process.generation] = process

    def died(self, process: Process, now: float, *, from_outside: bool) -> None:
        del self.alive[process.pid]
        self._check_deadlines(process, now)
        untold = not process.told or process.told[0][1] in {Why.BOOT, Why.HUNG, Why.NONE}
        if untold:
            self.trouble(now)
        if process.generation == self.trusted and not self.stopping and not from_outside:
            lives, _ = self.young.get(process.slot, (0, 0.0))
            served = now - process.ready_at if process.ready_at is not None else 0.0
            if not untold or served >= YOUNG:
                self.young.pop(process.slot, None)
                self.forgiven.discard(process.slot)
            else:
                pause = min(2.0 ** (lives - 2), self.policy.longest_pause) if lives >= 2 else 0.0
                self.young[process.slot] = (lives + 1, now + pause)
        if process.canary and (untold or process.told[0][1] == "left"):
            self.owed.pop(process.generation, None)

    def saw(self, event: Event, now: float) -> None:
        match event:
            case events.ScaleAsked() if not self.stopping:
                self._scaled(self.workers + event.by)
            case events.Promoted() if not self.stopping:
                self._promoted(event.generation, now)
            case events.ReloadAsked():
                self.reload_asked = True
            case events.ConfigurationRead() | events.ConfigurationRefused():
                self.expect(self.reload_asked, now, "reads the configuration unasked, or twice")
                self.reload_asked = False
            case events.Recovered():
                self.forgiven |= set(self.young)
            case events.SpawnFailed():
                self.trouble(now)
                self.owed.pop(event.generation, None)
                if event.generation == self.trusted:
                    lives, _ = self.young.get(event.slot, (0, 0.0))
                    pause = min(2.0 ** max(lives - 2, 0), self.policy.longest_pause)
                    self.young[event.slot] = (max(lives, 2) + 1, now + pause)
            case events.StopAsked() | events.QuitAsked():
                self._stopped(quick=isinstance(event, events.QuitAsked) or self.stopping, now=now)
            case _:
                pass

    def _scaled(self, workers: int) -> None:
        self.workers = max(1, workers)
        self.forgiven |= set(self.young)  # fewer checks are better than wrong ones
        self.starts.clear()

    def _promoted(self, generation: int, now: float) -> None:
        canary = self.tried.get(generation)
        settled = self.trusted == 0 or (canary is not None and (canary.ready_at or inf) + self.patience.settle <= now)
        self.expect(canary is not None and canary.serving and settled, now, "trusts a generation that has not settled")
        self.expect(generation > self.trusted, now, "trusts an older generation")
        self.trusted = generation
        self.owed.pop(generation, None)
        self.trouble(now)
        self.young.clear()
        self.forgiven.clear()
        self.starts.clear()
        workers = self.new_workers.get(generation)
        if workers is not None:
            self.workers = workers

    def _stopped(self, *, quick: bool, now: float) -> None:
        patience = self.patience
        ends = patience.quit + patience.kill if quick else self.drain_delay + patience.graceful + patience.leave
        self.stop_by = min(self.stop_by, now + ends + patience.abort + patience.kill + SLACK)
        self.stopping = True

    # What is done.

    def judge(self, action: Action, now: float) -> None:
        match action:
            case do.Spawn():
                self._judge_spawn(action, now)
            case do.Drain() | do.Quit() | do.Abort() | do.Kill():
                self._judge_step(action, now)
            case do.Exit():
                self.expect(not self.alive, now, "leaves while workers live")
                never = not self.trusted and not self.stopping
                self.expect(action.code == (ExitCode.CANNOT_BOOT if never else 0) or never, now, "wrong exit code")
                self.expect(action.code != 0 or self.stopping, now, "leaves unasked")
            case _:
                pass

    def _judge_spawn(self, spawn: do.Spawn, now: float) -> None:
        self.expect(not self.stopping, now, "starts a worker while it stops")
        self.expect(all(spawn.slot != other.slot for other in self.alive.values()), now, "uses a slot twice")
        staying = sum(not other.told and not other.hung for other in self.alive.values())
        self.expect(staying < self.workers + SURGE, now, "starts more workers than wanted plus one")
        if spawn.canary:
            self.expect(spawn.generation > self.trusted, now, "tries an old generation")
            return
        self.expect(spawn.generation == self.trusted, now, "starts a worker of a generation that is not trusted")
        _, not_before = self.young.get(spawn.slot, (0, 0.0))
        rested = now >= not_before or spawn.slot in self.forgiven
        self.expect(rested, now, "starts a worker in a slot that has to rest")
        self.starts = [at for at in self.starts if at > now - BURST_WINDOW] + [now]
        self.expect(len(self.starts) <= BURST * (self.workers + SURGE), now, "starts workers too often")

    def _judge_step(self, step: do.Step, now: float) -> None:
        process = self.alive.get(step.pid)
        if process is None:
            return
        if process.serving and step.why in {Why.RELOAD, Why.SCALE}:
            others = sum(other.serving for other in self.alive.values()) - 1
            others -= sum(other.serving for other in self._unarmed())
            self.expect(others >= self.workers, now, f"loses capacity: {step}")
        if process.hung and isinstance(step, do.Abort) and process.hung_since is not None and not process.told:
            if process in self._unarmed(hung=True):
                return
            enough = sum(other.serving for other in self.alive.values()) - len(self._unarmed()) >= self.workers
            late = now >= process.hung_since + self.patience.boot - SLACK
            self.expect(enough or late, now, "ends a hung worker before its replacement is ready")
        process.told.append((now, step.why))

    def _unarmed(self, *, hung: bool = False) -> list[Process]:
        """Canaries on probation take no connections."""
        canaries = (p for p in self.alive.values() if p.canary and p.generation > self.trusted)
        return [p for p in canaries if p.serving or (hung and p.hung and not p.told)]

    def at_rest(self, now: float) -> None:
        """The master has done all that it wants to do now."""
        for process in self.alive.values():
            self._check_deadlines(process, now)
        self.expect(now <= self.stop_by, now, "has not stopped in time")
        if self.stopping:
            return
        if now > self.last_trouble + self.quiet:
            self.expect(self.trusted > 0, now, "neither trusts its first generation nor gives it up")
            self.expect(not self.reload_asked, now, "forgets a reload")
        if not self.trusted:
            return
        staying = [other for other in self.alive.values() if not other.told and not other.hung]
        resting = sum(
            not_before > now and all(slot != other.slot for other in self.alive.values())
            for slot, (_, not_before) in self.young.items()
        )
        self.expect(len(staying) >= self.workers - resting, now, "leaves a vacancy")
        if now > self.last_trouble + self.quiet:
            self.expect(not self.owed, now, "does not get to trust a good generation")
            self.expect(len(self.alive) == self.workers, now, "has not settled on the wanted number")
            self.expect(all(p.serving and p.generation == self.trusted for p in staying), now, "makes no progress")

    def _check_deadlines(self, process: Process, now: float) -> None:
        patience = self.patience
        force = patience.abort + SLACK
        if not process.ready and not process.told:
            self.expect(now <= process.born + patience.boot + force, now, f"lets {process} boot too long")
        if process.hung_since is not None and not process.told:
            self.expect(now <= process.hung_since + patience.boot + force, now, f"lets {process} hang too long")
        for at, why in process.told:
            if why == Why.NONE:
                continue
            longest = patience.graceful + patience.leave + force
            self.expect(now <= at + longest, now, f"lets {process} leave too slowly")
            break
