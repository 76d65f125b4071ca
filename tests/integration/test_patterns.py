"""Every pattern is a whole server: the same conversations, limits, drain, reload and metrics for all seven."""

from __future__ import annotations

import contextlib
import select
import signal
import threading
import time

import pytest

from tests.integration.test_http_cases_live import ECHO, cut, problems
from tests.support.client import Client, exchange, request_bytes, timed_fetch
from tests.support.http_cases import case_names, load_case
from tests.support.lateness import Lateness
from tests.support.load import Plan
from tests.support.patterns import CLOSING, NAMES, ONE_AT_A_TIME, settings, workers_of
from tests.support.server import merged
from tests.support.tools import full
from tests.support.traffic import Load
from tests.support.waiting import pass_time, patient, wait_until

KEPT = {"timeouts": {"keep_alive": "10s", "head": "1s", "linger": "200ms"}, "limits": {"body": "64KiB"}}
GET = request_bytes("GET", "/")
OTHERS = tuple(name for name in NAMES if name != "hybrid")
LAST = request_bytes("GET", "/", {"Connection": "close"})

# -- what a client may say; every conversation gets the address of a server that keeps connections


def whole(address):
    with Client(address) as client:
        for _ in range(3):
            assert client.get("/").body == b"hello\n"


def byte_by_byte(address):
    with Client(address) as client:
        for byte in request_bytes("POST", "/echo", body=b"abc"):
            client.send(bytes([byte]))
        assert client.read_answer().body == b"abc"


def pipelined(address):
    with Client(address) as client:
        client.send(GET * 4 + LAST)
        assert [client.read_answer().body for _ in range(5)] == [b"hello\n"] * 5
        assert client.ended()


def half_closed(address):
    with Client(address) as client:
        client.send(GET)
        client.half_close()
        assert client.read_answer().body == b"hello\n"
        assert client.ended()


