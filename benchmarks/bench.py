"""What every scenario is given: the peers that can be started, the CPUs, how long and how often.

Knows:     how one burst is measured: CPU time of the server's tree, and what else ran on its CPU meanwhile.
Runs in:   the harness, one thread.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load.wrk import Burst, Burster, LoadFailed, Work
from benchmarks.measure import cpu
from benchmarks.measure.placement import Placement
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.environments import Installed
from benchmarks.peers.peer import Peer, Setup
from benchmarks.peers.server import Server, serving, with_ports

_SETTLE_SECONDS = 0.02
"""After a burst: the server sees its connections close, the scheduler books the last turn."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measured burst; times in nanoseconds.

    Attributes:
        burst: what the clients saw.
        cpu: CPU time of the server's process tree.
        foreign: CPU time of everybody else on the servers' CPUs, stolen time included.
        wall: how long it took, times the number of those CPUs.
    """

    burst: Burst
    cpu: int
    foreign: int
    wall: int

    @property
    def cpu_per_request(self) -> float:
        """Nanoseconds."""
        return self.cpu / self.burst.requests

    @property
    def cpu_per_mebibyte(self) -> float:
        """Nanoseconds, by the bytes that came back (a burst may end in the middle of a large answer)."""
        return self.cpu * 1_048_576 / self.burst.bytes


def foreign_share(samples: Sequence[Sample]) -> float | None:
    """Return the part of the servers' CPU time that went elsewhere, None of nothing."""
    wall = sum(sample.wall for sample in samples)
    return sum(sample.foreign for sample in samples) / wall if wall else None


@dataclass(frozen=True, slots=True)
class Bench:
    """The workplace.

    Attributes:
        installed: the peers that can be started, the subject among them.
        rounds, seconds: how many bursts for each server, and how long each.
        say: tells the user what is going on.
        options: further arguments of the subject.
    """

    installed: Sequence[Installed]
    placement: Placement
    rounds: int
    seconds: int
    scratch: Path
    say: Callable[[str], None]
    options: tuple[str, ...] = ()

    @property
    def burster(self) -> Burster:
        """wrk, on the load generator's CPU."""
        return Burster(self.placement.load, self.seconds)

    def choose(self, wanted: Callable[[Peer], bool]) -> list[Installed]:
        """Return the peers that a scenario can be done with."""
        return [one for one in self.installed if wanted(one.peer)]

    @property
    def subject(self) -> list[Installed]:
        """The subject alone, if it is among the chosen ones."""
        return self.choose(lambda peer: peer.name == SUBJECT)

    def setup(self, *, workers: int = 1, threads: int = 32, flask: bool = False, everywhere: bool = False) -> Setup:
        """Return a set-up; the ports are chosen when the server starts."""
        return Setup(
            0, 0, self.scratch, workers=workers, threads=threads, flask=flask, everywhere=everywhere,
            options=self.options,
        )  # fmt: skip

    def cpus(self, setup: Setup) -> Sequence[int]:
        """Return where servers of this set-up run."""
        if setup.everywhere:
            return self.placement.everywhere
        return self.placement.several if setup.workers > 1 else (self.placement.single,)

    def start(self, installed: Installed, setup: Setup) -> Server:
        """Start one server; the caller waits for it and ends it."""
        return Server(installed, with_ports(setup), self.cpus(setup))

    @contextlib.contextmanager
    def serving(self, chosen: Sequence[Installed], *setups: Setup) -> Iterator[tuple[list[Server], list[str]]]:
        """Start each of the chosen in each of the set-ups; yields as ``peers.server.serving``."""
        wanted = [(one, setup) for setup in setups for one in chosen]
        with serving(wanted, self.cpus(setups[0])) as result:
            yield result

    def measure(self, server: Server, work: Work, beside: Work | None = None) -> tuple[Sample, Burst | None]:
        """Do one burst, with another one ``beside`` it if asked for; both begin at once.

        Raises:
            LoadFailed: no request was answered; ``beside`` others a server may starve for a burst.
        """
        pids = server.pids()
        cpus = self.cpus(server.setup)
        began, busy, threads = time.monotonic_ns(), cpu.read_busy(cpus), cpu.read_threads(pids)
        other = self.burster.start(server.port, beside) if beside else None
        try:
            burst = self.burster.run(server.port, work)
        finally:
            others = self.burster.finish(other) if other else None
        time.sleep(_SETTLE_SECONDS)
        spent = cpu.spent(threads, cpu.read_threads(pids))
        passed = cpu.read_busy(cpus) - busy
        if not burst.requests and not beside:
            raise LoadFailed(f"{server.name} answered nothing on {work.path} ({burst.failures} failures)")
        wall = (time.monotonic_ns() - began) * len(cpus)
        return Sample(burst, spent, max(0, passed.busy - spent) + passed.stolen, wall), others


def in_turn(servers: Sequence[Server], rounds: int) -> Iterator[tuple[int, list[Server]]]:
    """Yield the round's number and the servers, each round beginning with another one."""
    for number in range(rounds):
        shift = number % max(1, len(servers))
        yield number, [*servers[shift:], *servers[:shift]]
