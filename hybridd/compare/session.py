"""A comparison from its first server to its last: each pattern in turn, one server at a time.

Knows:     the order; what to do when a pattern fails: note it in its row and go on.
Never:     what is measured; leaves a process behind, however it ends.
Runs in:   the command line tool.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hybridd import __version__
from hybridd.compare.client_process import ClientProcess
from hybridd.compare.experiments import EXPERIMENTS, Bench, settle
from hybridd.compare.figures import Comparison, Row
from hybridd.compare.patterns import Pattern
from hybridd.compare.placement import Placement, placed
from hybridd.compare.progress import Progress
from hybridd.compare.server import Server
from hybridd.compare.wishes import Visit, Wishes, expected_seconds, server_arguments, visits
from hybridd.errors import BootError, OperatingSystemError

_BUSY = 0.5
"""Load average per CPU, before we begin, above which others disturb."""

Experiments = Mapping[str, tuple[str, Callable[[Bench], Any]]]


@dataclass
class Session:
    """Measures; ``rows`` holds what is there so far, a half measured pattern too."""

    wishes: Wishes
    progress: Progress
    experiments: Experiments = field(default_factory=lambda: EXPERIMENTS)
    rows: list[Row] = field(default_factory=list)
    complete: bool = False
    circumstances: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Measure everything."""
        total = sum(
            expected_seconds(name, pattern, self.wishes)
            for pattern in self.wishes.patterns
            for visit in visits(pattern, self.wishes)
            for name in visit.experiments
        )
        with placed() as placement:
            self.circumstances = circumstances(self.wishes, placement)
            with self.progress.running(total), ClientProcess(placement.client) as client:
                for pattern in self.wishes.patterns:
                    self._measure(pattern, client, placement)
        self.complete = True

    def comparison(self) -> Comparison:
        """Return what is there."""
        return Comparison(tuple(self.rows), self.circumstances, self.complete)

    def _measure(self, pattern: Pattern, client: ClientProcess, placement: Placement) -> None:
        planned = visits(pattern, self.wishes)
        self.rows.append(Row(pattern, max(visit.workers for visit in planned)))
        for visit in planned:
            try:
                self._visit(pattern, visit, client, placement)
            except (BootError, OperatingSystemError, OSError) as error:
                said = f"{self.rows[-1].problem}; {error}".removeprefix("; ")
                self.rows[-1] = replace(self.rows[-1], problem=said)

    def _visit(self, pattern: Pattern, visit: Visit, client: ClientProcess, placement: Placement) -> None:
        self.progress.say(f"{pattern.name}: starting")
        with Server(
            server_arguments(pattern, visit, self.wishes),
            spawned=lambda session: client.ask("guard", 0.0, session=session),
        ) as server:
            bench = Bench(server, client, self.wishes, placement.client)
            for name in visit.experiments:
                title, experiment = self.experiments[name]
                self.progress.say(f"{pattern.name}: {title}")
                settle(bench)
                self.rows[-1] = replace(self.rows[-1], **{name: experiment(bench)})
                self.progress.advance(expected_seconds(name, pattern, self.wishes))


def circumstances(wishes: Wishes, placement: Placement) -> dict[str, str]:
    """Return what one must know to judge the figures."""
    cpus = len(placement.servers) + (placement.client is not None)
    busy = os.getloadavg()[0]
    found = {
        "hybridd": __version__,
        "Python": f"{platform.python_version()} ({sys.implementation.name})",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}, {cpus} CPUs",
        "load": f"{wishes.load}, {wishes.concurrency} connections, {wishes.duration:g} s, one worker",
        "CPUs": "servers and load share one"
        if placement.client is None
        else f"load on {placement.client}, servers on {', '.join(map(str, placement.servers))}",
        "full backlog": overflow(_read("/proc/sys/net/ipv4/tcp_abort_on_overflow")),
    }
    if busy > _BUSY * cpus:
        found["disturbed"] = f"load average {busy:.1f} on {cpus} CPUs before it began: figures are worse than they are"
    return found


def overflow(setting: str) -> str:
    """Return what the kernel does with a connection that finds the backlog full (tcp(7))."""
    if setting == "1":
        return "net.ipv4.tcp_abort_on_overflow is 1: who does not fit is refused by a reset"
    return "net.ipv4.tcp_abort_on_overflow is 0: who does not fit hears nothing, tries again, and times out"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
