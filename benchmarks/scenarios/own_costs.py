"""Scenarios l and m: what hybridd's access log and its metrics cost.

Knows:     hybridd's admin endpoint.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.bench import Bench, Sample, foreign_share, in_turn
from benchmarks.load import client
from benchmarks.load.wrk import Work
from benchmarks.measure.paired import quartiles, ratio_of_costs, ratio_of_rates
from benchmarks.outcome import Outcome, Table, show_ratio
from benchmarks.peers.catalogue import ACCESS_LOG, SUBJECT
from benchmarks.peers.server import Server
from benchmarks.scenarios import throughput

HELLO = Work("/hello")
WORKERS = 8
_SCRAPES = 30


def run_access_log(bench: Bench) -> Outcome:
    """Scenario l: the same server with and without its access log."""
    setups = [bench.setup(), replace(bench.setup(), variant=ACCESS_LOG)]
    with bench.serving(bench.subject, *setups) as (servers, remarks):
        samples, broken = throughput.collect(bench, servers, HELLO)
    rows: list[Sequence[str]] = []
    measures: dict[str, float] = {}
    if len(samples) == len(setups):
        off, on = samples.values()
        cost = ratio_of_costs([one.cpu_per_request for one in on], [one.cpu_per_request for one in off])
        rate = ratio_of_rates([one.burst.rate for one in on], [one.burst.rate for one in off])
        rows.append((SUBJECT, *show_ratio(cost), *show_ratio(rate)))
        measures["cost"] = cost.best
    return Outcome(
        "l", "the access log", "hello as in a, with the access log (combined format, to a file) against without",
        Table(("server", "CPU per request: on ÷ off", "quartiles", "requests/s: on ÷ off", "quartiles"), rows),
        measures, {}, [*remarks, *broken], foreign_share([one for collected in samples.values() for one in collected]),
    )  # fmt: skip


def run_scrape(bench: Bench) -> Outcome:
    """Scenario m: /metrics of a server with eight workers, idle and under load; and hello's p99 with a scrape."""
    rows: list[Sequence[str]] = []
    measures: dict[str, float] = {}
    samples: list[Sample] = []
    setup = bench.setup(workers=WORKERS)
    with bench.serving(bench.subject, setup) as (servers, remarks):
        remarks.append(
            f"CPUs of the servers: {len(bench.cpus(setup))}; under load the master that answers the scrape waits there"
            f" for its turn behind {WORKERS} busy workers"
        )
        for server in servers:
            bench.measure(server, HELLO)  # so that all counters and the memory of a working server are there
            idle = [_scrape(server) for _ in range(_SCRAPES)]
            without: list[Sample] = []
            beside: list[Sample] = []
            under_load: list[float] = []
            for number, _ in in_turn(servers, bench.rounds):
                bench.say(f"round {number + 1} of {bench.rounds}")
                without.append(bench.measure(server, HELLO)[0])
                scraper = threading.Timer(bench.seconds / 2, lambda: under_load.append(_scrape(server)))  # noqa: B023
                scraper.start()
                beside.append(bench.measure(server, HELLO)[0])
                scraper.join()
            samples = [*without, *beside]
            p99 = [one.burst.p99_ms for one in without], [one.burst.p99_ms for one in beside]
            low, ratio, high = quartiles([there / here for here, there in zip(*p99, strict=True)])
            measures |= {"scrape": min(idle) * 1000, "scrape-typical": statistics.median(idle) * 1000, "p99": ratio}
            rows.append((
                SUBJECT, f"{min(idle) * 1000:.1f}", f"{statistics.median(idle) * 1000:.1f}",
                f"{statistics.median(under_load) * 1000:.1f}", f"{ratio:.2f}", f"{low:.2f} {high:.2f}",
            ))  # fmt: skip
    return Outcome(
        "m", "one scrape of /metrics, 8 workers",
        "GET /metrics of an idle server and under load; hello's p99 in bursts with one scrape against bursts without",
        Table(("server", "best ms, idle", "median, idle", "median, loaded", "p99 with ÷ without", "quartiles"), rows),
        measures, {}, remarks, foreign_share(samples),
    )  # fmt: skip


def _scrape(server: Server) -> float:
    """Return the seconds that one scrape takes."""
    began = time.perf_counter()
    client.get(server.setup.admin, "/metrics", timeout=10.0)
    return time.perf_counter() - began
