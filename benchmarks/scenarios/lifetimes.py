"""Scenario j: start-up, reload, respawn, and the memory of a worker.

Knows:     that only processes that answered /pid are workers: servers also have masters and trackers.
"""

from __future__ import annotations

import os
import signal
import statistics
import time
from collections.abc import Callable, Sequence

from benchmarks.bench import Bench
from benchmarks.load import client
from benchmarks.load.wrk import Work
from benchmarks.measure import process_tree
from benchmarks.measure.memory import read_pss
from benchmarks.outcome import Outcome, Table
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.environments import Installed
from benchmarks.peers.server import Server, ServerFailed

WORKERS = 4
REPEATS = 5
_DEADLINE_SECONDS = 40.0
_PROBES = 200
_BETWEEN_SECONDS = 0.002

Figures = dict[str, list[float]]


class TooLate(Exception):  # noqa: N818 - reads as the sentence it begins
    """What was waited for did not happen in time."""


def run(bench: Bench) -> Outcome:
    """One server after another, several lives each."""
    rows: list[Sequence[str]] = []
    measures: dict[str, float] = {}
    remarks: list[str] = []
    for installed in bench.installed:
        figures: Figures = {"start": [], "reload": [], "failed": [], "respawn": [], "pss": []}
        for number in range(min(REPEATS, bench.rounds)):
            bench.say(f"{installed.peer.name}: life {number + 1}")
            try:
                _live(bench, installed, figures)
            except (ServerFailed, TooLate) as error:
                remarks.append(f"{installed.peer.name}: {error}")
                break
        rows.append((installed.peer.name, *(_shown(figures, name) for name in ("start", "reload", "failed", "respawn")),
                     _megabytes(figures["pss"])))  # fmt: skip
        measures |= {f"{name}/{installed.peer.name}": min(values) for name, values in figures.items() if values}
    remarks.append(f"{SUBJECT} lets a new generation live for reload.settle (2 s) before the old one leaves")
    return Outcome(
        "j", "start-up, reload, respawn, memory",
        f"on all CPUs, {WORKERS} workers where there can be several; best of {REPEATS} lives (worst in parentheses)",
        Table(("server", "start to first answer, s", "reload until the old are gone, s", "requests failed meanwhile",
               "worker killed until a new one answers, s", "PSS per worker, MiB"), rows),
        measures, {}, remarks,
    )  # fmt: skip


def _shown(figures: Figures, name: str) -> str:
    values = figures[name]
    if not values:
        return "-"
    digits = 0 if name == "failed" else 2
    return f"{min(values):.{digits}f} ({max(values):.{digits}f})"


def _megabytes(values: list[float]) -> str:
    return f"{statistics.median(values) / 1_048_576:.1f}" if values else "-"


def _live(bench: Bench, installed: Installed, figures: Figures) -> None:
    """Start a server, work it, measure it, reload it, kill a worker, stop it."""
    workers = WORKERS if installed.peer.workers else 1
    setup = bench.setup(workers=workers, everywhere=True)
    with bench.start(installed, setup) as server:
        server.wait_ready()
        figures["start"].append(time.monotonic() - server.started)
        pids = _workers(server, workers)
        bench.burster.run(server.port, Work("/hello", connections=32))
        figures["pss"].append(read_pss(server.pids()) / workers)
        if installed.peer.reload:
            seconds, failed = _reload(server, installed.peer.reload, pids)
            figures["reload"].append(seconds)
            figures["failed"].append(failed)
        if installed.peer.workers:
            figures["respawn"].append(_respawn(server, workers))


def _workers(server: Server, count: int) -> set[int]:
    """Return the pids that answer; fewer than ``count`` when some never do."""
    found: set[int] = set()
    for _ in range(_PROBES):
        pid = _ask(server)
        found |= {pid} if pid else set()
        if len(found) == count:
            break
    return found


def _ask(server: Server) -> int | None:
    """Return the pid that answers one request on a new connection, None when it failed."""
    try:
        return int(client.get(server.port, "/pid", timeout=5.0))
    except (OSError, client.BadAnswer):
        return None


def _reload(server: Server, number: signal.Signals, old: set[int]) -> tuple[float, int]:
    """Return how long until none of the old workers is left and a new one answers, and how many requests failed."""
    known = [process for pid in old if (process := process_tree.read_process(pid)) is not None]
    answers: list[int | None] = []
    began = time.monotonic()
    server.signal(number)

    def renewed() -> bool:
        answers.append(_ask(server))
        return not any(map(process_tree.is_alive, known)) and answers[-1] not in old | {None}

    seconds = _wait_until(renewed, began, f"the old workers still live {_DEADLINE_SECONDS:.0f} s after the reload")
    return seconds, answers.count(None)


def _respawn(server: Server, count: int) -> float:
    """Kill a worker; return how long until one answers that was not there before."""
    before = {process.pid for process in process_tree.tree(server.pid)}
    victim = min(_workers(server, count))
    began = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    return _wait_until(
        lambda: _ask(server) not in before | {None}, began, f"no new worker {_DEADLINE_SECONDS:.0f} s after a kill -9"
    )


def _wait_until(happened: Callable[[], bool], began: float, otherwise: str) -> float:
    """Return the seconds since ``began`` when it has happened.

    Raises:
        TooLate: it did not.
    """
    while not happened():
        if time.monotonic() - began > _DEADLINE_SECONDS:
            raise TooLate(otherwise)
        time.sleep(_BETWEEN_SECONDS)
    return time.monotonic() - began
