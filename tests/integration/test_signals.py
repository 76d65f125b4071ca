"""Every signal of the table, on real processes under load; nobody's request fails because of one."""

from __future__ import annotations

import signal

import pytest

from tests.support import processes
from tests.support.load import Plan
from tests.support.traffic import Load
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}


@pytest.fixture(params=[True, False], ids=["keep-alive", "new-connections"])
def keep_alive(request):
    return request.param


def plan(server, *, keep_alive=True, **further):
    return Plan(server.address, connections=16, keep_alive=keep_alive, think=0.002, **further)


def assert_unharmed(load, at_least=100):
    tally = load.stop()
    assert tally.failed == 0, tally.failures
    assert tally.answered > at_least


def test_hup_replaces_every_worker_and_fails_no_request(serve, keep_alive):
    server = serve(SERVICE)
    before = server.wait_workers(2)
    with Load(plan(server, keep_alive=keep_alive)) as load:
        server.signal(signal.SIGHUP)
        after = server.wait_workers(2, without=before)
        load.wait_answered(200)
        assert_unharmed(load)
    assert len(set(after)) == 2
    server.wait_metric("hybridd_config_last_reload_successful", 1)


def test_ttin_adds_a_worker_and_ttou_takes_it_away(serve, keep_alive):
    server = serve(SERVICE)
    two = server.wait_workers(2)
    with Load(plan(server, keep_alive=keep_alive)) as load:
        server.signal(signal.SIGTTIN)
        three = server.wait_workers(3)
        assert set(two) < set(three)
        load.wait_answered(200)
        server.signal(signal.SIGTTOU)
        server.wait_workers(2)
        load.wait_answered(200)
        assert_unharmed(load)


def test_ttou_leaves_the_last_worker(serve):
    server = serve({**SERVICE, "workers": 2})
    for _ in range(3):
        server.signal(signal.SIGTTOU)
    server.wait_workers(1)
    assert server.fetch("/").status == 200
    assert len(server.wait_workers(1)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["INT", "QUIT"])
def test_int_and_quit_end_at_once(serve, number, tmp_path):
    server = serve({**SERVICE, "timeouts": {"graceful": "60s"}})
    with server.client() as client:
        client.send(b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(tmp_path / "never").encode())
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        server.stop(number, within=5)


def test_a_second_term_hurries(serve, tmp_path):
    server = serve({**SERVICE, "timeouts": {"graceful": "60s"}})
    with server.client() as client:
        client.send(b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(tmp_path / "never").encode())
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        server.stop(within=5)


def test_usr1_opens_the_logs_again(serve):
    server = serve({**SERVICE, "workers": 2})
    server.fetch("/?before")
    server.wait_access("before")
    moved = server.access_file.rename(server.access_file.with_suffix(".1"))
    server.signal(signal.SIGUSR1)
    wait_until(server.access_file.exists, within=5, what="the access log is made again")

    def arrives():
        server.fetch("/?after")
        return any("after" in line for line in server.access_log())

    wait_until(arrives, within=5, what="new lines go to the new file")
    assert "before" in moved.read_text()


def test_winch_and_a_terminals_signals_at_workers_change_nothing(serve):
    server = serve(SERVICE)
    pids = server.wait_workers(2)
    server.signal(signal.SIGWINCH)
    for pid in pids:
        processes.send(pid, signal.SIGHUP)
        processes.send(pid, signal.SIGINT)
    assert server.fetch("/").status == 200
    assert server.wait_workers(2) == pids


def test_term_to_one_worker_replaces_it_and_fails_no_request(serve):
    server = serve(SERVICE)
    before = server.wait_workers(2)
    with Load(plan(server)) as load:
        processes.send(before[0], signal.SIGTERM)
        server.wait_workers(2, without=before[:1])
        load.wait_answered(200)
        assert_unharmed(load)


def test_many_signals_at_once_end_in_the_state_that_was_asked_for(serve):
    server = serve({**SERVICE, "workers": 1})
    before = server.wait_workers(1)
    with Load(plan(server)) as load:
        # Two of the same at once may become one: the kernel keeps a set of pending signals, not a queue (signal(7)).
        for number in (signal.SIGHUP, signal.SIGTTIN, signal.SIGUSR1, signal.SIGHUP, signal.SIGWINCH):
            server.signal(number)
        server.wait_workers(2, without=before, within=20)
        load.wait_answered(200)
        assert_unharmed(load)
