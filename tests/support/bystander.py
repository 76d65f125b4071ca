"""A client that has nothing to do with the attack: it comes anew for each request, and notes how long it took.

The figure is by wall clock, on a machine that attackers, workers and this client share: how long this client itself
was ready to run and got no CPU is noted beside it, and taken for what it is.

Knows:     one address, the workers' pids.
Never:     what the attack is.
Runs in:   the test process, main thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.client import Answer, fetch
from tests.support.waiting import pass_time

PACE = 0.02  # seconds between two requests


@dataclass
class Look:
    """What was seen in one stretch of time.

    Attributes:
        latencies: seconds of each request, connecting and closing included.
        starved: seconds of each in which this client waited for a CPU.
        resident: the largest resident memory of a worker, bytes.
        cpu: CPU seconds of the workers per second.
    """

    latencies: list[float] = field(default_factory=list)
    starved: list[float] = field(default_factory=list)
    resident: int = 0
    cpu: float = 0.0

    @property
    def p99(self) -> float:
        """The 99th percentile."""
        return percentile(self.latencies, 0.99)

    @property
    def hunger(self) -> float:
        """The 99th percentile of the client's own waits."""
        return percentile(self.starved, 0.99)

    def __str__(self) -> str:
        return (
            f"{len(self.latencies):4} requests, p50 {percentile(self.latencies, 0.5) * 1e3:.1f} ms,"
            f" p99 {self.p99 * 1e3:.1f} ms (waited for a CPU: {self.hunger * 1e3:.1f}), worst"
            f" {max(self.latencies) * 1e3:.0f} ms; largest worker {self.resident / 2**20:.1f} MiB,"
            f" workers' CPU {self.cpu:.0%}"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def resident(pid: int) -> int:
    """Return the resident bytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has no memory")


def run_and_wait(path: str = "/proc/thread-self/schedstat") -> tuple[float, float]:
    """Return the seconds a thread (or the first one of a process) was on a CPU, and waited for one."""
    run, waited, _ = Path(path).read_text().split()
    return int(run) / 1e9, int(waited) / 1e9


def cpu_of(pids: Sequence[int]) -> float:
    """Return the CPU seconds of all threads of these processes."""
    return sum(
        run_and_wait(str(thread / "schedstat"))[0] for pid in pids for thread in Path(f"/proc/{pid}/task").iterdir()
    )


def look(
    address: str, pids: Sequence[int], goes_on: Callable[[], bool], ask: Callable[[], Answer] | None = None
) -> Look:
    """Come again and again while ``goes_on``; ``ask`` asks in another way than over a new connection."""
    seen, begun, cpu = Look(), time.monotonic(), cpu_of(pids)
    while goes_on():
        waited = run_and_wait()[1]
        started = time.monotonic()
        answer = ask() if ask is not None else fetch(address)
        seconds = time.monotonic() - started
        assert answer.status == 200, answer
        seen.latencies.append(seconds)
        seen.starved.append(run_and_wait()[1] - waited)
        seen.resident = max(seen.resident, *map(resident, pids))
        pass_time(PACE)
    seen.cpu = (cpu_of(pids) - cpu) / (time.monotonic() - begun)
    return seen


def look_for(seconds: float, address: str, pids: Sequence[int]) -> Look:
    """Come again and again for so long."""
    until = time.monotonic() + seconds
    return look(address, pids, lambda: time.monotonic() < until)
