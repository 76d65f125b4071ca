"""Scenario g: what an idle connection costs a worker.

Knows:     that a server's first connections also pay for its caches: the cost is the slope between two counts; and
           that a server without any has its heartbeats, too: what connections add to them is what they cost.
"""

from __future__ import annotations

import resource
import time

from benchmarks.bench import Bench
from benchmarks.load.client import BadAnswer, Connection
from benchmarks.measure import cpu
from benchmarks.measure.memory import ANONYMOUS, read_pss
from benchmarks.outcome import Outcome, Table
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.server import Server

FEW, MANY = 1000, 5000
_OTHER_DESCRIPTORS = 200
_QUIET_SECONDS = 2.0
_LOOKS = 2
"""The first one may meet what a server does behind its last request."""

_ANSWER_SECONDS = 3.0


def many_possible() -> int:
    """Raise the limit of descriptors and return how many connections we can hold, at most ``MANY``."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else MANY + _OTHER_DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return min(MANY, wanted - _OTHER_DESCRIPTORS)


def run(bench: Bench) -> Outcome:
    """One server after another: nothing runs in parallel that could change its memory."""
    many = many_possible()
    rows: list[tuple[str, ...]] = []
    measures: dict[str, float] = {}
    remarks: list[str] = []
    for installed in bench.installed:
        if not installed.peer.keeps_alive:
            remarks.append(f"left out: {installed.peer.name} (it closes after each answer)")
            continue
        bench.say(f"{installed.peer.name}: {many:,} connections")
        with bench.serving([installed], bench.setup()) as (servers, failed):
            remarks += failed
            for server in servers:
                row = _measure(server, many, measures, remarks)
                rows.append(row)
    ours = measures.get(f"bytes/{SUBJECT}")
    picture = {}
    if ours:
        picture = {name.removeprefix("bytes/"): value / ours for name, value in measures.items() if "bytes/" in name}
    return Outcome(
        "g", "idle connections",
        f"keep-alive connections after one request each, 1 worker: slope of its anonymous PSS between {FEW:,} and"
        f" {many:,} of them, and its CPU time while nothing happens",
        Table(
            ("server", "bytes per connection", f"µs CPU per idle second: {many:,} connections", "the same: none"), rows
        ),
        measures, picture, remarks, drawn="memory",
    )  # fmt: skip


def _measure(server: Server, many: int, measures: dict[str, float], remarks: list[str]) -> tuple[str, ...]:
    kept: list[Connection] = []
    try:
        alone = _idle_cost(server)
        _open(kept, FEW, server.port)
        before = _settled_memory(server)
        _open(kept, many, server.port)
        each = (_settled_memory(server) - before) / (many - FEW)
        idle = _idle_cost(server)
    except (OSError, BadAnswer) as error:
        remarks.append(f"{server.name}: stops answering with {len(kept):,} connections open ({error})")
        return (server.name, "-", "-", "-")
    finally:
        for connection in kept:
            connection.close()
    measures |= {f"bytes/{server.name}": each, f"idle/{server.name}": idle}
    return (server.name, f"{each:,.0f}", f"{idle:,.0f}", f"{alone:,.0f}")


def _idle_cost(server: Server) -> float:
    """Return the microseconds of CPU time that a second takes in which nobody asks for anything; the best of looks."""
    costs = []
    for _ in range(_LOOKS):
        threads = cpu.read_threads(server.pids())
        time.sleep(_QUIET_SECONDS)
        costs.append(cpu.spent(threads, cpu.read_threads(server.pids())))
    return min(costs) / _QUIET_SECONDS / 1000


def _open(kept: list[Connection], count: int, port: int) -> None:
    """Open connections until there are ``count``, with one request each."""
    while len(kept) < count:
        kept.append(Connection(port, _ANSWER_SECONDS))
        kept[-1].get("/hello")


def _settled_memory(server: Server) -> int:
    time.sleep(0.3)
    return read_pss(server.pids(), ANONYMOUS)
