"""The access log has one line for every request, whatever became of it, with its id and the times of its phases."""

from __future__ import annotations

import json
import re
import signal

import pytest

from tests.support import processes
from tests.support.client import CUT
from tests.support.waiting import wait_until

SERVICE = {"application": "service:app", "workers": 1}
SMALL = {
    **SERVICE,
    "threads": 1,
    "handlers": "threads",
    "limits": {"queue": 1, "header_bytes": "1KiB"},
    "timeouts": {"head": "300ms"},
}
PHASES = ("received", "queued", "handled", "written")


@pytest.fixture(params=["combined", "json"])
def form(request):
    return request.param


def parsed(line, form):
    """Return the fields of a line that both formats have."""
    if form == "json":
        return json.loads(line)
    found = re.search(r'"(?P<request>[^"]*)" (?P<status>\d{3}) (?P<body_bytes>\d+) "[^"]*" "[^"]*" (?P<rest>.*)', line)
    assert found, line
    fields = dict(pair.split("=", 1) for pair in found["rest"].split())
    method, _, target = found["request"].partition(" ")
    numbers = {key: float(value) for key, value in fields.items() if key in (*PHASES, "duration")}
    own = {"method": method, "target": target.rpartition(" ")[0], "status": int(found["status"])}
    return {**fields, **own, **numbers, "request_id": fields["id"]}


def wait_line(server, form, **expected):
    """Wait for the line with these fields; check that it is the only one, and return it."""

    def found():
        lines = [parsed(line, form) for line in server.access_log()]
        return [line for line in lines if all(line.get(key) == value for key, value in expected.items())]

    lines = wait_until(found, within=5, what=lambda: f"{expected} in {server.access_log()}")
    assert len(lines) == 1, lines
    return lines[0]


def head(target, name, *lines):
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: t", f"X-Request-Id: {name}", *lines, "", ""]).encode()


def hold(tmp_path, name):
    return head(f"/hold?file={tmp_path}/gate", name)


def test_served(share, form):
    server = share({**SERVICE, "access_log": {"format": form}})
    server.fetch("/sleep/0.2", headers={"X-Request-Id": "one"})
    line = wait_line(server, form, request_id="one")
    assert (line["outcome"], line["status"], line["method"], line["target"]) == ("served", 200, "GET", "/sleep/0.2")
    assert line["handled"] >= 0.19
    assert line["duration"] == pytest.approx(sum(line[phase] for phase in PHASES), abs=1e-4)


def test_refused(share, form):
    server = share({**SMALL, "access_log": {"format": form}})
    with server.client() as client:
        client.send(head("/", "long", f"A: {'b' * 2000}"))
        assert client.read_answer().status == 431
    line = wait_line(server, form, outcome="refused")
    assert (line["status"], line["rejection"]) == (431, "headers_too_large")


def test_protocol_error(share, form):
    server = share({**SMALL, "access_log": {"format": form}})
    with server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nno colon\r\n\r\n")
        assert client.read_answer().status == 400
    line = wait_line(server, form, outcome="protocol_error")
    assert (line["status"], line["rejection"]) == (400, "bad_request")


def test_deadline_of_a_head(share, form):
    server = share({**SMALL, "access_log": {"format": form}})
    with server.client() as client:
        client.send(b"GET / HTTP/1.1\r\n")
        assert client.read_answer().status == 408
    line = wait_line(server, form, outcome="deadline")
    assert (line["status"], line["rejection"]) == (408, "head_timeout")


def test_deadline_of_a_handler_whose_worker_then_dies_has_one_line(serve, form, tmp_path):
    server = serve({**SERVICE, "timeouts": {"handler": "200ms"}, "access_log": {"format": form}})
    with server.client() as client:
        client.send(hold(tmp_path, "late"))
        assert client.read_answer().status == 504
    line = wait_line(server, form, request_id="late")
    assert (line["outcome"], line["rejection"]) == ("deadline", "handler_timeout")
    (pid,) = server.ready_pids()
    processes.send(pid, signal.SIGKILL)  # the handler still runs
    server.wait_workers(1, without=[pid])
    wait_line(server, form, request_id="late")


def test_shed_and_killed_with_the_worker(serve, form, tmp_path):
    server = serve({**SMALL, "access_log": {"format": form}})
    with server.client() as running, server.client() as queued, server.client() as shed:
        running.send(hold(tmp_path, "running"))
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        queued.send(hold(tmp_path, "queued"))
        server.wait_metric("hybridd_connections", 2, state="active")
        shed.send(head("/", "shed"))
        assert shed.read_answer().status == 503
        line = wait_line(server, form, request_id="shed")
        assert (line["outcome"], line["status"], line["rejection"]) == ("shed", 503, "queue_full")
        (pid,) = server.ready_pids()
        processes.send(pid, signal.SIGKILL)
        for client in (running, queued):
            with pytest.raises(CUT):
                client.read_answer()
    for name in ("running", "queued"):
        line = wait_line(server, form, request_id=name)
        assert (line["outcome"], line["status"], line["method"], line["target"]) == ("killed", 0, "GET", "/hold")
        assert line["duration"] > 0
    server.wait_log("in flight: GET /hold")


def test_client_gone(share, form, tmp_path):
    server = share({**SERVICE, "access_log": {"format": form}})
    with server.client() as client:
        client.send(hold(tmp_path, "gone"))
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        client.abort()
    line = wait_line(server, form, request_id="gone")
    assert (line["outcome"], line["status"]) == ("client_gone", 499)
    (tmp_path / "gate").touch()


def test_failed(share, form):
    server = share({**SERVICE, "access_log": {"format": form}})
    with server.client() as client:
        client.send(head("/raise-late", "cut"))
        with pytest.raises(CUT):
            client.read_answer()
    line = wait_line(server, form, request_id="cut")
    assert (line["outcome"], line["status"]) == ("failed", 200)


def test_cut_by_a_quick_stop(serve, form, tmp_path):
    server = serve({**SERVICE, "access_log": {"format": form}})
    with server.client() as client:
        client.send(hold(tmp_path, "cut"))
        server.wait_metric("hybridd_handler_slots", 1, state="busy")
        server.stop(signal.SIGQUIT)
    assert wait_line(server, form, request_id="cut")["outcome"] == "failed"


def test_an_application_that_raises_was_served_a_500(share, form):
    server = share({**SERVICE, "access_log": {"format": form}})
    server.fetch("/raise", headers={"X-Request-Id": "raised"})
    line = wait_line(server, form, request_id="raised")
    assert (line["outcome"], line["status"]) == ("served", 500)
