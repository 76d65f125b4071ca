"""Workers that die: the service goes on, the dead are replaced at once, nothing that was counted is lost."""

from __future__ import annotations

import itertools
import signal
import time

import pytest

from tests.support import processes
from tests.support.lateness import Lateness
from tests.support.load import Plan
from tests.support.tools import full
from tests.support.traffic import Load, Wrk
from tests.support.waiting import pass_time, wait_until

SERVICE = {"application": "service:app"}

# How a request ends whose worker is killed; everything else would be another fault.
ENDED_BY_A_DEATH = {
    "closed without an answer",
    "cut inside the head",
    "receiving: ECONNRESET",
    "sending: ECONNRESET",
    "sending: EPIPE",
}


def replaced(server, victim, count=2):
    """Wait until ``victim`` is gone and everybody is ready; return how long that took."""
    started = time.monotonic()
    server.wait_workers(count, without=[victim], within=5)
    return time.monotonic() - started


@pytest.mark.alone
@pytest.mark.watchdog(120)
def test_killing_workers_under_load_hurts_only_their_own_connections(serve, rng):
    seconds, pause = (30, 2.0) if full() else (6, 1.0)
    server = serve({**SERVICE, "crash": {"restarts": 100}})
    server.wait_workers(2)
    scrapes = [server.metrics()]
    respawns = []
    with (
        Lateness() as late,
        Wrk(f"{server.url}/", seconds=seconds, connections=64) as wrk,
        Load(Plan(server.address, connections=2)) as load,
    ):
        while pass_time(pause, unless=lambda: not wrk.running()):
            victim = rng.choice(server.ready_pids())
            processes.send(victim, signal.SIGKILL)
            respawns.append(replaced(server, victim))
            scrapes.append(server.metrics())
        result = wrk.wait()
        tally = load.stop()
    kills = len(respawns)
    assert kills >= 2
    assert max(respawns) < late.allow(1.0), (respawns, late)
    # Of the 64 + 2 connections those of the dead worker fail: at most all of them, each time.
    assert result.connect == result.write == result.timeout == result.bad_status == 0, result.output
    assert result.read <= 64 * kills, result.output
    assert tally.longest_silence < late.allow(1.0), late
    assert set(tally.failures) <= ENDED_BY_A_DEATH
    for earlier, later in itertools.pairwise(scrapes):
        assert later.fallen_since(earlier) == []
    last = server.metrics()
    assert last.total("hybridd_http_requests_total") >= result.requests
    assert last.value("hybridd_worker_restarts_total", cause="signal") == kills


def test_a_dead_worker_is_explained(serve):
    server = serve({**SERVICE, "workers": 1})
    (victim,) = server.wait_workers(1)
    server.fetch("/")
    processes.send(victim, signal.SIGKILL)
    server.wait_workers(1, without=[victim])
    assert str(victim) in server.wait_log(r"^.*SIGKILL.*$").group()


def test_a_worker_that_exits_by_itself_is_replaced(serve):
    server = serve({**SERVICE, "workers": 1})
    (victim,) = server.wait_workers(1)
    with server.client() as client:
        client.send(b"GET /exit/7 HTTP/1.1\r\nHost: t\r\n\r\n")
        assert client.ended()
    server.wait_workers(1, without=[victim])
    assert server.fetch("/").status == 200
    assert re_status(server, victim, 7)


def re_status(server, pid, status):
    line = server.wait_log(rf"^.*\b{pid}\b.*$").group()
    return server.wait_log(rf"^.*\b{pid}\b.*\b{status}\b.*$").group() or line


def test_all_workers_dead_at_once_come_back(serve):
    server = serve({**SERVICE, "workers": 3})
    victims = server.wait_workers(3)
    for victim in victims:
        processes.send(victim, signal.SIGKILL)
    server.wait_workers(3, without=victims, within=5)
    assert server.fetch("/").status == 200


def test_totals_survive_the_death_of_the_worker_that_counted_them(serve):
    server = serve({**SERVICE, "workers": 1})
    (victim,) = server.wait_workers(1)
    for _ in range(20):
        server.fetch("/")

    def counted():
        return server.metrics().value("hybridd_http_requests_total", method="GET", code="2xx") == 20

    wait_until(counted, within=5, what="20 requests are counted")
    before = server.metrics()
    processes.send(victim, signal.SIGKILL)
    server.wait_workers(1, without=[victim])
    after = server.metrics()
    assert after.fallen_since(before) == []
    assert after.value("hybridd_http_requests_total", method="GET", code="2xx") == 20
