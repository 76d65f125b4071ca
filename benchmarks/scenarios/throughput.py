"""Scenarios a, b, d, e, f: one kind of request, as fast as one worker answers it.

Knows:     what is asked for, and that servers are compared round by round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.bench import Bench, Sample, foreign_share, in_turn
from benchmarks.load.wrk import LoadFailed, Work
from benchmarks.measure.paired import Ratio, ratio_of_costs, ratio_of_rates
from benchmarks.outcome import Outcome, Table, show_ratio
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.environments import Installed
from benchmarks.peers.peer import Peer
from benchmarks.peers.server import Server

_FEW_FAILURES = 0.001
"""Share of the requests below which failures are not worth a remark: a burst ends in the middle of some."""


def order_body(folder: Path) -> Path:
    """Return a file with a JSON document of 2 KiB."""
    lines = [{"article": f"lamp-{number:03d}", "count": 1 + number % 3, "price": 1995} for number in range(38)]
    document = {"id": 4217, "customer": "c-0815", "lines": lines, "note": ""}
    document["note"] = "x" * (2048 - len(json.dumps(document)))
    path = folder / "order.json"
    path.write_text(json.dumps(document))
    return path


def mebibyte_body(folder: Path) -> Path:
    """Return a file of 1 MiB."""
    path = folder / "1MiB"
    path.write_bytes(b"0123456789abcdef" * 65536)
    return path


@dataclass(frozen=True, slots=True)
class Throughput:
    """One work; ``body`` makes the file to send; ``by_bytes``: the cost is per MiB instead of per request."""

    key: str
    title: str
    sentence: str
    work: Work
    body: Callable[[Path], Path] | None = None
    flask: bool = False
    by_bytes: bool = False

    def cost(self, sample: Sample) -> float:
        """CPU time in nanoseconds, per request or MiB."""
        return sample.cpu_per_mebibyte if self.by_bytes else sample.cpu_per_request

    def rate(self, sample: Sample) -> float:
        """Requests or MiB per second."""
        return sample.burst.bytes / sample.burst.seconds / 1_048_576 if self.by_bytes else sample.burst.rate


WORKS = (
    Throughput(
        "a", "hello, keep-alive", "GET /hello, 1 worker, 32 keep-alive connections, 12 header fields", Work("/hello")
    ),
    Throughput(
        "b", "hello, new connections", "GET /hello, 1 worker, 32 clients, a new connection for each request",
        Work("/hello", new_connections=True),
    ),
    Throughput(
        "d-up", "1 MiB up", "POST of 1 MiB, read by the application in blocks of 64 KiB, 4 connections",
        Work("/upload", connections=4, method="POST"), body=mebibyte_body,
    ),
    Throughput(
        "d-down", "1 MiB down", "GET of 1 MiB from memory, 4 connections; cost and rate by MiB",
        Work("/mebibyte", connections=4), by_bytes=True,
    ),
    Throughput(
        "d-file", "50 MB file", "GET of a 50 MB file through wsgi.file_wrapper, 2 connections; cost and rate by MiB",
        Work("/file", connections=2), by_bytes=True,
    ),
    Throughput(
        "e", "POST of JSON", "POST of 2 KiB of JSON, parsed and answered by the application, 32 keep-alive connections",
        Work("/order", method="POST"), body=order_body,
    ),
    Throughput(
        "f", "Flask", "GET of a small Flask page (route, query, template), 32 keep-alive connections",
        Work("/greet/world?word=lamp"), flask=True,
    ),
)  # fmt: skip


def run(scenario: Throughput, bench: Bench) -> Outcome:
    """Measure all peers that can do it, in turn."""
    chosen = bench.choose(lambda peer: not (peer.asgi and scenario.flask))
    remarks = [f"left out: {one.name} (ASGI; Flask is WSGI)" for one in _missing(bench, chosen)]
    work = replace(scenario.work, body=scenario.body(bench.scratch)) if scenario.body else scenario.work
    with bench.serving(chosen, bench.setup(flask=scenario.flask)) as (servers, failed):
        remarks += failed
        samples, broken = collect(bench, servers, work)
    remarks += broken
    table, measures, picture = compare(scenario, samples)
    remarks += failures_of(samples)
    everything = [sample for rows in samples.values() for sample in rows]
    return Outcome(
        scenario.key, scenario.title, scenario.sentence, table, measures, picture, remarks, foreign_share(everything)
    )


def _missing(bench: Bench, chosen: Sequence[Installed]) -> list[Peer]:
    return [one.peer for one in bench.installed if one not in chosen]


def collect(bench: Bench, servers: Sequence[Server], work: Work) -> tuple[dict[str, list[Sample]], list[str]]:
    """Return one sample per server and round, and a remark for each server that failed and was left out."""
    samples: dict[str, list[Sample]] = {server.name: [] for server in servers}
    remarks = []
    for number, order in in_turn(servers, bench.rounds + 1):  # the first one warms up and is not counted
        bench.say(f"round {number} of {bench.rounds}")
        for server in order:
            if server.name not in samples:
                continue
            try:
                sample, _ = bench.measure(server, work)
            except LoadFailed as error:
                remarks.append(f"left out: {error}")
                del samples[server.name]
                continue
            if number:
                samples[server.name].append(sample)
    return samples, remarks


def compare(scenario: Throughput, samples: dict[str, list[Sample]]) -> tuple[Table, dict[str, float], dict[str, float]]:
    """Return the table, the measures and the picture."""
    unit, units = ("MiB", "MiB") if scenario.by_bytes else ("request", "requests")
    columns = (
        "server", "CPU: hybridd ÷ it", "quartiles", "rate: hybridd ÷ it", "quartiles",
        f"best µs CPU per {unit}", f"best {units}/s", "p99 ms",
    )  # fmt: skip
    ours = samples.get(SUBJECT)
    measures: dict[str, float] = {}
    picture: dict[str, float] = {}
    rows: list[Sequence[str]] = []
    for name, theirs in samples.items():
        costs, rates = [scenario.cost(one) for one in theirs], [scenario.rate(one) for one in theirs]
        shown = ("", "", "", "")
        if ours:
            cost = ratio_of_costs([scenario.cost(one) for one in ours], costs)
            rate = ratio_of_rates([scenario.rate(one) for one in ours], rates)
            measures |= {f"cpu/{name}": cost.best, f"rate/{name}": rate.best}
            picture[name] = 1 / cost.best
            shown = _shown(cost, rate) if name != SUBJECT else ("1", "", "1", "")
        p99 = sorted(one.burst.p99_ms for one in theirs)[len(theirs) // 2]
        rows.append((name, *shown, f"{min(costs) / 1000:.1f}", f"{max(rates):,.0f}", f"{p99:.1f}"))
    return Table(columns, rows), measures, picture


def _shown(cost: Ratio, rate: Ratio) -> tuple[str, str, str, str]:
    return (*show_ratio(cost), *show_ratio(rate))


def failures_of(samples: dict[str, list[Sample]]) -> list[str]:
    """Return a remark for each server with failed requests."""
    remarks = []
    for name, rows in samples.items():
        failures, requests = sum(one.burst.failures for one in rows), sum(one.burst.requests for one in rows)
        if failures > _FEW_FAILURES * requests:
            remarks.append(f"{name}: {failures:,} failures beside {requests:,} answers")
    return remarks
