"""Workers are replaced while they serve, because they have served, lived or grown enough: nobody's request fails."""

from __future__ import annotations

import contextlib

import pytest

from tests.support.lateness import Lateness
from tests.support.load import Plan
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.verbs import verb, verb_json
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}


def recycled(server):
    return server.metrics().value("hybridd_worker_restarts_total", cause="recycle")


@pytest.mark.watchdog(300)
@pytest.mark.parametrize("workers", [2, 3, 4] if full() else [2])
@pytest.mark.parametrize("pattern", ["hybrid", "prefork"])
def test_recycling_under_load_fails_no_request(serve, pattern, workers):
    rounds, most = (20, 500) if full() else (3, 100)
    server = serve({**SERVICE, "pattern": pattern, "workers": workers, "recycle": {"max_requests": most}})
    server.wait_workers(workers)
    loads = [Load(Plan(server.address, connections=8, keep_alive=keep, seconds=200)) for keep in (True, False)]
    counts = set()
    with Lateness() as late, contextlib.ExitStack() as stack:
        for load in loads:
            stack.enter_context(load)

        def enough():
            counts.add(sum(worker["state"] == "ready" for worker in server.workers()))
            return recycled(server) >= rounds

        wait_until(enough, within=150, what=lambda: f"{rounds} workers are recycled, {recycled(server)} are")
        for load in loads:
            load.wait_answered(50)
        tallies = [load.stop() for load in loads]
    assert [tally.failures for tally in tallies] == [{}, {}]
    assert min(tally.answered for tally in tallies) > most
    assert max(tally.longest_silence for tally in tallies) < late.allow(2.0), late
    assert min(counts) >= workers, "a worker left before another one served"
    assert max(counts) <= workers + 1, "more than recycle.max_unavailable at a time"
    kept = verb_json(server, "status", "--deaths")["deaths"]["kept"]
    assert {death["cause"] for death in kept} == {"recycle"}
    assert min(death["requests"] for death in kept) >= most


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"max_age": "1s"}, r"it has lived 1s \(recycle\.max_age\)"),
        ({"max_rss": "8MiB", "memory": "pss"}, r"of memory \(recycle\.max_rss, pss\)"),  # less than Python itself
    ][not full() :],
)
def test_a_worker_may_be_old_or_large_enough(serve, limits, reason):
    server = serve({**SERVICE, "workers": 1, "recycle": limits})
    (first,) = server.wait_workers(1)
    server.wait_log(rf"pid={first} is to be replaced \(recycle\): .*{reason}")
    server.wait_log(rf"pid={first} exited with status 0 as asked \(recycle\)")


def test_nobody_is_recycled_while_workers_crash(serve):
    crash = {"restarts": 2, "window": "60s"}
    server = serve({**SERVICE, "workers": 2, "crash": crash, "recycle": {"max_requests": 1}})
    for _ in range(2):
        pids = server.wait_workers(2)
        with server.client() as client:
            client.send(b"GET /exit/3 HTTP/1.1\r\nHost: t\r\n\r\n")
            assert client.ended()
        wait_until(lambda pids=pids: set(server.ready_pids()) != set(pids), within=10, what="a worker has died")
    wait_until(lambda: server.status()["state"] == "degraded", within=5, what=lambda: str(server.status()))
    pids = server.wait_workers(2)
    before = recycled(server)
    mark = len(server.log())
    for _ in range(8):
        assert server.fetch("/").status == 200
    server.wait_log(r"is to be replaced \(recycle\)", since=mark)
    assert (server.wait_workers(2), recycled(server)) == (pids, before)
    # Said in every place.
    words = "2 or more workers crashed within 60 s"
    answer = server.ask_admin("/readyz")
    assert (answer.status, words in answer.text) == (200, True)
    assert words in server.status()["degraded"]
    assert words in verb(server, "status").stdout
    assert server.metrics().value("hybridd_degraded", reason="crashes") == 1
    assert server.notify.find(lambda message: words in message.get("STATUS", "")) is not None
