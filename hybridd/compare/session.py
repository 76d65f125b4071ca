"""A comparison from its first server to its last: load on all patterns, round by round, then each in turn.

Knows:     the order; what to do when a pattern fails: note it in its row and go on.
Never:     what is measured; leaves a process behind, however it ends.
Runs in:   the command line tool.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hybridd import __version__
from hybridd.compare.client_process import ClientProcess
from hybridd.compare.experiments import EXPERIMENTS, Bench, load_round, prepare_load, round_lengths, settle, summary
from hybridd.compare.figures import Comparison, Round, Row
from hybridd.compare.patterns import Pattern
from hybridd.compare.placement import Placement, placed
from hybridd.compare.progress import Progress
from hybridd.compare.server import Server
from hybridd.compare.wishes import (
    UNDER_LOAD,
    Visit,
    Wishes,
    expected_seconds,
    server_arguments,
    total_seconds,
    visits,
)
from hybridd.errors import BootError, OperatingSystemError

_BUSY = 0.5
"""Load average per CPU, before we begin, above which others disturb."""


@dataclass
class Session:
    """Measures; ``rows`` holds what is there so far, a half measured pattern too."""

    wishes: Wishes
    progress: Progress
    rows: dict[str, Row] = field(default_factory=dict)
    complete: bool = False
    circumstances: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Measure everything."""
        for pattern in self.wishes.patterns:
            self.rows[pattern.name] = Row(pattern, visits(pattern, self.wishes)[0].workers)
        with placed() as placement:
            self.circumstances = circumstances(self.wishes, placement)
            with self.progress.running(total_seconds(self.wishes)), ClientProcess(placement.client) as client:
                self._load(client, placement)
                for pattern in self.wishes.patterns:
                    for visit in visits(pattern, self.wishes):
                        with self._problems_of(pattern):
                            self._visit(pattern, visit, client, placement)
        self.complete = True

    def comparison(self) -> Comparison:
        """Return what is there; patterns that were not come to are left out."""
        begun = tuple(row for row in self.rows.values() if row != Row(row.pattern, row.workers))
        return Comparison(begun, self.circumstances, self.complete)

    def _load(self, client: ClientProcess, placement: Placement) -> None:
        """Put load on all patterns, a round on each in turn: who disturbs us disturbs them alike."""
        rounds: dict[str, list[Round]] = {}
        with ExitStack() as running:
            benches: dict[str, Bench] = {}
            for pattern in self.wishes.patterns:
                self.progress.say(f"load: starting {pattern.name}")
                with self._problems_of(pattern):
                    server = running.enter_context(self._server(pattern, UNDER_LOAD, client))
                    bench = Bench(server, client, self.wishes, placement.client)
                    prepare_load(bench)
                    benches[pattern.name] = bench
            for number, seconds in enumerate(lengths := round_lengths(self.wishes), start=1):
                for pattern in self.wishes.patterns:
                    if pattern.name in benches:
                        self.progress.say(f"load: {pattern.name}, {number} of {len(lengths)}")
                        with self._problems_of(pattern):
                            rounds.setdefault(pattern.name, []).append(load_round(benches[pattern.name], seconds))
                            self._note(pattern, load=summary(rounds[pattern.name]))
                    self.progress.advance(expected_seconds("load", pattern, self.wishes) / len(lengths))

    def _visit(self, pattern: Pattern, visit: Visit, client: ClientProcess, placement: Placement) -> None:
        self.progress.say(f"{pattern.name}: starting")
        with self._server(pattern, visit, client) as server:
            bench = Bench(server, client, self.wishes, placement.client)
            for name in visit.experiments:
                title, experiment = EXPERIMENTS[name]
                self.progress.say(f"{pattern.name}: {title}")
                settle(bench)
                self._note(pattern, **{name: experiment(bench)})
                self.progress.advance(expected_seconds(name, pattern, self.wishes))

    def _server(self, pattern: Pattern, visit: Visit, client: ClientProcess) -> Server:
        return Server(
            server_arguments(pattern, visit, self.wishes),
            spawned=lambda session: client.ask("guard", 0.0, session=session),
        )

    def _note(self, pattern: Pattern, **figures: Any) -> None:
        self.rows[pattern.name] = replace(self.rows[pattern.name], **figures)

    @contextmanager
    def _problems_of(self, pattern: Pattern) -> Iterator[None]:
        """Note in its row what goes wrong with a pattern, and go on."""
        try:
            yield
        except (BootError, OperatingSystemError, OSError) as error:
            known = self.rows[pattern.name].problem
            if str(error) not in known:
                self._note(pattern, problem=f"{known}; {error}".removeprefix("; "))


def circumstances(wishes: Wishes, placement: Placement) -> dict[str, str]:
    """Return what one must know to judge the figures."""
    cpus = len(placement.servers) + (placement.client is not None)
    busy = os.getloadavg()[0]
    found = {
        "hybridd": __version__,
        "Python": f"{platform.python_version()} ({sys.implementation.name})",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}, {cpus} CPUs",
        "load": f"{wishes.load}, {wishes.concurrency} connections, {wishes.duration:g} s in rounds, one worker",
        "CPUs": "servers and load share one"
        if placement.client is None
        else f"load on {placement.client}, servers on {', '.join(map(str, placement.servers))}",
        "full backlog": overflow(_read("/proc/sys/net/ipv4/tcp_abort_on_overflow")),
    }
    if busy > _BUSY * cpus:
        found["disturbed"] = f"load average {busy:.1f} on {cpus} CPUs before it began: figures are worse than they are"
    return found


def overflow(setting: str) -> str:
    """Return what the kernel does with a connection that finds the backlog full.

    Its SYN is dropped whatever the setting (measured); that is about a handshake that is under way then (tcp(7)).
    """
    text = "who finds it full hears nothing, tries again, and times out; who was about to get in when it became full"
    if setting == "1":
        return f"{text} is reset (net.ipv4.tcp_abort_on_overflow is 1)"
    return f"{text} may still be served (net.ipv4.tcp_abort_on_overflow is 0)"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
