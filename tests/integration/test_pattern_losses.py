"""What a handler that kills its process loses in each pattern, what the caps hold back, and that all is counted."""

from __future__ import annotations

import contextlib
import signal

import pytest

from tests.support import processes
from tests.support.client import CUT, request_bytes
from tests.support.patterns import settings
from tests.support.waiting import wait_until

DIE = request_bytes("GET", "/die")
PID = request_bytes("GET", "/pid")


def fatal(pattern, **further):
    return settings(pattern, {"application": "fatal:app", **further})


def wait_in(server, stack, gate):
    """Send a request whose handler waits for the gate; return its client."""
    client = stack.enter_context(server.client())
    client.send(request_bytes("GET", f"/wait?file={gate}"))
    return client


def accepted(server):
    return server.metrics().total("hybridd_connections_accepted_total")


def wait_accepted(server, count):
    wait_until(lambda: accepted(server) == count, within=5, what=lambda: f"{count} accepted; {accepted(server)} are")


def lost(client):
    with pytest.raises(CUT):
        client.read_answer()


def test_process_loses_one_connection(serve, tmp_path):
    server = serve(fatal("process"))
    (worker,) = server.wait_workers(1)
    with contextlib.ExitStack() as stack:
        bystanders = [wait_in(server, stack, tmp_path / "gate") for _ in range(3)]
        wait_accepted(server, 3)
        killer = stack.enter_context(server.client())
        killer.send(DIE)
        lost(killer)
        others = {one.pid for one in processes.children(worker)}
        stray = wait_in(server, stack, tmp_path / "gate")
        (victim,) = wait_until(
            lambda: {one.pid for one in processes.children(worker)} - others, within=5, what="a process for the stray"
        )
        processes.send(victim, signal.SIGRTMIN + 5)  # which has no name in Python
        lost(stray)
        (tmp_path / "gate").touch()
        assert [client.read_answer().status for client in bystanders] == [200] * 3
    assert server.ready_pids() == [worker]
    # Its client knows sooner than its parent, who says so.
    server.wait_log("died of SIGKILL during GET /die")
    server.wait_log(r"died of SIGRTMIN\+5")
    assert "outcome=killed" in server.wait_access("GET /die")


@pytest.mark.parametrize("pattern", ["thread", "pool"])
def test_threads_lose_everything_of_their_worker(serve, tmp_path, pattern):
    server = serve(fatal(pattern))
    (worker,) = server.wait_workers(1)
    with contextlib.ExitStack() as stack:
        bystanders = [wait_in(server, stack, tmp_path / "gate") for _ in range(3)]
        wait_accepted(server, 3)
        killer = stack.enter_context(server.client())
        killer.send(DIE)
        for client in (killer, *bystanders):
            lost(client)
    server.wait_workers(1, without=[worker])
    assert server.fetch("/pid").status == 200


def test_reactor_loses_everything_of_its_worker(serve):
    server = serve(fatal("reactor"))
    (worker,) = server.wait_workers(1)
    with contextlib.ExitStack() as stack:
        bystanders = [stack.enter_context(server.client()) for _ in range(3)]
        assert [client.get("/pid").status for client in bystanders] == [200] * 3
        killer = stack.enter_context(server.client())
        killer.send(DIE)
        for client in (killer, *bystanders):
            assert client.ended()
    server.wait_workers(1, without=[worker])
    assert server.fetch("/pid").status == 200


def test_serial_loses_the_connection_that_it_serves(serve, tmp_path):
    """Who waits in the backlog is served by the worker that replaces the dead one."""
    server = serve(fatal("serial"))
    (worker,) = server.wait_workers(1)
    with contextlib.ExitStack() as stack:
        first = wait_in(server, stack, tmp_path / "gate")
        wait_accepted(server, 1)
        killer, last = stack.enter_context(server.client()), stack.enter_context(server.client())
        killer.send(DIE)
        last.send(PID)
        (tmp_path / "gate").touch()
        with first:
            assert first.read_answer().body == b"%d\n" % worker
        lost(killer)
        assert last.read_answer().body != b"%d\n" % worker


def test_prefork_loses_one_connection_of_several(serve, tmp_path):
    server = serve(fatal("prefork"))
    workers = server.wait_workers(2)
    with contextlib.ExitStack() as stack:
        bystander = wait_in(server, stack, tmp_path / "gate")
        wait_accepted(server, 1)
        killer, late = stack.enter_context(server.client()), stack.enter_context(server.client())
        killer.send(DIE)
        late.send(PID)
        lost(killer)
        assert late.read_answer().status == 200
        (tmp_path / "gate").touch()
        survivor = int(bystander.read_answer().body)
        assert survivor in workers
    server.wait_workers(2, without=[pid for pid in workers if pid != survivor])


def test_hybrid_loses_the_connections_of_one_worker_of_several(serve):
    server = serve(fatal("hybrid"))
    workers = server.wait_workers(2)
    with contextlib.ExitStack() as stack:
        owners = {}
        wait_until(
            lambda: (
                owners.update({(one := stack.enter_context(server.client())): int(one.get("/pid").body)})
                or set(owners.values()) == set(workers)
            ),
            within=5,
            what="a connection to each worker",
        )
        killer, victim = owners.popitem()
        killer.send(DIE)
        lost(killer)
        for client, worker in owners.items():
            if worker == victim:
                assert client.ended()
            else:
                assert client.get("/pid").body == b"%d\n" % worker
    server.wait_workers(2, without=[victim])


