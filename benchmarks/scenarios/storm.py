"""Scenario h, second part: connections per second on four workers, also while a fifth one drains.

Knows:     the subject's variant that accepts without asking whether another worker should, the plain shared listener;
           and how a worker is kept from ending its drain: requests that go on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.bench import Bench, foreign_share
from benchmarks.load import client
from benchmarks.load.wrk import Work
from benchmarks.measure import process_tree
from benchmarks.outcome import Outcome
from benchmarks.peers.catalogue import PLAIN
from benchmarks.peers.server import Server
from benchmarks.scenarios.throughput import Throughput, collect, compare, failures_of

WORKERS = 4
WORK = Work("/hello", connections=64, new_connections=True)
STORM = Throughput(
    "h-storm", "new connections on 4 workers",
    "GET /hello, 4 workers, 64 clients, a new connection for each request; hybridd also without its accept gate", WORK,
)  # fmt: skip
DRAINING = Throughput(
    "h-drain", "new connections while a worker drains",
    "as h-storm, with a fifth worker that drains and waits for requests that go on", WORK,
)  # fmt: skip

_DRAINING = 'hybridd_workers{state="draining"} 1'
_DEADLINE_SECONDS = 5.0


def run(bench: Bench) -> Outcome:
    """Measure all peers that have several workers."""
    plain = bench.setup(workers=WORKERS)
    gated = [plain, replace(plain, variant=PLAIN)]
    others = bench.choose(lambda peer: peer.workers and peer not in [one.peer for one in bench.subject])
    with bench.serving(bench.subject, *gated) as (ours, failed), bench.serving(others, plain) as (theirs, missing):
        return _outcome(STORM, bench, [*ours, *theirs], [*failed, *missing])


def run_draining(bench: Bench) -> Outcome:
    """Measure the subject with and without its gate."""
    seconds = int((bench.rounds + 1) * 2 * (bench.seconds + 1) + _DEADLINE_SECONDS)
    setup = replace(
        bench.setup(workers=WORKERS + 1), options=(*bench.options, "--graceful-timeout", f"{seconds + 30}s")
    )
    with bench.serving(bench.subject, setup, replace(setup, variant=PLAIN)) as (servers, failed):
        with contextlib.ExitStack() as stack:
            for server in servers:
                if not stack.enter_context(one_draining(server, seconds)):
                    failed.append(f"{server.name}: no worker was draining")
            outcome = _outcome(DRAINING, bench, servers, failed)
            still = [_is_draining(server) for server in servers]
        if not all(still):
            outcome = replace(outcome, remarks=[*outcome.remarks, "the drain ended before the measurement did"])
        return outcome


def _outcome(scenario: Throughput, bench: Bench, servers: Sequence[Server], remarks: list[str]) -> Outcome:
    samples, broken = collect(bench, servers, WORK)
    table, measures, picture = compare(scenario, samples)
    remarks += [*broken, *failures_of(samples)]
    everything = [sample for collected in samples.values() for sample in collected]
    return Outcome(
        scenario.key, scenario.title, scenario.sentence, table, measures, picture, remarks, foreign_share(everything)
    )


@contextlib.contextmanager
def one_draining(server: Server, seconds: int) -> Iterator[bool]:
    """Let one worker drain for so long; yields whether it does."""
    with contextlib.ExitStack() as kept:
        workers = server.pids()[1:]
        for worker in workers:
            _hold(kept, server, worker, workers, seconds)
        server.signal(signal.SIGTTOU)
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while not (draining := _is_draining(server)) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield draining


def _hold(kept: contextlib.ExitStack, server: Server, worker: int, workers: Sequence[int], seconds: int) -> None:
    """Send a request that goes on to this very worker: the others are stopped for a moment, so that it accepts.

    Raises:
        BadAnswer: another one answered.
    """
    others = [pid for pid in workers if pid != worker]
    try:
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        _wait_stopped(others)
        connection = kept.enter_context(client.Connection(server.port))
        answered = int(connection.get("/pid"))
        if answered != worker:
            raise client.BadAnswer(f"{answered} answered, while only {worker} of {workers} should be able to")
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)
    connection.send(f"/hold?{seconds}", keep=False)


def _wait_stopped(pids: Sequence[int]) -> None:
    """Wait until the signal has had its effect: who still runs may take a connection with it."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        states = [process.state for pid in pids if (process := process_tree.read_process(pid)) is not None]
        if all(state == "T" for state in states):
            return
        time.sleep(0.001)


def _is_draining(server: Server) -> bool:
    return _DRAINING in client.get(server.setup.admin, "/metrics").decode()
