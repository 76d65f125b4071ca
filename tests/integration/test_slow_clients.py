"""Clients that send slowly, read slowly or say nothing meet deadlines and hold neither threads nor anybody else."""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.support.client import connect, timed_fetch
from tests.support.lateness import Lateness
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1}


def percentile(seconds, share):
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


@pytest.mark.alone
@pytest.mark.parametrize("workers", [1, 2])
def test_a_fresh_client_is_quick_beside_300_slow_ones_per_worker(serve, workers):
    server = serve({**SERVICE, "workers": workers, "timeouts": {"head": "30s"}})
    address = server.address
    with Lateness() as late, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(connect(address)) for _ in range(300 * workers)]
        for connection in slow:
            connection.send(b"GET / HTTP/1.1\r\nHost: slow\r\nX-A: ")
        wait_until(
            lambda: server.metrics().value("hybridd_connections", state="reading") == len(slow),
            within=10,
            what="all the slow ones are being read",
        )
        took = []
        for turn in range(200):
            slow[turn].send(b"a")  # another byte from one of them, as the attack does
            answer, seconds = timed_fetch(address)
            assert answer.status == 200
            took.append(seconds)
    assert percentile(took, 0.99) < late.allow(0.050, 0.99), (sorted(took)[-5:], late)


def test_a_head_that_never_ends_is_answered_408(serve):
    server = serve({**SERVICE, "timeouts": {"head": "500ms"}})
    with server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: t\r\n")
        answer = client.read_answer()
        assert answer.status == 408
        assert client.ended()
    server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="head_timeout")
    server.wait_access(r'" 408 ')


def test_the_deadline_of_a_head_is_absolute(serve):
    """One more byte does not buy more time."""
    server = serve({**SERVICE, "timeouts": {"head": "1s"}})
    with server.client() as client:
        client.socket.setblocking(False)
        client.socket.send(b"GET / HTTP/1.1\r\nX: ")

        def ended():
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                client.socket.send(b"a")
            try:
                return client.socket.recv(100)
            except BlockingIOError:
                return b""

        assert b" 408 " in wait_until(ended, within=5, what="408, while one more byte comes all the time")


def test_a_body_that_stops_arriving_is_answered_408(serve):
    server = serve({**SERVICE, "timeouts": {"body": "500ms"}})
    with server.client() as client:
        client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nabc")
        assert client.read_answer().status == 408
        assert client.ended()
    server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="body_timeout")


def test_a_connection_that_says_nothing_is_closed_without_a_word(serve):
    server = serve({**SERVICE, "timeouts": {"head": "300ms"}})
    with server.client() as client:
        assert client.read_to_end() == b""


def test_an_idle_kept_connection_is_closed(serve):
    server = serve({**SERVICE, "timeouts": {"keep_alive": "300ms"}})
    with server.client() as client:
        assert client.get("/").status == 200
        assert client.ended()
    server.wait_metric("hybridd_connections_closed_total", 1, reason="keep_alive_timeout")


@pytest.mark.parametrize(
    ("application", "target", "other"),
    [
        ("service:app", "/stream/64/65536", "/"),
        ("legacy_write:application", "/?count=64&size=65536", "/gone"),
        ("files:application", "/?path={file}", "/memory"),
    ],
    ids=["generator", "write", "file"],
)
def test_slow_readers_hold_no_thread(serve, tmp_path, application, target, other):
    """More clients that read nothing than there are threads: everybody else is served."""
    file = tmp_path / "file"
    file.write_bytes(bytes(4 << 20))  # below the spool's limit, like the other answers
    server = serve({"application": application, "workers": 1, "threads": 4})
    address, asked = server.address, f"GET {target.format(file=file)} HTTP/1.1\r\nHost: t\r\n\r\n".encode()
    with contextlib.ExitStack() as stack:
        for _ in range(12):
            connection = stack.enter_context(connect(address))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.send(asked)
        wait_until(
            lambda: (
                server.metrics().value("hybridd_connections", state="active") == 12
                and server.metrics().value("hybridd_handler_slots", state="busy") == 0
            ),
            within=10,
            what="all twelve answers wait for their clients and no thread does",
        )
        assert timed_fetch(address, other)[0].status == 200
        assert server.metrics().value("hybridd_connections", state="active") == 12, "they wait still"


def test_a_stream_beyond_the_spool_is_suspended_and_goes_on(serve):
    limits = {"response_memory": "64KiB", "response_spool": "256KiB"}
    server = serve({**SERVICE, "threads": 2, "limits": limits})
    with contextlib.ExitStack() as stack:
        readers = []
        for _ in range(4):
            client = stack.enter_context(server.client())
            client.send(b"GET /stream/512/65536 HTTP/1.1\r\nHost: t\r\n\r\n")  # 32 MiB each: socket buffers are less
            readers.append(client)
        wait_until(
            lambda: (
                server.metrics().value("hybridd_handler_slots", state="busy") == 0
                and server.metrics().value("hybridd_connections", state="active") == 4
            ),
            within=10,
            what="all four are suspended and no thread is held",
        )
        assert timed_fetch(server.address)[0].status == 200
        for client in readers:
            assert len(client.read_answer().body) == 512 * 65536


def test_a_reader_without_progress_is_cut(serve):
    server = serve({**SERVICE, "timeouts": {"write": "500ms"}})
    with server.client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(b"GET /bytes/30000000 HTTP/1.1\r\nHost: t\r\n\r\n")
        server.wait_metric("hybridd_connections_closed_total", 1, within=10, reason="write_timeout")


def test_a_client_that_leaves_while_it_is_queued_costs_no_call(serve, tmp_path):
    server = serve({**SERVICE, "threads": 1})
    gate = tmp_path / "gate"
    with server.client() as first:
        first.send(b"GET /hold?file=%s HTTP/1.1\r\nHost: t\r\n\r\n" % str(gate).encode())
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        gone = server.client()
        gone.send(b"GET /exit/9 HTTP/1.1\r\nHost: t\r\n\r\n")  # would end the worker if it ever ran
        server.wait_metric("hybridd_connections", 2, state="active")
        gone.abort()
        server.wait_metric("hybridd_connections", 1, state="active")
        gate.touch()
        assert first.read_answer().body == b"released\n"
        assert first.get("/").status == 200
    assert "499" in server.wait_access(r"GET /exit/9 ")