# -- caps


@pytest.mark.parametrize(
    ("pattern", "cap", "limit"),
    [
        ("serial", 1, {}),
        ("process", 2, {"limits": {"connection_processes": 2}}),
        ("thread", 2, {"limits": {"connection_threads": 2}}),
        ("pool", 2, {"threads": 2}),
        ("reactor", 2, {"limits": {"connections": 2}}),
    ],
)
def test_beyond_the_cap_connections_wait_in_the_backlog(serve, tmp_path, pattern, cap, limit):
    server = serve(fatal(pattern, **limit))
    (worker,) = server.wait_workers(1)
    with contextlib.ExitStack() as stack:
        # A reactor that runs the waiting handler would accept nobody: its first ones are only connected.
        clients = [
            stack.enter_context(server.client()) if pattern == "reactor" else wait_in(server, stack, tmp_path / "gate")
            for _ in range(cap + 2)
        ]
        queue = "hybridd_listener_accept_queue"
        wait_until(lambda: server.metrics().total(queue) == 2, within=5, what=lambda: server.metrics().text)
        wait_accepted(server, cap)
        assert len(processes.children(worker)) <= cap
        assert processes.look(worker).threads <= cap + 2
        (tmp_path / "gate").touch()
        for client in clients:
            with client:
                if pattern == "reactor":
                    client.send(PID)
                assert client.read_answer().status == 200
    wait_accepted(server, cap + 2)


# -- counters and the end of forked children


def test_what_forked_children_count_is_exact(serve):
    server = serve(settings("process"))
    (worker,) = server.wait_workers(1)
    for _ in range(30):
        assert server.fetch("/").status == 200
    with server.client() as client:
        client.send(request_bytes("GET", "/exit/7"))
        assert client.ended()

    def all_closed():
        return server.metrics().total("hybridd_connections_closed_total") == 31

    wait_until(all_closed, within=5, what=lambda: server.metrics().text)
    metrics = server.metrics()
    assert accepted(server) == 31
    assert metrics.total("hybridd_http_requests_total") == 30
    assert metrics.value("hybridd_http_request_duration_seconds_count") == 30
    assert metrics.total("hybridd_connections") == 0
    assert metrics.total("hybridd_network_transmit_bytes_total") > 30 * len("hello\n")
    wait_until(lambda: not processes.children(worker), within=5, what="all are reaped")
    server.wait_log("exited with status 7 during GET /exit/7")
    wait_until(lambda: len(server.access_log()) == 31, within=5, what=lambda: f"31 lines: {server.access_log()}")
    # A death folds what the worker had counted of its children.
    processes.send(worker, signal.SIGKILL)
    server.wait_workers(1, without=[worker])
    assert server.metrics().fallen_since(metrics) == []


def test_children_outlive_a_worker_that_is_killed_and_then_leave(serve, tmp_path):
    server = serve(settings("process"))
    (worker,) = server.wait_workers(1)
    gate = tmp_path / "gate"
    with server.client() as client:
        client.send(request_bytes("GET", f"/hold?file={gate}"))
        wait_until(lambda: processes.children(worker), within=5, what="a child")
        (child,) = processes.children(worker)
        processes.send(worker, signal.SIGKILL)
        server.wait_workers(1, without=[worker])
        gate.touch()
        answer = client.read_answer()
        assert (answer.body, answer.header("connection")) == (b"released\n", "close")
    wait_until(lambda: not processes.alive(child.pid), within=5, what="the child leaves")


def test_a_child_that_never_comes_back_does_not_outlive_its_worker_for_long(serve):
    server = serve(settings("process", {"timeouts": {"graceful": "500ms"}}))
    (worker,) = server.wait_workers(1)
    with server.client() as client:
        client.send(request_bytes("GET", "/sleep/60"))
        wait_until(lambda: processes.children(worker), within=5, what="a child")
        (child,) = processes.children(worker)
        wait_until(lambda: accepted(server) == 1, within=5, what="it is busy")
        processes.send(worker, signal.SIGKILL)
        wait_until(lambda: not processes.alive(child.pid), within=5, what=lambda: f"{child} ends; {server.log()}")
        assert client.ended()


# -- timeouts.handler where the handler has a thread or a process of its own


@pytest.mark.parametrize("pattern", ["process", "thread", "pool"])
def test_a_handler_over_its_time_loses_its_connection_only(serve, tmp_path, pattern):
    server = serve(settings(pattern, {"timeouts": {"handler": "500ms"}}))
    (worker,) = server.wait_workers(1)
    with server.client() as stuck, server.client() as other:
        stuck.send(request_bytes("GET", "/sleep/40"))
        assert other.get("/").status == 200
        assert stuck.ended(), "it was answered"
    assert server.fetch("/").status == 200
    assert server.ready_pids() == [worker]
    server.wait_log(r"GET /sleep/40: the handler still runs after 0\.5 s \(timeouts\.handler\)")
    server.signal(signal.SIGQUIT)  # its thread still sleeps
    assert server.wait_ended() == 0