def chunked_in(address):
    with Client(address) as client:
        client.send(
            b"POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        assert client.read_answer().body == b"abcde"


def chunked_out(address):
    with Client(address) as client:
        answer = client.get("/stream/5/1000")
        assert answer.header("transfer-encoding") == "chunked"
        assert len(answer.body) == 5000


def expecting(address):
    with Client(address) as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.read_answer(interim=True).status == 100
        client.send(b"ok")
        assert client.read_answer().body == b"ok"


def body_in_a_file(address):
    body = bytes(range(256)) * 200  # above limits.body_memory
    with Client(address) as client:
        assert client.request("POST", "/echo", body=body).body == body
        assert client.get("/").status == 200


def slow_reader(address):
    """More than the sockets hold, and than may run ahead of a client: the iterator is suspended and goes on."""
    with Client(address) as client:
        client.send(request_bytes("GET", "/stream/200/65536"))
        client.read_head()
        pass_time(0.1)
        assert sum(len(chunk) for chunk in iter(client.read_chunk, b"")) == 200 * 65536


def raising(address):
    with Client(address) as client:
        assert client.get("/raise").status == 500


def head_too_large(address):
    assert b" 431 " in exchange(address, b"GET / HTTP/1.1\r\nHost: t\r\nX: " + b"y" * 40_000 + b"\r\n\r\n")


def body_too_large(address):
    assert b" 413 " in exchange(address, b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 70000\r\n\r\n")


def not_http(address):
    assert b" 400 " in exchange(address, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")


def late_head(address):
    """The deadline is absolute: bytes that drip, and do not stop, do not move it."""
    started = time.monotonic()
    with Client(address) as client:
        client.send(b"GET / HTTP/1.1\r\nX: ")

        def answered():
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                client.send(b"y")
            return select.select([client.socket], [], [], 0)[0]

        wait_until(answered, within=5, what="the head's time is over")
        assert client.read_answer().status == 408
    assert time.monotonic() - started > 0.9


def gone_before_its_answer(address):
    with Client(address) as client:
        client.send(request_bytes("GET", "/bytes/5000000"))
        client.abort()
    assert exchange(address, LAST).endswith(b"hello\n")


CONVERSATIONS = (
    *(whole, byte_by_byte, pipelined, half_closed, chunked_in, chunked_out, expecting, body_in_a_file, slow_reader),
    *(raising, head_too_large, body_too_large, not_http, late_head, gone_before_its_answer),
)


@pytest.mark.parametrize("pattern", NAMES)
def test_conversations(serve, pattern):
    over = {"limits": {"body_memory": "16KiB", "response_memory": "64KiB", "response_spool": "1MiB"}}
    server = serve(settings(pattern, merged(KEPT, over)))
    address, problems = server.address, {}
    for conversation in CONVERSATIONS:
        try:
            conversation(address)
        except (AssertionError, OSError, ValueError) as problem:
            problems[conversation.__name__] = f"{type(problem).__name__}: {problem}"
    assert not problems, "\n".join(f"{name}: {problem}" for name, problem in problems.items())
    # It is counted and logged as in every pattern.
    accepted = len(CONVERSATIONS) + 1
    wait_until(
        lambda: server.metrics().total("hybridd_connections_closed_total") == accepted,
        within=5,
        what=lambda: f"{accepted} closed: {server.metrics().total('hybridd_connections_closed_total')}",
    )
    metrics = server.metrics()
    assert metrics.total("hybridd_connections") == 0
    assert metrics.value("hybridd_http_requests_rejected_total", reason="headers_too_large") == 1
    assert metrics.value("hybridd_http_requests_rejected_total", reason="body_too_large") == 1
    assert metrics.value("hybridd_http_requests_rejected_total", reason="head_timeout") == 1
    requests = metrics.total("hybridd_http_requests_total")
    wait_until(lambda: len(server.access_log()) == requests, within=5, what=lambda: f"{requests} lines in the log")
    assert "failed; its connection is cut" not in server.log()


@pytest.mark.parametrize(("number", "pattern"), list(enumerate(OTHERS)))
def test_http_cases(serve, number, pattern, rng):
    """A sixth of them for each pattern; hybrid has all, in test_http_cases_live.py."""
    names = case_names() if full() else case_names()[number::6]
    server = serve(settings(pattern, merged(ECHO, {"timeouts": {"keep_alive": "10s"}})))
    cases = [case for case in map(load_case, names) if not case.settings]
    found = [line for case in cases for line in problems(server.address, [case], cut, rng)]  # serial has one place
    assert not found, "\n".join(found)
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("pattern", NAMES)
def test_the_classic_demonstration(serve, pattern):
    """n clients, handlers that sleep s seconds: n * s where handlers share a thread, s everywhere else."""
    clients, seconds = (3, 1.0) if full() else (3, 0.4)
    server = serve(settings(pattern, several=3))
    address = server.address
    with Lateness() as late:
        started = time.monotonic()
        threads = [threading.Thread(target=timed_fetch, args=(address, f"/sleep/{seconds}")) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - started
    expected = seconds * clients if pattern in ONE_AT_A_TIME else seconds
    assert expected <= took < late.allow(expected * 1.15 + (0 if full() else 0.3)), late
    with server.client() as client:
        closes = client.get("/").header("connection") == "close"
        assert closes is (pattern in CLOSING)
        assert client.ended() if closes else client.get("/").status == 200


# -- a stop and a reload; for hybrid in files of their own


@pytest.mark.parametrize("pattern", OTHERS)
def test_a_drain_answers_what_was_asked_and_who_waited(serve, tmp_path, pattern):
    server = serve(settings(pattern, {"timeouts": {"keep_alive": "10s"}}))
    gate = tmp_path / "gate"
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(3 * workers_of(pattern))]
        for client in clients:
            client.send(request_bytes("GET", f"/hold?file={gate}"))
        wait_until(
            lambda: server.metrics().total("hybridd_connections_accepted_total") >= workers_of(pattern),
            within=5,
            what="every worker has something to do",
        )
        server.signal(signal.SIGTERM)
        server.notify.wait_for("STOPPING", within=5)
        gate.touch()
        for client in clients:
            answer = client.read_answer()
            assert answer.body == b"released\n"
        assert server.wait_ended() == 0


@pytest.mark.parametrize("pattern", ["serial", "process", "thread"])
def test_an_idle_connection_does_not_hold_up_a_stop(serve, pattern):
    server = serve(settings(pattern, {"timeouts": {"keep_alive": "60s", "graceful": "60s"}}))
    with server.client() as client:
        assert client.get("/").status == 200
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        assert client.ended()
        assert server.wait_ended() == 0
        assert time.monotonic() - started < patient(5)


@pytest.mark.parametrize("pattern", ["serial", "process", "thread", "pool", "reactor"])
def test_a_quick_stop_cuts_what_runs(serve, pattern):
    server = serve(settings(pattern, {"timeouts": {"graceful": "60s"}}))
    with server.client() as client:
        client.send(request_bytes("GET", "/sleep/1.5"))
        wait_until(
            lambda: server.metrics().total("hybridd_connections_accepted_total"), within=5, what="it has been accepted"
        )
        started = time.monotonic()
        server.stop(signal.SIGQUIT)
        # A worker whose only thread is in a handler learns of it when that returns, or is killed by the master.
        assert time.monotonic() - started < patient(6)
    assert "ResourceWarning" not in server.log()


@pytest.mark.parametrize("pattern", ["serial", "process", "thread", "reactor"])
def test_a_reload_fails_no_request(serve, pattern):
    server = serve(settings(pattern))
    before = server.wait_workers(workers_of(pattern))
    with Load(Plan(server.address, connections=4, think=0.005)) as load:
        server.signal(signal.SIGHUP)
        server.wait_workers(workers_of(pattern), without=before)
        load.wait_answered(40)
        tally = load.stop()
    assert tally.failed == 0, tally.failures
    assert server.metrics().value("hybridd_config_last_reload_successful") == 1
