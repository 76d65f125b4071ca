"""Scenario j: start-up, reload, respawn, and the memory of a worker.

Knows:     which processes of a tree are workers: not the first one, and not Python's tracker of shared resources.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.load import client
from benchmarks.load.wrk import LoadFailed, Work
from benchmarks.measure import process_tree
from benchmarks.measure.memory import read_pss
from benchmarks.outcome import Outcome, Table
from benchmarks.peers import ending
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.environments import Installed
from benchmarks.peers.server import Server, ServerFailed

WORKERS = 4
REPEATS = 3
_DEADLINE_SECONDS = 40.0
_BETWEEN_SECONDS = 0.002
_TRACKER = b"resource_tracker"

Figures = dict[str, list[float]]


class TooLate(Exception):  # noqa: N818 - reads as the sentence it begins
    """What was waited for did not happen in time."""


def run(bench: Bench) -> Outcome:
    """One server after another, several lives each."""
    rows: list[Sequence[str]] = []
    measures: dict[str, float] = {}
    remarks: list[str] = []
    lives = min(REPEATS, bench.rounds)
    for installed in bench.installed:
        figures: Figures = {"start": [], "reload": [], "failed": [], "respawn": [], "pss": []}
        for number in range(lives):
            bench.say(f"{installed.peer.name}: life {number + 1}")
            try:
                _live(bench, installed, figures)
            except (ServerFailed, TooLate, LoadFailed) as error:
                remarks.append(f"{installed.peer.name}: {error}")
                break
        rows.append((installed.peer.name, *(_shown(figures, name) for name in ("start", "reload", "failed", "respawn")),
                     _megabytes(figures["pss"])))  # fmt: skip
        measures |= {f"{name}/{installed.peer.name}": min(values) for name, values in figures.items() if values}
    remarks.append(f"{SUBJECT} lets a new generation live for reload.settle (2 s) before the old one leaves")
    return Outcome(
        "j", "start-up, reload, respawn, memory",
        f"all CPUs, {WORKERS} workers where there can be several; best of {lives} lives (worst in parentheses)",
        Table(("server", "start to first answer, s", "reload until the old are gone, s", "requests failed meanwhile",
               "all workers killed to next answer, s", "PSS per worker, MiB"), rows),
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
        server.wait_settled()
        bench.burster.run(server.port, Work("/hello", connections=32))
        figures["pss"].append(read_pss(server.pids()) / workers)
        if installed.peer.reload:
            seconds, failed = _reload(server, installed.peer.reload)
            figures["reload"].append(seconds)
            figures["failed"].append(failed)
        if installed.peer.workers:
            server.wait_settled()
            figures["respawn"].append(_respawn(server))


def _workers(server: Server) -> list[process_tree.Process]:
    """Return the worker processes."""
    below = process_tree.tree(server.pid)[1:]
    return [process for process in below if _TRACKER not in _command_line(process.pid)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _ask(server: Server) -> int | None:
    """Return the pid that answers one request on a new connection, None when it failed."""
    try:
        return int(client.get(server.port, "/pid", timeout=5.0))
    except (OSError, client.BadAnswer):
        return None


def _reload(server: Server, number: signal.Signals) -> tuple[float, int]:
    """Return how long until none of the old workers is left and a new one answers, and how many requests failed."""
    old = _workers(server)
    pids = {process.pid for process in old}
    answers: list[int | None] = []
    began = time.monotonic()
    server.signal(number)

    def renewed() -> bool:
        answers.append(_ask(server))
        return not any(map(process_tree.is_alive, old)) and answers[-1] not in pids | {None}

    seconds = _wait_until(renewed, began, f"the old workers still live {_DEADLINE_SECONDS:.0f} s after the reload")
    return seconds, answers.count(None)


def _respawn(server: Server) -> float:
    """Kill all workers at once; return how long until there is an answer again.

    All of them: which of several workers gets a connection is the kernel's choice, and a new one may long get none.
    """
    old = _workers(server)
    pids = {process.pid for process in old}
    began = time.monotonic()
    ending.kill(old)
    late = f"no answer {_DEADLINE_SECONDS:.0f} s after a kill -9 of all workers"
    return _wait_until(lambda: _ask(server) not in pids | {None}, began, late)


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
