"""Clients that hoard, dawdle, flood and fill: what they are told, what is counted, what is logged."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import time
from pathlib import Path

import pytest

from tests.support.client import connect
from tests.support.lateness import Lateness
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1}


def closed(server, reason):
    return server.metrics().value("hybridd_connections_closed_total", reason=reason)


def test_a_reader_that_only_sips_is_cut_and_said_so(serve):
    """A byte before each end of timeouts.write kept an answer for ever, when any progress was enough.

    Who reads faster than the rate is left alone, although the kernel asks for nothing more while a third of its buffer
    is not free.
    """
    server = serve({**SERVICE, "timeouts": {"write": "1s"}, "limits": {"response_rate": "16KiB"}})
    with server.client() as reader, server.client() as sipper:
        for client in (reader, sipper):
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.send(b"GET /bytes/30000000 HTTP/1.1\r\nHost: t\r\n\r\n")
        sipper.socket.setblocking(False)
        sip = time.monotonic()
        until = sip + 2.2  # of which each second is looked at

        def cut():
            nonlocal sip
            assert reader.socket.recv(4096), "it reads, bit by bit, faster than it must"
            if time.monotonic() >= sip:
                sip += 0.1
                with contextlib.suppress(BlockingIOError, ConnectionResetError):
                    sipper.socket.recv(100)
                return time.monotonic() > until and closed(server, "write_timeout") == 1
            return False

        wait_until(cut, within=20, what="the other one is cut although it reads")
        server.wait_log(r"1 answers were read slower than limits.response_rate.*\(write_timeout\);.* from 127\.0\.0\.1")
        assert closed(server, "write_timeout") == 1


@pytest.mark.parametrize("dispatch", ["hybrid", "thread"])
def test_a_hoard_over_the_limit_keeps_nobody_out(serve, dispatch):
    """Idle ones go, the oldest first; who has come last, and who is served, stays."""
    config = {"dispatch": dispatch, "limits": {"connections": 64}, "threads": 64, "timeouts": {"keep_alive": "75s"}}
    server = serve({**SERVICE, **config})
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(server.client())
        busy.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\na")
        kept = stack.enter_context(server.client())
        assert kept.get("/").status == 200
        hoard = [stack.enter_context(connect(server.address)) for _ in range(120)]
        for _ in range(3):
            with server.client() as fresh:
                assert fresh.get("/").status == 200
        wait_until(lambda: closed(server, "evicted") >= 50, within=5, what="it is counted, with the next heartbeat")
        busy.send(b"bc")
        assert busy.read_answer().body == b"abc"
        first, last = hoard[0], hoard[-1]
        assert first.recv(1) == b""
        last.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            assert last.recv(1), "the newest of them is still there"
    server.wait_log(r"warning .* idle connections were closed for new ones.*\(evicted\)")


@contextlib.contextmanager
def descriptors_left(pid, number):
    """Let a process open so many files more, and no other one."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    taken = sorted(int(fd) for fd in os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - names only
    free = (fd for fd in range(taken[-1] + number + 2) if fd not in taken)
    limit = [next(free) for _ in range(number + 1)][-1]  # descriptors are given from below
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_without_descriptors_who_waits_is_turned_away_and_nothing_spins(serve):
    """Who sends a request keeps its place; the others see an end, and not a hang."""
    server = serve(SERVICE)
    (pid,) = server.ready_pids()
    with contextlib.ExitStack() as stack:
        with descriptors_left(pid, 3):
            busy = [stack.enter_context(server.client()) for _ in range(3)]
            for client in busy:
                client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\na")
            server.wait_metric("hybridd_connections", 3, state="reading")
            before = cpu_seconds(pid)
            others = [stack.enter_context(server.client()) for _ in range(20)]
            for client in others:
                client.send(b"GET / HTTP/1.1\r\nHost: t\r\n\r\n")
            for client in others:
                assert client.ended()
            server.wait_metric("hybridd_connections_closed_total", 20, reason="no_descriptors")
            assert cpu_seconds(pid) - before < 0.5
            busy[0].send(b"bc")
            assert busy[0].read_answer().body == b"abc"
            assert busy[0].get("/open").status == 500, "the application's own files are missing too"
            assert busy[0].get("/").status == 200
        assert server.fetch("/open").status == 200
    assert server.ready_pids() == [pid]
    server.wait_log("Too many open files: ")
    assert server.log().count("cannot accept on") == 1


