"""Scenario h, first part: how evenly connections fall on four workers.

Knows:     that a kept connection stays with the worker that accepted it, and that the worker says its pid.
"""

from __future__ import annotations

import collections
import contextlib
import statistics
import time
from collections.abc import Sequence

from benchmarks.bench import Bench
from benchmarks.load.client import BadAnswer, Connection
from benchmarks.outcome import Outcome, Table
from benchmarks.peers.server import Server

WORKERS = 4
CONNECTIONS = 400
REPEATS = 5
_BETWEEN_SECONDS = 0.005
_ANSWER_SECONDS = 3.0


def max_over_mean(counts: Sequence[int], workers: int) -> float:
    """Return how far the fullest worker is above the mean; a worker that got nothing counts in the mean."""
    return max(counts) * workers / sum(counts)


def run(bench: Bench) -> Outcome:
    """Open connections one by one and ask each who serves it."""
    chosen = bench.choose(lambda peer: peer.workers and peer.keeps_alive)
    rows, measures = [], {}
    with bench.serving(chosen, bench.setup(workers=WORKERS, everywhere=True)) as (servers, remarks):
        spread: dict[str, list[float]] = {server.name: [] for server in servers}
        shares: dict[str, list[int]] = {}
        for number in range(min(REPEATS, bench.rounds)):
            bench.say(f"repeat {number + 1}")
            for server in servers:
                try:
                    counts = _count(server)
                except (OSError, BadAnswer) as error:
                    remarks.append(f"left out: {server.name}: {CONNECTIONS} connections are too many for it ({error})")
                    spread.pop(server.name, None)
                    continue
                if server.name in spread:
                    spread[server.name].append(max_over_mean(counts, WORKERS))
                    shares[server.name] = counts
    for name, values in spread.items():
        middle = statistics.median(values)
        measures[f"spread/{name}"] = middle
        last = " ".join(map(str, shares[name]))
        rows.append((name, f"{middle:.2f}", f"{min(values):.2f} {max(values):.2f}", last))
    return Outcome(
        "h-balance", "400 slowly opened connections on 4 workers",
        f"a connection every {_BETWEEN_SECONDS * 1000:.0f} ms, kept, one request each; all CPUs; fullest worker ÷ mean",
        Table(("server", "max ÷ mean (median)", "least, most", "connections of the last repeat"), rows),
        measures, {}, list(dict.fromkeys(remarks)),
    )  # fmt: skip


def _count(server: Server) -> list[int]:
    """Return how many of the connections each worker got, most first."""
    with contextlib.ExitStack() as kept:
        counts: collections.Counter[bytes] = collections.Counter()
        for _ in range(CONNECTIONS):
            connection = kept.enter_context(Connection(server.port, _ANSWER_SECONDS))
            counts[connection.get("/pid")] += 1
            time.sleep(_BETWEEN_SECONDS)
    return [count for _, count in counts.most_common()]
