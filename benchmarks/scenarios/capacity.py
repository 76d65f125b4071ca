"""Scenario i: as many long requests as there are threads; nobody should wait for a thread while another is idle.

Knows:     how long a request takes when it does not wait.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.bench import Bench
from benchmarks.load.client import BadAnswer, Connection
from benchmarks.outcome import Outcome, Table
from benchmarks.peers.server import Server

WORKERS, THREADS = 4, 2
ROUNDS = 12
_WAITED_SECONDS = 1.5
"""A request takes 1 s; who needs this long stood behind another one."""

_ANSWER_SECONDS = 15.0
_PAUSE_SECONDS = 0.2
_STAGGER_SECONDS = 0.05
"""Between two servers: the connections of one must not find the CPUs busy with those of another."""


def run(bench: Bench) -> Outcome:
    """Do the rounds with all servers side by side: their requests sleep, so nobody disturbs anybody."""
    chosen = bench.choose(lambda peer: peer.threaded and peer.workers)
    rows, measures = [], {}
    with bench.serving(chosen, bench.setup(workers=WORKERS, threads=THREADS, everywhere=True)) as (servers, remarks):
        rounds: list[list[int]] = []
        for number in range(ROUNDS):
            bench.say(f"round {number + 1} of {ROUNDS}")
            rounds.append(_round(servers))
        for server, waited in zip(servers, zip(*rounds, strict=True), strict=False):
            good = waited.count(0)
            measures[f"good/{server.name}"] = good
            rows.append((server.name, f"{good} of {ROUNDS}", " ".join(map(str, waited))))
    remarks.append("uvicorn's application awaits, gevent's is switched away: for them there is no number of threads")
    return Outcome(
        "i", "8 requests of 1 s on 4 workers with 2 threads each",
        "on all CPUs: 8 new connections at once, one request of 1 s each; exactly as many as there are threads",
        Table(("server", "rounds in which none waits", "how many of 8 waited, by round"), rows),
        measures, {}, remarks,
    )  # fmt: skip


def _round(servers: Sequence[Server]) -> list[int]:
    """Return for each server how many of its requests waited."""
    with ThreadPoolExecutor(max(1, len(servers))) as threads:
        asked = []
        for server in servers:
            asked.append(threads.submit(_waiting, server))
            time.sleep(_STAGGER_SECONDS)
        return [waited.result() for waited in asked]


def _waiting(server: Server) -> int:
    """Return how many of the requests waited, or failed."""
    waited = 0
    with contextlib.ExitStack() as kept:
        began = time.monotonic()
        asked = []
        for _ in range(WORKERS * THREADS):
            try:
                connection = kept.enter_context(Connection(server.port, _ANSWER_SECONDS))
                connection.send("/block-long", keep=False)
            except OSError:
                waited += 1
                continue
            asked.append(connection)
        for connection in asked:  # in any order: what counts is when the last bytes came, and all take 1 s
            try:
                connection.receive()
            except (OSError, BadAnswer):
                waited += 1
                continue
            waited += time.monotonic() - began > _WAITED_SECONDS
    time.sleep(_PAUSE_SECONDS)
    return waited