def test_without_descriptors_idle_connections_give_way_at_once_and_the_log_says_why(serve):
    """First those that have never asked for anything, then those that have not for a second."""
    server = serve(SERVICE)
    (pid,) = server.ready_pids()
    waits = []
    with Lateness() as late, contextlib.ExitStack() as stack, descriptors_left(pid, 20):
        used = [stack.enter_context(server.client()) for _ in range(10)]
        for client in used:
            assert client.get("/").status == 200
        silent = [stack.enter_context(connect(server.address)) for _ in range(10)]
        for _ in range(20):
            begun = time.monotonic()
            assert stack.enter_context(server.client()).get("/").status == 200
            waits.append(time.monotonic() - begun)
        for sock in [*silent, *(client.socket for client in used)]:
            assert sock.recv(1) == b""
        server.wait_metric("hybridd_connections_closed_total", 20, reason="evicted_no_descriptors")
    assert max(waits[:10]) < late.allow(0.5), f"they need not wait for a second; {late}"
    assert sorted(waits)[-2] < late.allow(0.5), "when one of those that were used can go, they all can"
    assert closed(server, "evicted") == closed(server, "no_descriptors") == 0
    server.wait_log(r"warning .* idle connections were closed for new ones, because there is no file descriptor left")


def test_bodies_that_would_fill_the_disk_are_refused_until_there_is_room(serve):
    server = serve({**SERVICE, "limits": {"spool": "2MiB", "body_memory": "64KiB"}})
    part = b"x" * 1_500_000
    head = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1600000\r\n\r\n"
    with server.client() as first, server.client() as second:
        first.send(head + part)
        server.wait_metric("hybridd_network_receive_bytes_total", len(head + part))
        second.send(head + part)
        answer = second.read_answer()
        assert answer.status == 503
        assert answer.header("retry-after")
        server.wait_metric("hybridd_http_requests_rejected_total", 1, reason="spool_full")
        first.send(b"x" * 100_000)
        assert len(first.read_answer().body) == 1_600_000
    with server.client() as third:
        assert third.request("POST", "/echo", {}, part).body == part
    server.wait_log(r"warning .*1 requests were answered 503, because temporary files .*limits.spool")


def test_answers_beyond_the_disk_wait_for_their_clients(serve):
    """No room for a spool: the application rests, and the answers are whole all the same."""
    limits = {"spool": "1MiB", "response_memory": "64KiB", "response_spool": "8MiB"}
    server = serve({**SERVICE, "limits": limits})
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(server.client()) for _ in range(4)]
        for client in readers:
            client.send(b"GET /stream/512/65536 HTTP/1.1\r\nHost: t\r\n\r\n")
        wait_until(
            lambda: (
                server.metrics().value("hybridd_connections", state="active") == 4
                and server.metrics().value("hybridd_handler_slots", state="busy") == 0
            ),
            within=10,
            what="all wait for their clients and no thread does",
        )
        for client in readers:
            assert len(client.read_answer().body) == 512 * 65536
    assert "cut" not in server.log()


def test_an_address_has_so_many_connections_over_all_workers(serve):
    limits = {"address_connections": 3}
    server = serve({**SERVICE, "workers": 2, "listen": ["127.0.0.1:0", "[::1]:0"], "limits": limits})
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(server.client()) for _ in range(3)]
        for client in kept:
            assert client.get("/").status == 200
        with server.client() as fourth:
            assert fourth.ended()
        with server.client_of(1) as other:
            assert other.get("/").status == 200
        server.wait_metric("hybridd_connections_closed_total", 1, reason="address_limit")
        kept[0].close()
        server.wait_metric("hybridd_connections", 2, state="idle")
        assert server.fetch("/").status == 200
    server.wait_log(r"1 connections were closed because their address has more than limits.address_connections")


def test_an_address_has_so_many_new_connections_per_second(serve):
    server = serve({**SERVICE, "workers": 2, "limits": {"address_rate": 5}})
    with contextlib.ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(server.client())
        wait_until(lambda: closed(server, "address_limit") >= 15, within=5, what="most of them are closed at once")

    def served():
        with server.client() as client, contextlib.suppress(ConnectionError):  # who is turned away may see a reset
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            return b" 200 " in client.read_to_end()

    wait_until(served, within=5, what="in another second there is room")
