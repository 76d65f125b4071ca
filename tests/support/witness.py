"""Watches the simulated world with books of its own, and says which promise was broken, when, in which life.

1. Never more workers than wanted plus the surge that do not leave, and no slot twice.
2. No worker is started while hybridd stops.
3. Nobody who serves is sent away or retired for a reload, for being marked or too many so that fewer serve than wanted.
4. No worker outlives its deadlines.
5. After trouble has ended: as many ready workers as wanted, all of the newest good generation; none of a bad one, ever.
6. Workers that die young are replaced no faster than the back-off allows; any other vacancy is filled at once.
7. A stop ends within its deadlines, with nobody left.
8. A reload is undone by the first failure of a new worker until all serve and have settled; until then those that have
   retired for it stay, and then they are called back.
9. A marked worker is replaced, so many at a time; who is only to be recycled never while too many crash.

Knows:     what was asked, what was done, what the processes did.
Never:     the state that decisions are made from.
Runs in:   tests/unit/master, driven by world.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from hybridd.errors import ExitCode
from hybridd.master import children as do
from hybridd.master import events, preloading
from hybridd.master.children import Action, Patience, Why
from hybridd.master.crash_policy import CrashPolicy
from hybridd.master.events import Event

SLACK = 0.1
"""Seconds that a simulated signal and a turn of the loop may take."""
CANARY = 1
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
    retired: bool = False
    armed: bool = False  # a canary that has become one of the others
    marked: str = ""
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
        return self.ready and not (self.told or self.hung or self.retired or self.dead)

    @property
    def staying(self) -> bool:
        return not (self.told or self.hung or self.retired)


@dataclass(frozen=True, slots=True)
class Terms:
    """The settings of a life; ``quiet``: seconds without trouble after which everything must be as wanted."""

    patience: Patience
    policy: CrashPolicy
    drain_delay: float
    quiet: float
    surge: int
    unavailable: int


class Witness:
    """See the head of this file."""

    def __init__(self, seed: int, workers: int, terms: Terms) -> None:
        self.seed = seed
        self.workers = workers
        self.patience = terms.patience
        self.policy = terms.policy
        self.drain_delay = terms.drain_delay
        self.quiet = terms.quiet
        self.surge = terms.surge
        self.unavailable = terms.unavailable
        self.alive: dict[int, Process] = {}
        self.trusted = 0
        self.fallback = 0  # while a reload can still be undone
        self.doubted = False
        self.kept: set[int] = set()  # generations whose first fork server lives
        self.step = 0  # by how many the reload on its way has changed the wanted number
        self.crashes: list[float] = []
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

    def read(self, generation: int, workers: int | None) -> None:
        self.new_workers[generation] = workers

    def owe(self, generation: int, now: float) -> None:
        self.owed[generation] = now
        self.trouble(now)

    def born(self, process: Process) -> None:
        self.alive[process.pid] = process
        if process.canary:
            self.tried[process.generation] = process

    @property
    def stale(self) -> bool:
        return self.doubted and self.trusted not in self.kept

    def named(self, ticket: int, process: Process) -> None:
        """A worker that was asked for is born."""
        del self.alive[ticket]
        self.alive[process.pid] = process

    def never_born(self, process: Process) -> None:
        del self.alive[process.pid]

    def died(self, process: Process, now: float, *, from_outside: bool) -> None:
        del self.alive[process.pid]
        self._check_deadlines(process, now)
        untold = not process.told or process.told[0][1] in {Why.BOOT, Why.HUNG, Why.NONE}
        if untold:
            self.trouble(now)
        if self.stopping:
            return
        if process.generation > self.trusted and not process.armed:
            self.doubted = self.doubted or self.trusted > 0
            if untold or process.told[0][1] == "left":
                self.owed.pop(process.generation, None)
            return
        if untold:
            self.crashes.append(now)
        if untold and self.fallback and process.generation == self.trusted and not from_outside:
            self._undone(now)
            return
        if process.generation == self.trusted and not self.stopping and not from_outside:
            lives, _ = self.young.get(process.slot, (0, 0.0))
            served = now - process.ready_at if process.ready_at is not None else 0.0
            if not untold or served >= YOUNG:
                self.young.pop(process.slot, None)
                self.forgiven.discard(process.slot)
            else:
                pause = min(2.0 ** (lives - 2), self.policy.longest_pause) if lives >= 2 else 0.0
                self.young[process.slot] = (lives + 1, now + pause)

    def _undone(self, now: float) -> None:
        """The reload that replaces the workers has failed."""
        self.owed.pop(self.trusted, None)
        self.trusted, self.fallback, self.doubted = self.fallback, 0, True
        self._scaled(self.workers - self.step)
        self.young.clear()
        self.forgiven.clear()
        self.trouble(now)

    def saw(self, event: Event, now: float) -> None:  # noqa: C901, PLR0912 - one case per event
        match event:
            case events.ScaleAsked() if not self.stopping and not (self.stale and event.by > 0):
                self._scaled(self.workers + event.by)
            case events.Promoted() if not self.stopping:
                self._promoted(event.generation, now)
            case events.Committed() if not self.stopping:
                self._committed(event.generation, now)
            case events.SeemsHung() if self.fallback and not self.stopping:
                process = self.alive.get(event.pid)
                if process is not None and process.generation == self.trusted:
                    self._undone(now)
            case events.Marked() if not self.stopping:
                self._marked([self.alive[event.pid]], event.why)
            case events.RestartAsked() if not self.stopping:
                self._marked([other for other in self.alive.values() if other.slot == event.slot], Why.RESTART)
            case events.ReloadAsked():
                self.reload_asked = True
            case events.ConfigurationRead() | events.ConfigurationRefused():
                self.expect(self.reload_asked, now, "reads the configuration unasked, or twice")
                self.reload_asked = False
            case preloading.Preloaded(generation=generation, original=True):
                self.kept.add(generation)
            case preloading.ForkServerLost(generation=generation):
                self.kept.discard(generation)
            case events.Recovered():
                self.forgiven |= set(self.young)
            case events.SpawnFailed():
                self.trouble(now)
                self.owed.pop(event.generation, None)
                if self.stopping:
                    return
                if event.generation > self.trusted:
                    self.doubted = self.doubted or self.trusted > 0
                elif self.fallback:
                    self._undone(now)
                elif event.generation == self.trusted:
                    lives, _ = self.young.get(event.slot, (0, 0.0))
                    pause = min(2.0 ** max(lives - 2, 0), self.policy.longest_pause)
                    self.young[event.slot] = (max(lives, 2) + 1, now + pause)
            case events.StopAsked() | events.QuitAsked():
                self._stopped(quick=isinstance(event, events.QuitAsked) or self.stopping, now=now)
            case _:
                pass

    def _marked(self, processes: list[Process], why: Why) -> None:
        for process in processes:
            if process.serving and process not in self._unarmed() and process.marked in {"", Why.RECYCLE}:
                process.marked = why

    def _scaled(self, workers: int) -> None:
        self.workers = max(1, workers)
        self.forgiven |= set(self.young)  # fewer checks are better than wrong ones
        self.starts.clear()

    def _promoted(self, generation: int, now: float) -> None:
        canary = self.tried.get(generation)
        settled = self.trusted == 0 or (canary is not None and (canary.ready_at or inf) + self.patience.settle <= now)
        self.expect(canary is not None and canary.serving and settled, now, "trusts a generation that has not settled")
        self.expect(generation > self.trusted, now, "trusts an older generation")
        if canary is not None:
            canary.armed = True
        self.trusted, self.fallback = generation, self.trusted
        self.trouble(now)
        self.young.clear()
        self.forgiven.clear()
        self.starts.clear()
        before, workers = self.workers, self.new_workers.get(generation)
        if workers is not None:
            self.workers = workers
        self.step = self.workers - before

    def _committed(self, generation: int, now: float) -> None:
        self.expect(self.fallback > 0 and generation == self.trusted, now, "commits what is not on its way")
        serving = [other for other in self.alive.values() if other.staying and other.ready]
        alone = all(other.generation == generation for other in serving)
        self.expect(alone and len(serving) >= self.workers, now, "commits before all are new")
        settled = all((other.ready_at or inf) + self.patience.settle <= now + 1e-6 for other in serving)
        self.expect(settled, now, "commits before the new ones have settled")
        self.fallback, self.doubted = 0, False
        self.owed.pop(generation, None)
        self.trouble(now)

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
            case do.Retire():
                process = self.alive[action.pid]
                self.expect(process.serving and process.generation == self.fallback, now, "retires who should not")
                self.expect(self._others(process) >= self.workers, now, "loses capacity by retiring")
                process.retired = True
            case do.Revive():
                process = self.alive[action.pid]
                called = process.retired and not self.fallback and process.generation == self.trusted
                self.expect(called, now, "revives who should not")
                process.retired = False
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
        staying = sum(other.staying for other in self.alive.values())
        marked = min(self.unavailable, sum(bool(other.marked) for other in self.alive.values()))
        surge = CANARY if spawn.canary else max(self.surge, marked)
        self.expect(staying < self.workers + surge, now, "starts more workers than wanted plus the surge")
        if spawn.canary:
            self.expect(spawn.generation > self.trusted, now, "tries an old generation")
            return
        self.expect(spawn.generation == self.trusted, now, "starts a worker of a generation that is not trusted")
        _, not_before = self.young.get(spawn.slot, (0, 0.0))
        rested = now >= not_before or spawn.slot in self.forgiven
        self.expect(rested, now, "starts a worker in a slot that has to rest")
        self.starts = [at for at in self.starts if at > now - BURST_WINDOW] + [now]
        self.expect(len(self.starts) <= BURST * (self.workers + self.surge), now, "starts workers too often")

    def _judge_step(self, step: do.Step, now: float) -> None:
        process = self.alive.get(step.pid)
        if process is None:
            return
        if step.why is Why.RELOAD and not process.told and (process.retired or process.serving):
            needed = process.generation == self.fallback
            self.expect(not needed, now, "sends a retired one away while it may be needed")
        if process.serving and step.why not in {Why.STOP, Why.HUNG} and process not in self._unarmed():
            self.expect(self._others(process) >= self.workers, now, f"loses capacity: {step}")
        if step.why is Why.RECYCLE and not process.told:
            recent = sum(at > now - self.policy.window for at in self.crashes)
            calm = recent < self.policy.restarts and not self.fallback
            self.expect(calm, now, "recycles in a crash loop or a reload")
        if step.why in {Why.RECYCLE, Why.RESTART, Why.STUCK}:
            self.expect(process.marked == step.why, now, "replaces who is not marked")
        if process.hung and isinstance(step, do.Abort) and process.hung_since is not None and not process.told:
            if process in self._unarmed(hung=True):
                return
            enough = sum(other.serving for other in self.alive.values()) - len(self._unarmed()) >= self.workers
            late = now >= process.hung_since + self.patience.boot - SLACK
            self.expect(enough or late, now, "ends a hung worker before its replacement is ready")
        process.told.append((now, step.why))

    def _others(self, process: Process) -> int:
        """How many serve beside this one; a canary on probation takes no connections."""
        return sum(other.serving for other in self.alive.values() if other is not process) - sum(
            other.serving for other in self._unarmed() if other is not process
        )

    def _unarmed(self, *, hung: bool = False) -> list[Process]:
        """Canaries on probation take no connections."""
        canaries = (p for p in self.alive.values() if p.canary and not p.armed)
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
        staying = [other for other in self.alive.values() if other.staying]
        resting = sum(
            not_before > now and all(slot != other.slot for other in self.alive.values())
            for slot, (_, not_before) in self.young.items()
        )
        self.expect(len(staying) >= self.workers - resting, now, "leaves a vacancy")
        if now > self.last_trouble + self.quiet:
            waiting = [p for p in staying if p.marked and not (self.stale and p.marked == Why.RECYCLE)]
            self.expect(not waiting, now, "does not replace who is marked")
            self.expect(not self.fallback, now, "neither commits a reload nor undoes it")
            self.expect(not self.owed, now, "does not get to trust a good generation")
            self.expect(len(self.alive) == self.workers, now, "has not settled on the wanted number")
            self.expect(all(p.serving and p.generation == self.trusted for p in staying), now, "makes no progress")

    def _check_deadlines(self, process: Process, now: float) -> None:
        patience = self.patience
        force = patience.abort + SLACK
        if process.told:
            longest = patience.graceful + patience.leave + force
            told = next((at for at, why in process.told if why != Why.NONE), inf)
            if now > told + longest:
                self.expect(False, now, f"lets {process} leave too slowly")
            return
        if not process.ready and now > process.born + patience.boot + force:
            self.expect(False, now, f"lets {process} boot too long")
        if process.hung_since is not None and now > process.hung_since + patience.boot + force:
            self.expect(False, now, f"lets {process} hang too long")
