"""Handlers run on the loop until they block: fast ones pay nothing, slow ones hold nobody up, none is lost."""

from __future__ import annotations

import contextlib
import statistics
import threading

import pytest

from hybridd.worker.dispatch import COMPUTING_AT_ONCE
from tests.support.client import CUT, PATIENT, timed_fetch
from tests.support.lateness import Lateness
from tests.support.load import Plan
from tests.support.traffic import Load
from tests.support.waiting import wait_until

ONE = {"application": "service:app", "workers": 1}


def handoffs(server):
    return server.metrics().value("hybridd_handoffs_total")


def active(server):
    return server.metrics().value("hybridd_connections", state="active")


def busy_slots(server):
    return server.metrics().value("hybridd_handler_slots", state="busy")


def test_fast_handlers_are_not_handed_off(serve):
    server = serve(ONE)
    with server.client() as client:
        for _ in range(500):
            assert client.get("/").status == 200
    assert handoffs(server) < 25  # a busy machine makes some of them look slow


def test_a_route_that_blocks_is_handed_off_and_then_goes_to_the_pool_at_once(serve):
    server = serve(ONE)
    with server.client() as client:
        assert client.get("/sleep/0.1").body == b"slept\n"
        server.wait_metric("hybridd_handoffs_total", 1)
        for _ in range(5):
            assert client.get("/sleep/0.05").body == b"slept\n"
        server.wait_metric("hybridd_http_requests_total", 6, method="GET", code="2xx")
        assert handoffs(server) == 1


def test_a_fast_route_stays_fast_beside_many_that_block(serve):
    server = serve(ONE)
    with (
        Lateness() as late,
        Load(Plan(server.address, target="/sleep/0.05", connections=16)) as slow,
        Load(Plan(server.address, connections=4)) as fast,
    ):
        fast.wait_answered(2000)
        wait_until(lambda: busy_slots(server) > 12, within=10, what=lambda: f"{busy_slots(server)} of 16 wait at once")
        tallies = [slow.stop(), fast.stop()]
    assert [tally.failures for tally in tallies] == [{}, {}]
    assert tallies[1].percentile(0.5) < late.allow(0.02, 0.9), late


def test_a_fast_route_is_served_beside_handlers_that_compute(serve):
    server = serve(ONE)
    with Lateness() as late, Load(Plan(server.address, target="/spin/0.2", connections=4)) as computing:
        computing.wait_answered(8)  # each has been measured in the company of the others
        wait_until(
            lambda: busy_slots(server) == COMPUTING_AT_ONCE and active(server) == 4,
            within=10,
            what=lambda: f"{busy_slots(server)} of {active(server)} compute at once",
        )
        took = [timed_fetch(server.address)[1] for _ in range(50)]
        assert computing.stop().failures == {}
    assert statistics.median(took) < late.allow(0.1, 0.9), late


@pytest.mark.parametrize("keep_alive", [True, False])
def test_handlers_that_block_about_as_long_as_the_monitor_waits(serve, keep_alive):
    """The lead is taken at every possible moment: all answers arrive, whole and on their own connection."""
    server = serve(ONE)
    with contextlib.ExitStack() as stack:
        loads = [
            stack.enter_context(Load(Plan(server.address, target=target, connections=6, keep_alive=keep_alive)))
            for target in ("/sleep/0.004", "/sleep/0.005", "/sleep/0.006", "/", "/stream/3/1000", "/spin/0.005")
        ]
        for load in loads:
            load.wait_answered(80, within=30)
        tallies = [load.stop() for load in loads]
    assert [tally.failures for tally in tallies] == [{}] * len(tallies)
    server.wait_metric("hybridd_handler_slots", 0, state="busy")
    server.wait_metric("hybridd_connections", 0, state="active")


def test_everything_a_handed_off_handler_does_arrives(serve):
    server = serve({"application": "sleeping:application", "workers": 1})
    with server.client() as client:
        for _ in range(3):
            assert client.get("/?seconds=0.03").body == b"slept\n"
            assert client.get("/?seconds=0.03&stream=1").body == b"before\nafter\n"


def test_a_handed_off_handler_that_raises_fails_its_request_only(serve):
    server = serve({"application": "sleeping:application", "workers": 1})
    (pid,) = server.wait_workers(1)
    for _ in range(3):  # handed off, then in the pool from its beginning
        assert server.fetch("/whole?seconds=0.03&raise=1").status == 500
        with server.client() as client, pytest.raises(CUT):
            client.get("/stream?seconds=0.03&raise=1&stream=1")
    assert server.log().count(": SystemExit: raised after its sleep (") == 6
    server.wait_metric("hybridd_handler_slots", 0, state="busy")
    server.wait_metric("hybridd_handoffs_total", 2)
    assert server.fetch("/?seconds=0").body == b"slept\n"
    assert server.ready_pids() == [pid]


def test_a_client_that_leaves_a_handed_off_handler_harms_nobody(serve):
    server = serve(ONE)
    for _ in range(20):
        client = server.client()
        client.send(b"GET /sleep/0.05 HTTP/1.1\r\nHost: t\r\n\r\n")
        client.abort()
    assert server.fetch("/").status == 200
    server.wait_metric("hybridd_handler_slots", 0, state="busy")
    server.wait_metric("hybridd_connections", 0, state="active")
    assert "Traceback" not in server.log()


def test_a_handler_that_is_always_on_its_way_in_and_out_is_handed_off_too(serve):
    """It never blocks for long in one piece of the application, and would keep the loop to itself."""
    server = serve({"application": "legacy_write:application", "workers": 1})
    for _ in range(10):
        with server.client() as endless, server.client() as client:
            endless.send(b"GET /endless?size=10000 HTTP/1.1\r\nHost: t\r\n\r\n")
            assert client.get("/gone").status == 200


@pytest.mark.parametrize("handlers", ["inline", "threads"])
def test_the_other_ways_to_run_handlers(serve, handlers):
    """The first thread of the pool leads, and is never handed off."""
    server = serve({**ONE, "handlers": handlers})
    gate = threading.Barrier(2, timeout=PATIENT)

    def sleep():
        gate.wait()
        assert timed_fetch(server.address, "/sleep/0.5")[0].body == b"slept\n"

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    gate.wait()
    with server.client() as client:
        ran_in = {client.get("/thread").body for _ in range(3)}
    sleeper.join(PATIENT)
    assert (ran_in == {b"call-0"}) if handlers == "inline" else (b"call-0" not in ran_in)
    assert handoffs(server) == 0


def test_a_worker_that_dies_in_a_handed_off_handler_is_replaced(serve):
    server = serve(ONE)
    (victim,) = server.wait_workers(1)
    with server.client() as client:
        assert client.get("/sleep/0.03").status == 200
        client.send(b"GET /exit/3 HTTP/1.1\r\nHost: t\r\n\r\n")
        with pytest.raises(CUT):
            client.read_answer()
    server.wait_workers(1, without=[victim])
