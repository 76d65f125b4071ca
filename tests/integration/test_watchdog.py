"""Handlers that do not come back: named with file and line, their worker replaced; the others do not notice."""

from __future__ import annotations

import json
import re
import signal

import pytest

from tests.support import processes
from tests.support.client import CUT
from tests.support.patterns import NAMES, settings
from tests.support.tools import full
from tests.support.verbs import verb, verb_json
from tests.support.waiting import pass_time, wait_until

SERVICE = {"application": "service:app"}
QUICK = {"handler": "500ms", "stuck": "1s", "graceful": "1s"}

# Where the application runs on the loop itself, nobody is left there who could say it.
ON_THE_LOOP = ("serial", "prefork", "reactor")


def hold(path, name="hangs", began=""):
    target = f"/hold?file={path}&began={began}"
    return f"GET {target} HTTP/1.1\r\nHost: t\r\nX-Request-Id: {name}\r\n\r\n".encode()


def pid_of(client):
    return int(client.get("/pid").body)


@pytest.mark.parametrize("pattern", NAMES if full() else ("hybrid", "prefork"))
def test_a_handler_that_hangs_for_ever_is_named_and_its_worker_replaced(serve, tmp_path, pattern):
    server = serve(settings(pattern, {"timeouts": QUICK, "log": {"format": "json"}}, several=2))
    before = server.wait_workers(len(server.ready_pids()))
    with server.client() as client:
        client.send(hold(tmp_path / "never"))
        # Soft: who, and where.
        said = server.wait_log(r'.*"message":"[^"]*(has run for|has not turned its loop|its process \d+ is ended).*')
        assert "hold" in said.group()
        if pattern != "process":
            assert re.search(r"service\.py[^a-z]*line \d+", said.group()), "file and line of the handler"
        # Hard: replaced, another one first.
        if pattern != "process":
            states = wait_until(
                lambda: [one["state"] for one in server.workers()] if len(server.workers()) > len(before) else [],
                within=20,
                what="another worker beside the stuck one",
            )
            assert states.count("ready") >= len(before), "it serves until the other one does"
        (stuck,) = wait_until(
            lambda: [pid for pid in before if not processes.alive(pid)] if pattern != "process" else [0],
            within=20,
            what="the worker that hangs has ended",
        )
        server.wait_workers(len(before), without=[stuck])
        assert server.fetch("/").status == 200
        if pattern in ON_THE_LOOP or pattern == "process":
            with pytest.raises(CUT):
                client.read_answer()
        elif pattern == "hybrid":
            assert client.read_answer().status == 504
    if pattern == "process":  # its process was ended, its worker had nothing to do with it
        assert server.ready_pids() == before
        return
    (death,) = verb_json(server, "status", "--deaths")["deaths"]["kept"]
    assert death["cause"] == "stuck"
    assert "GET /hold" in death["calls"]
    assert "request hangs" in death["calls"]
    assert re.search(r"service\.py.*in hold", death["stacks"])
    assert death["rss"] > 10_000_000
    assert death["uptime"] > 1
    assert "service.py" in verb(server, "status", "--deaths").stdout
    records = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    (record,) = [record for record in records if record.get("cause") == "stuck"]
    assert "in hold" in record["stacks"]
    assert server.metrics().value("hybridd_worker_restarts_total", cause="stuck") == 1


@pytest.mark.skipif(not full(), reason="takes its time; the rule has a test of its own")
def test_a_long_download_is_not_a_handler_that_hangs(serve):
    limits = {"response_memory": "64KiB", "response_spool": "256KiB"}
    server = serve({**SERVICE, "workers": 1, "limits": limits, "timeouts": {"stuck": "1s"}})
    (pid,) = server.wait_workers(1)
    with server.client() as client:
        client.send(b"GET /stream/512/65536 HTTP/1.1\r\nHost: t\r\n\r\n")  # 32 MiB
        server.wait_metric("hybridd_handler_slots", 0, state="busy")
        pass_time(3.0)  # much longer than a handler may take: time itself is the input
        assert len(client.read_answer().body) == 512 * 65536
    assert server.ready_pids() == [pid]
    assert "is to be replaced" not in server.log()


def test_a_call_that_keeps_the_lock_stops_its_worker_only_and_a_metric_says_how_long(serve):
    server = serve({**SERVICE, "workers": 2, "timeouts": {"handler": "1s"}})
    pids = server.wait_workers(2)
    slots = {worker["pid"]: str(worker["slot"]) for worker in server.workers()}
    with server.client() as one, server.client() as other:
        clients = {pid_of(one): one}
        clients.setdefault(pid_of(other), other)
        wait_until(lambda: len(clients) == 2 or _another(server, clients), within=10, what="a client of each worker")
        held, free = pids
        clients[held].send(b"GET /gil/2 HTTP/1.1\r\nHost: t\r\n\r\n")
        server.wait_log(r"has not turned its loop for .* \(timeouts\.handler\)")
        assert clients[free].get("/").status == 200
        assert clients[held].read_answer().body == b"kept\n"
        for client in clients.values():
            client.close()

    def stalled(pid):
        return server.metrics().value("hybridd_worker_loop_stall_seconds_total", worker=slots[pid])

    wait_until(lambda: 1.5 < stalled(held) < 5, within=5, what=lambda: f"2 s of a stall, {stalled(held)} are counted")
    assert stalled(free) < 1.5
    assert server.ready_pids() == pids, "nobody is stuck who comes back"
    assert "in hold_interpreter" in server.log()


def _another(server, clients):
    """Connect until each worker has a client."""
    client = server.client()
    if clients.setdefault(pid_of(client), client) is not client:
        client.close()
    return len(clients) == 2


@pytest.mark.parametrize("pattern", NAMES if full() else ("hybrid", "prefork"))
def test_after_a_kill_of_the_master_a_handler_that_hangs_keeps_no_process(serve, tmp_path, pattern):
    """A peer's worker stayed for ever, and ignored TERM."""
    settled = {"timeouts": {"graceful": "500ms"}, "threads": 2}
    server = serve(settings(pattern, settled))
    with server.client() as one, server.client() as other:
        for number, client in enumerate((one, other)):
            client.send(hold(tmp_path / "never", began=tmp_path / f"began{number}"))
        wait_until(lambda: any(tmp_path.glob("began*")), within=10, what="a handler hangs")
        server.signal(signal.SIGKILL)
        server.wait_empty(15)
        for client in (one, other):
            with pytest.raises(CUT):
                client.read_answer()
    # No master is left who would write the stacks there; a connection's process is named by its worker.
    log = server.log()
    if pattern == "process":
        assert "GET /hold" in log
    else:  # two workers say it at the same time, and each line is one's
        assert re.search(r'^  File ".*", line \d+ in hold$', log, re.MULTILINE), log
