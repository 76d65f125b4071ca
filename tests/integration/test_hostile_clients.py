"""Clients that hoard, dawdle, flood and fill: what they are told, what is counted, what is logged."""

from __future__ import annotations

import contextlib
import socket
import time

from tests.support.client import connect
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1}


def closed(server, reason):
    return server.metrics().value("hybridd_connections_closed_total", reason=reason)


def test_a_reader_that_only_sips_is_cut_and_said_so(serve):
    """A byte before each end of timeouts.write kept an answer for ever, when any progress was enough."""
    server = serve({**SERVICE, "timeouts": {"write": "500ms"}, "limits": {"response_rate": "1MiB"}})
    with server.client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(b"GET /bytes/30000000 HTTP/1.1\r\nHost: t\r\n\r\n")
        client.socket.settimeout(0.1)

        def sip():
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                client.socket.recv(100)
            return closed(server, "write_timeout") == 1

        wait_until(sip, within=20, what="it is cut although it reads")
    server.wait_log(r"1 answers were read slower than limits.response_rate.*\(write_timeout\); .* from 127\.0\.0\.1")


def test_a_reader_below_the_kernels_buffer_but_above_the_rate_is_left_alone(serve):
    """The kernel asks for nothing more while a third of its buffer is not free: the reader must not pay for that."""
    server = serve({**SERVICE, "timeouts": {"write": "500ms"}, "limits": {"response_rate": "1KiB"}})
    with server.client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(b"GET /bytes/8000000 HTTP/1.1\r\nHost: t\r\n\r\n")
        until = time.monotonic() + 2
        wait_until(lambda: client.socket.recv(4096) and time.monotonic() > until, within=9, what="it reads, bit by bit")
        assert closed(server, "write_timeout") == 0


def test_a_hoard_over_the_limit_keeps_nobody_out(serve):
    """Idle ones go, the oldest first; who has come last, and who is served, stays."""
    server = serve({**SERVICE, "limits": {"connections": 64}})
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(server.client())
        busy.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\na")
        kept = stack.enter_context(server.client())
        assert kept.get("/").status == 200
        hoard = [stack.enter_context(connect(server.address)) for _ in range(120)]
        for _ in range(3):
            with server.client() as fresh:
                assert fresh.get("/").status == 200
        assert closed(server, "evicted") >= 50
        busy.send(b"bc")
        assert busy.read_answer().body == b"abc"
        first, last = hoard[0], hoard[-1]
        first.settimeout(5)
        assert first.recv(1) == b""
        last.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            assert last.recv(1), "the newest of them is still there"
    server.wait_log(r"warning .* idle connections were closed for new ones.*\(evicted\)")
