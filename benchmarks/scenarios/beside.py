"""Scenarios c and k: hello while other clients of the same worker wait or compute.

Knows:     what those clients could reach if nobody was in their way.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.bench import Bench, Sample, foreign_share, in_turn
from benchmarks.load.wrk import Burst, LoadFailed, Work
from benchmarks.measure.paired import quartiles
from benchmarks.outcome import Outcome, Table
from benchmarks.peers.catalogue import SUBJECT

BLOCKERS = 16
BLOCKING_MS = 50.0

_ALONE_EVERY = 3
_FEW_ROUNDS = 5

HELLO = Work("/hello")
ONE_HELLO = Work("/hello", connections=1)
BLOCKING = Work("/block", connections=BLOCKERS)
COMPUTING = Work("/compute", connections=4)


@dataclass(frozen=True, slots=True)
class Round:
    """Hello alone, hello beside the others, and the others."""

    alone: Sample
    beside: Burst
    others: Burst
    samples: Sequence[Sample]


def blocking_share(others: Burst) -> float:
    """Return which part of what they could the blocking clients reached: 1 means each waited its 50 ms and no more.

    By their mean latency, because in one second a client ends 19 or 20 waits of 50 ms, which is 5 % of chance; but
    clients that were never answered have no latency, so the count is an upper bound.
    """
    by_latency = BLOCKING_MS / others.mean_ms if others.mean_ms else 0.0
    most = (others.requests + BLOCKERS) / (BLOCKERS * others.seconds * 1000 / BLOCKING_MS)
    return min(1.0, by_latency, most)


def answered(burst: Burst) -> Burst:
    """Return the burst; if nothing was answered in it, the latencies are as long as it, at least."""
    if burst.requests:
        return burst
    least = burst.seconds * 1000
    return replace(burst, mean_ms=least, p50_ms=least, p99_ms=least, max_ms=least)


def run_blocking(bench: Bench) -> Outcome:
    """Scenario c."""
    rounds, remarks = _collect(bench, HELLO, BLOCKING)
    rows: list[Sequence[str]] = []
    measures: dict[str, float] = {}
    picture: dict[str, float] = {}
    for name, collected in rounds.items():
        kept = [one.beside.rate / one.alone.burst.rate for one in collected]
        best = max(one.beside.rate for one in collected) / max(one.alone.burst.rate for one in collected)
        all_p99 = [one.beside.p99_ms for one in collected]
        p99 = statistics.median(all_p99)
        share = statistics.median(blocking_share(one.others) for one in collected)
        fastest = max(one.beside.rate for one in collected)
        measures |= {f"kept/{name}": best, f"p99/{name}": p99, f"share/{name}": share, f"rate/{name}": fastest}
        spread = " ".join(f"{100 * value:.0f}" for value in quartiles(kept))
        latency = f"{min(all_p99):.1f} {p99:.1f}"
        rows.append((name, f"{100 * best:.0f} %", spread, latency, f"{100 * share:.0f} %", f"{fastest:,.0f}"))
    if SUBJECT in rounds:
        ours = measures[f"rate/{SUBJECT}"]
        picture = {name: ours / measures[f"rate/{name}"] for name in rounds if measures[f"rate/{name}"]}
        rows = [(*row, f"{picture[row[0]]:.2f}" if row[0] in picture else "-") for row in rows]
    return Outcome(
        "c", "hello beside 16 blocking clients",
        "GET /hello on 32 connections, while 16 other clients sit in a route that waits 50 ms; against hello alone",
        Table(("server", "hello kept", "quartiles, %", "p99 ms: best, median", "blocking clients reach", "best hello/s",
               "hello/s: hybridd ÷ it"), rows),
        measures, picture, remarks, _foreign(rounds.values()), "time per hello",
    )  # fmt: skip


def run_computing(bench: Bench) -> Outcome:
    """Scenario k."""
    rounds, remarks = _collect(bench, ONE_HELLO, COMPUTING)
    rows: list[Sequence[str]] = []
    measures: dict[str, float] = {}
    for name, collected in rounds.items():
        p50 = [one.beside.p50_ms for one in collected]
        alone = statistics.median(one.alone.burst.p50_ms for one in collected)
        measures[f"p50/{name}"] = statistics.median(p50)
        low, middle, high = quartiles(p50)
        others = max(one.others.rate for one in collected)
        rows.append((name, f"{alone:.2f}", f"{middle:.2f}", f"{low:.2f} {high:.2f}", f"{others:.0f}"))
    return Outcome(
        "k", "hello beside 4 computing clients",
        "GET /hello on 1 connection, while 4 other clients of the same worker compute some 20 ms of Python each time",
        Table(("server", "p50 ms alone", "p50 ms beside", "quartiles", "best computed/s"), rows),
        measures, {}, remarks, _foreign(rounds.values()),
    )  # fmt: skip


def _collect(bench: Bench, work: Work, other: Work) -> tuple[dict[str, list[Round]], list[str]]:
    """Do the rounds with all peers; the first round is a warm-up (routes are learned) and is not counted.

    Hello alone is measured in every third round and stands for the two behind it.  Servers that do one thing at a time
    show what there is to see of them in a few rounds.
    """
    with bench.serving(bench.installed, bench.setup()) as (servers, remarks):
        rounds: dict[str, list[Round]] = {server.name: [] for server in servers}
        alone: dict[str, Sample] = {}
        for number, order in in_turn(servers, bench.rounds + 1):
            bench.say(f"round {number} of {bench.rounds}")
            for server in order:
                if server.name not in rounds or (number > _FEW_ROUNDS and not server.installed.peer.threaded):
                    continue
                try:
                    if number % _ALONE_EVERY == 0:
                        alone[server.name], _ = bench.measure(server, work)
                    beside, others = bench.measure(server, work, beside=other)
                except LoadFailed as error:
                    remarks.append(f"left out: {error}")
                    del rounds[server.name]
                    continue
                assert others is not None
                if number:
                    before = alone[server.name]
                    rounds[server.name].append(Round(before, answered(beside.burst), others, (before, beside)))
    return rounds, remarks


def _foreign(rounds: Iterable[Sequence[Round]]) -> float | None:
    return foreign_share([sample for collected in rounds for one in collected for sample in one.samples])
