"""Workers whose loop does not turn: found, their stacks written, replaced first; the others serve meanwhile."""

from __future__ import annotations

import signal

import pytest

from tests.support import processes
from tests.support.client import CUT, ConnectionEnded
from tests.support.waiting import pass_time, wait_until

SERVICE = {"application": "service:app", "timeouts": {"worker": "2s"}}


def test_a_stopped_worker_is_replaced(serve):
    server = serve(SERVICE)
    before = server.wait_workers(2)
    processes.send(before[0], signal.SIGSTOP)
    server.wait_workers(2, without=before[:1], within=20)
    assert not processes.alive(before[0])
    assert processes.alive(before[1])
    assert server.fetch("/").status == 200


@pytest.mark.watchdog(60)
def test_an_application_that_keeps_the_interpreter_lock_is_found_and_its_stacks_are_logged(serve):
    server = serve({**SERVICE, "workers": 1})
    (victim,) = server.wait_workers(1)
    with server.client(timeout=30) as client:
        client.send(b"GET /gil/600 HTTP/1.1\r\nHost: t\r\n\r\n")
        server.wait_workers(1, without=[victim], within=20)
        with pytest.raises(CUT):
            client.read_answer()
    assert server.fetch("/").status == 200
    log = server.log()
    assert "hold_interpreter" in log, "the stack of the thread that hangs"
    assert "service.py" in log
    assert not processes.alive(victim)


def test_the_others_serve_while_one_hangs(serve):
    server = serve({**SERVICE, "workers": 2, "timeouts": {"worker": "3s"}})
    before = server.wait_workers(2)
    processes.send(before[0], signal.SIGSTOP)
    # New connections may have been taken by the stopped one; those of the other are answered.
    answered = 0
    for _ in range(20):
        with server.client(timeout=0.5) as client:
            try:
                answered += client.get("/").status == 200
            except (TimeoutError, ConnectionEnded):
                continue
    assert answered >= 1
    server.wait_workers(2, without=before[:1], within=20)


def test_a_worker_without_cpu_time_is_not_called_hung(serve):
    """The machine was busy or slept: worker and master stood still together, and nobody is judged for that."""
    server = serve(SERVICE)
    before = server.wait_workers(2)
    everyone = [server.pid, *before]
    for pid in everyone:
        processes.send(pid, signal.SIGSTOP)
    wait_until(lambda: all(processes.stopped(pid) for pid in everyone), within=5, what="they are stopped")
    pass_time(3.0)  # more than the limit: here time itself is the input
    for pid in reversed(everyone):
        processes.send(pid, signal.SIGCONT)
    assert server.fetch("/").status == 200
    mark = server.metrics().value("hybridd_worker_heartbeat_timestamp_seconds", worker="0")
    wait_until(
        lambda: server.metrics().value("hybridd_worker_heartbeat_timestamp_seconds", worker="0") >= mark + 2,
        within=10,
        what="two more heartbeats",
    )
    assert server.ready_pids() == before
