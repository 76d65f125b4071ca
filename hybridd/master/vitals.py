"""Look at the workers: what their rows say, what /proc says, who is hung.

Knows:     where the facts stand.
Never:     decides; health.py judges, lifecycle.py acts.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybridd.config.settings import Config
from hybridd.master import events, recycling
from hybridd.master.children import TICKETS, Child, Phase, Why
from hybridd.master.deaths import Remains
from hybridd.master.events import Event
from hybridd.master.health import Sample, Suspicion, Verdict, judge
from hybridd.master.processes import Reaped
from hybridd.master.recycling import Figures
from hybridd.master.scales import Scales
from hybridd.ops.access_record import KilledRecord
from hybridd.ops.cgroup import read_oom_kills
from hybridd.ops.procfs import read_stat
from hybridd.ops.run_queue import read_threads
from hybridd.ops.scoreboard import Row, Scoreboard
from hybridd.worker import words
from hybridd.worker.in_flight import killed_requests
from hybridd.worker.watch import patience
from hybridd.worker.words import CallState, WorkerState

ROUND: Final = 1.0
"""Seconds between two looks at everybody."""

NANOSECOND: Final = 1e-9

_REQUESTS: Final = words.LAYOUT.span("http_requests")

ENDING: Final = frozenset({Phase.QUITTING, Phase.ABORTED, Phase.KILLED})


@dataclass(frozen=True, slots=True)
class Stall:
    """A loop that has stood still for as long as a handler may take: what its worker cannot say itself."""

    child: Child
    seconds: float
    setting: str
    calls: Sequence[str]

    @property
    def sentence(self) -> str:
        """For the log."""
        during = f"; in flight: {', '.join(self.calls)}" if self.calls else ""
        return f"{self.child} has not turned its loop for {self.seconds:.1f} s ({self.setting}){during}"


@dataclass(frozen=True, slots=True)
class Seen:
    """The last look at one process: CPU seconds and resident bytes."""

    cpu: float = 0.0
    resident: int = 0


class Vitals:
    """Remembers what was seen of each worker (by pid)."""

    def __init__(self, scoreboard: Scoreboard) -> None:
        self._scoreboard = scoreboard
        self._suspicions: dict[int, Suspicion] = {}  # of loops
        self._held: dict[int, Suspicion] = {}  # of handlers
        self._told: dict[int, int] = {}  # pid → since when the loop stood still that was told of
        self._late = 0.0
        # What the kernel had counted a round ago, at least, less those whose death was explained by it; and now.
        self._oom_before = self._oom_now = read_oom_kills()
        self._last_round: float | None = None
        self.seen: dict[int, Seen] = {}
        self.scales = Scales()

    def announced(self, children: Mapping[int, Child]) -> Iterator[Event]:
        """Yield what workers have said of themselves since the master last looked."""
        for child in children.values():
            state, generation = words.unpack_state(self._scoreboard.row(child.slot).words[words.STATE])
            if generation != child.generation or child.pid >= TICKETS:
                continue  # it has not said anything yet
            if state in {WorkerState.READY, WorkerState.DRAINING} and child.served_since is None:
                yield events.BecameReady(child.pid)
            if state is WorkerState.DRAINING and (child.live or child.phase in {Phase.HUNG, Phase.RETIRED}):
                yield events.BeganToLeave(child.pid)

    def all_drain(self, children: Mapping[int, Child]) -> bool:
        """Whether every worker has taken what waited for it and takes no more, or cannot."""
        for child in children.values():
            state, _ = words.unpack_state(self._scoreboard.row(child.slot).words[words.STATE])
            if state in {WorkerState.BOOTING, WorkerState.READY} and child.phase not in ENDING:
                return False
        return True

    def round(self, children: Mapping[int, Child], limits: Mapping[int, float], now: float) -> list[Event]:
        """Look at everybody; return who hangs and who came round.

        Args:
            children: the workers by pid.
            limits: generation → seconds without a heartbeat.
            now: monotonic seconds.
        """
        self._late = late = 0.0 if self._last_round is None else now - self._last_round - ROUND
        self._last_round = now
        self._follow_oom_kills()
        self.seen = {pid: self.look(pid) for pid in children}
        self.scales.round([pid for pid, child in children.items() if child.served_since is not None], now)
        judged = {Phase.READY, Phase.PROBATION, Phase.HUNG}
        samples = {
            pid: self._sample(pid, self.heartbeat(child), limits[child.generation], now)
            for pid, child in children.items()
            if child.phase in judged
        }
        verdicts, self._suspicions = judge(samples, self._suspicions, now, late=late)
        return [event for pid, verdict in verdicts.items() if (event := _news(children[pid], verdict)) is not None]

    def stuck(self, children: Mapping[int, Child], of: Callable[[int], Config], now: float) -> Iterator[Event]:
        """Yield whose handler does not come back, though it has had the time for it; after ``round``."""
        samples = {}
        for pid, child in children.items():
            limit = of(child.generation).timeouts.stuck
            if limit and child.phase is Phase.READY and child.marked in {Why.NONE, Why.RECYCLE}:
                since = held_since(self._scoreboard.row(child.slot).words)
                if since:
                    samples[pid] = self._sample(pid, since, limit, now)
        verdicts, self._held = judge(samples, self._held, now, late=self._late)
        for pid, verdict in verdicts.items():
            if verdict is Verdict.HUNG:
                age = now - samples[pid].heartbeat
                yield events.Marked(pid, Why.STUCK, f"a handler has run for {age:.1f} s (timeouts.stuck)")

    def stalls(self, children: Mapping[int, Child], of: Callable[[int], Config], now: float) -> Iterator[Stall]:
        """Yield, once each, the loops that stand still for longer than a handler may take."""
        still: dict[int, int] = {}
        for pid, child in children.items():
            limit, setting = patience(of(child.generation).timeouts)
            row = self._scoreboard.row(child.slot)
            since = row.words[words.BUSY_SINCE]
            age = now - since * NANOSECOND
            if not limit or not since or age < limit or child.phase not in {Phase.READY, Phase.RETIRED}:
                continue
            still[pid] = since
            if self._told.get(pid) != since:
                yield Stall(child, age, setting, self._calls(row, now))
        self._told = still

    def marks(self, children: Mapping[int, Child], of: Callable[[int], Config], now: float) -> Iterator[Event]:
        """Yield who is to be replaced though it serves; after ``round``.

        Args:
            children: the workers by pid.
            of: returns the configuration of a generation.
            now: monotonic seconds.
        """
        weights = self.scales.weights
        for child in children.values():
            if child.phase is Phase.READY and child.marked in {Why.NONE, Why.RECYCLE}:
                row = self._scoreboard.row(child.slot).read()
                config = of(child.generation)
                served = row[words.CONNECTIONS_ACCEPTED] if config.protocol else sum(row[_REQUESTS])
                figures = Figures(served, self.seen[child.pid].resident, weights.get(child.pid, 0))
                mark = recycling.judge(config, child, figures, now)
                if mark is not None and mark.why is not child.marked:
                    yield mark

    def heartbeat(self, child: Child) -> float:
        """Return when the worker's loop last beat, monotonic seconds; when it was born if it never did."""
        beat = self._scoreboard.row(child.slot).words[words.HEARTBEAT] * NANOSECOND
        return max(beat, child.born)

    def remains(self, child: Child, reaped: Reaped, now: float, stacks: str = "") -> Remains:
        """Gather what is left of a worker that was reaped; before its row is folded."""
        row = self._scoreboard.row(child.slot)
        values = row.read()
        return Remains(
            status=reaped.status,
            oom=reaped.status == -signal.SIGKILL and self._killed_by_kernel(),
            requests=sum(values[words.LAYOUT.span("http_requests")]),
            connections=values[words.CONNECTIONS],
            peak=reaped.peak,
            resident=self.seen.pop(child.pid, Seen()).resident,
            boot_error=words.read_boot_error(row),
            calls=self._calls(row, now),
            stacks=stacks,
        )

    def _calls(self, row: Row, now: float) -> list[str]:
        return [describe_call(call, int(now / NANOSECOND)) for call in words.read_calls(row)]

    def _sample(self, pid: int, since: float, limit: float, now: float) -> Sample:
        sample = Sample(since, limit)
        if not sample.is_suspect(now):
            return sample  # nearly always; its threads are of no interest
        return Sample(since, limit, self.seen[pid].cpu, read_threads(pid))

    def killed_requests(self, child: Child, now: float) -> list[KilledRecord]:
        """Return what the access log must say of requests that ended with a worker; before its row is folded."""
        return killed_requests(self._scoreboard.row(child.slot), child.slot, now)

    def _follow_oom_kills(self) -> None:
        last, self._oom_now = self._oom_now, read_oom_kills()
        if last is None or self._oom_now is None:
            self._oom_before = self._oom_now
        else:
            self._oom_before = min(max(last, self._oom_before or 0), self._oom_now)

    def _killed_by_kernel(self) -> bool:
        """Whether the kernel has just killed one more than is known; a kill of long ago was somebody else's."""
        before, now = self._oom_before, read_oom_kills()
        if before is None or now is None or now <= before:
            return False
        self._oom_before = before + 1
        return True

    def look(self, pid: int) -> Seen:
        """Look at one process now; what was seen last of one that is gone."""
        stat = read_stat(pid)
        if stat is None or not stat.resident_bytes:  # a zombie has none: what it had last is what matters
            return self.seen.get(pid, Seen())
        return Seen(stat.cpu_seconds, stat.resident_bytes)


def _news(child: Child, verdict: Verdict) -> Event | None:
    if verdict is Verdict.HUNG and child.phase is not Phase.HUNG:
        return events.SeemsHung(child.pid)
    if verdict is Verdict.BEATS and child.phase is Phase.HUNG:
        return events.Recovered(child.pid)
    return None


def held_since(row: Sequence[int]) -> float:
    """Return since when a handler, or the loop itself, has been busy with one thing (monotonic seconds); 0.0: none."""
    return min(filter(None, (row[words.OLDEST_CALL], row[words.BUSY_SINCE])), default=0) * NANOSECOND


def describe_call(call: words.CallInFlight, now: int) -> str:
    """Return for example ``GET /report (12.3 s, request 7f)``; ``now`` in nanoseconds."""
    state = "" if call.state is CallState.RUNNING else f"{call.state.name.lower()}, "
    age = max(0, now - call.since) * NANOSECOND
    return f"{call.method} {call.path} ({state}{age:.1f} s, request {call.request_id})"
