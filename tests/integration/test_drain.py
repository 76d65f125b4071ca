"""Stopping: what was asked is answered, what comes too late finds nobody, what hangs is cut after the deadline."""

from __future__ import annotations

import contextlib
import signal

import pytest

from tests.support import processes
from tests.support.client import CUT, Client, connect
from tests.support.daemon import title
from tests.support.load import Plan
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app"}


def hold(path):
    return b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(path).encode()


def running(server):
    return server.metrics().value("hybridd_handler_slots", state="busy")


def drained(server):
    """Tell whether all workers drain, by their own word: the master says so when it has told them."""
    return all(" draining" in title(worker["pid"]) for worker in server.workers())


def active(server):
    return server.metrics().value("hybridd_connections", state="active")


def test_term_answers_fifty_requests_in_flight_on_kept_connections(serve, tmp_path):
    server = serve({**SERVICE, "workers": 2, "threads": 50})  # whichever worker has how many of them, all run
    gate = tmp_path / "gate"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(50)]
        for client in clients:
            assert client.get("/").status == 200  # a kept connection, not a new one
        for client in clients:
            client.send(hold(gate))
        wait_until(lambda: running(server) == 50, within=10, what=lambda: f"50 running, {running(server)} are")
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        wait_until(lambda: drained(server), within=5, what="both workers drain")
        gate.touch()
        for client in clients:
            answer = client.read_answer()
            assert answer.body == b"released\n"
            assert answer.header("connection") == "close"
            assert client.ended()
        assert server.wait_ended() == 0


def test_queued_requests_are_answered_too(serve, tmp_path):
    server = serve({**SERVICE, "workers": 1, "threads": 2})
    gate = tmp_path / "gate"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(10)]
        for client in clients:
            client.send(hold(gate))
        wait_until(lambda: active(server) == 10 and running(server) == 2, within=5, what="two run, eight wait")
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        gate.touch()
        assert [client.read_answer().body for client in clients] == [b"released\n"] * 10
        assert server.wait_ended() == 0


def test_a_request_that_is_being_sent_is_still_answered(serve):
    server = serve({**SERVICE, "shutdown": {"idle_grace": "8s"}})
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab")
        server.wait_metric("hybridd_connections", 1, state="reading")
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        client.send(b"cde")
        answer = client.read_answer()
        assert (answer.status, answer.body) == (200, b"abcde")
        assert server.wait_ended() == 0


def test_an_idle_connection_is_closed_write_side_first(serve):
    server = serve({**SERVICE, "shutdown": {"idle_grace": "300ms"}})
    with server.client() as client:
        assert client.get("/").status == 200
        server.signal(signal.SIGTERM)
        assert client.ended()  # an end-of-file, not a reset
        assert server.wait_ended() == 0


def test_a_stream_that_is_being_sent_ends_whole(serve):
    server = serve(SERVICE)
    with server.client() as client:
        client.send(b"GET /stream/400/65536 HTTP/1.1\r\nHost: t\r\n\r\n")  # 25 MiB, more than buffers take
        head = client.read_head()
        assert head.status == 200
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        size = 0
        while chunk := client.read_chunk():
            size += len(chunk)
        assert size == 400 * 65536
        assert server.wait_ended() == 0


def test_what_outlives_the_deadline_is_cut(serve, tmp_path):
    server = serve({**SERVICE, "timeouts": {"graceful": "1s"}})
    with server.client() as client:
        client.send(hold(tmp_path / "never"))
        wait_until(lambda: running(server) == 1, within=5, what="it runs")
        server.signal(signal.SIGTERM)
        assert server.wait_ended(within=10) == 0
        with pytest.raises(CUT):
            client.read_answer()


def test_term_under_load_fails_nobody_who_was_connected(serve):
    """Stopping for good refuses new connections in the end; until then every request that was sent is answered."""
    server = serve(SERVICE)
    address = server.address
    with Load(Plan(address, connections=16, think=0.002)) as load:
        load.wait_answered(200)
        server.signal(signal.SIGTERM)
        assert server.wait_ended() == 0
        tally = load.stop()
    refused = {reason: count for reason, count in tally.failures.items() if reason == "connect: ECONNREFUSED"}
    assert tally.failures == refused


def test_the_port_is_free_at_once(serve):
    server = serve(SERVICE)
    address = server.address
    with server.client() as client:
        client.get("/")
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        connect(address).close()
    again = serve({**SERVICE, "listen": [address]})
    assert again.fetch("/").status == 200


def test_not_ready_is_said_before_the_stop_begins(serve):
    server = serve({**SERVICE, "shutdown": {"drain_delay": "60s"}})
    with Client(server.address) as client:
        server.signal(signal.SIGTERM)
        wait_until(lambda: server.ask_admin("/readyz").status == 503, within=5, what="/readyz says 503")
        assert client.get("/").status == 200  # still served, also on new connections
        assert server.fetch("/").status == 200
    server.stop(signal.SIGQUIT)


@pytest.mark.parametrize("pattern", ["hybrid", "prefork"])
def test_term_resets_none_of_32_clients_that_keep_connecting(serve, pattern):
    """Who has got through the handshake is answered; everybody else is refused in the end."""
    for _ in range(10 if full() else 1):
        server = serve({**SERVICE, "pattern": pattern, "workers": 2})
        with Load(Plan(server.address, connections=32, keep_alive=False)) as load:
            load.wait_answered(200)
            server.signal(signal.SIGTERM)
            assert server.wait_ended() == 0
            tally = load.stop()
        assert set(tally.failures) <= {"connect: ECONNREFUSED"}, tally.failures


@pytest.mark.parametrize("pattern", ["hybrid", "prefork", "pool"] if full() else ["prefork"])
def test_eight_requests_in_flight_or_waiting_are_all_answered(serve, tmp_path, pattern):
    """Four run at a time; peers answered one, two or none of them."""
    workers, threads = (4, 1) if pattern == "prefork" else (1, 4)
    server = serve({**SERVICE, "pattern": pattern, "workers": workers, "threads": threads})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(8)]
        for client in clients:
            client.send(hold(tmp_path / "gate"))
        taken = 8 if pattern == "hybrid" else 4

        def waiting():
            return server.metrics().total("hybridd_listener_accept_queue")

        wait_until(lambda: waiting() <= 8 - taken, within=5, what=lambda: f"{taken} are taken, {waiting()} wait")
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        (tmp_path / "gate").touch()
        assert [client.read_answer().body for client in clients] == [b"released\n"] * 8
        assert server.wait_ended() == 0


def test_a_second_term_to_a_worker_that_leaves_does_not_cut_its_last_words(serve, tmp_path):
    (tmp_path / "polite.py").write_text(
        "import atexit, pathlib, time\n"
        f"here = pathlib.Path({str(tmp_path)!r})\n"
        "def say_goodbye():\n"
        "    (here / 'begun').touch()\n"
        "    while not (here / 'go').exists():\n"
        "        time.sleep(0.01)\n"
        "    (here / 'done').touch()\n"
        "atexit.register(say_goodbye)\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return []\n"
    )
    server = serve({"application": "polite:app", "chdir": str(tmp_path), "workers": 1})
    (pid,) = server.wait_workers(1)
    server.signal(signal.SIGTERM)
    wait_until((tmp_path / "begun").exists, within=10, what="the worker is at its atexit functions")
    processes.send(pid, signal.SIGTERM)
    (tmp_path / "go").touch()
    assert server.wait_ended() == 0
    assert (tmp_path / "done").exists()
    assert "exited with status 0 as asked (stop)" in server.log()
