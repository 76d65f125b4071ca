"""Bytes in, bytes out, with the real HTTP protocol on a recording transport."""

from __future__ import annotations

import json
from collections import deque

import pytest

from hybridd.master import dashboard
from hybridd.master.admin import Admin, AdminService, answer, in_json, text
from hybridd.master.pages import make_pages
from hybridd.ops.application_metrics import Gathered
from tests.support.recording import RecordingTransport


class Soon:
    """What is needed of a reactor."""

    now = 1000.0

    def __init__(self) -> None:
        self.jobs = deque()
        self.after_turn = []

    def call_soon(self, fn, *args):
        self.jobs.append((fn, args))

    def turn(self):
        while self.jobs:
            fn, args = self.jobs.popleft()
            fn(*args)


class NoMetrics:
    """A collector of nothing."""

    def collect(self):
        return []


def fail(_):
    raise RuntimeError("a defect")


PAGES = {"/healthz": lambda _: text("ok"), "/status": lambda _: in_json({"state": "running"}), "/fails": fail}


SAFE = {
    b"X-Content-Type-Options: nosniff",
    b"Cross-Origin-Resource-Policy: same-origin",
    b"Referrer-Policy: no-referrer",
    b"Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}


@pytest.fixture
def ask():
    soon = Soon()
    service = AdminService(soon, PAGES, lambda: ())

    def send(data: bytes) -> bytes:
        transport = RecordingTransport()
        transport.connect(service.connection())
        transport.feed(data)
        soon.turn()
        transport.settle()
        return bytes(transport.client)

    return send


def test_who_has_connected_before_a_pause_has_a_moment_for_its_request():
    soon, transport = Soon(), RecordingTransport()
    admin = Admin(soon, [], PAGES, None, lambda: ())
    transport.connect(admin._services[0].connection())
    admin._terms.open[transport] = None
    admin.pause(0.5)
    assert (transport.deadlines[-1], transport.fin) == (0.5, False)
    transport.feed(request("/healthz"))
    soon.turn()
    transport.settle()
    assert transport.client.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in transport.client


def request(path, method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode()


def test_a_page(ask):
    head, _, body = ask(request("/healthz")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Cache-Control: no-store" in head
    assert body == b"ok\n"


def test_every_page_tells_browsers_to_keep_it_to_themselves(ask):
    for path in ("/healthz", "/status", "/nowhere"):
        head = ask(request(path)).partition(b"\r\n\r\n")[0]
        assert set(head.split(b"\r\n")) >= SAFE


@pytest.mark.parametrize("path", ["/", "/status", "/nowhere"])
def test_a_name_that_is_not_ours_is_misdirected_and_logged_once(path, caplog):
    soon = Soon()
    service = AdminService(soon, PAGES, lambda: ["metrics.example.org"])
    said = []
    for host in ("evil.example", "worse.example", "metrics.example.org"):
        transport = RecordingTransport()
        transport.connect(service.connection())
        transport.feed(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        soon.turn()
        transport.settle()
        said.append(bytes(transport.client))
    assert [answered.split()[1] for answered in said] == [b"421", b"421", b"200" if path == "/status" else b"404"]
    assert b"admin_hosts" in said[0]
    assert b"running" not in said[0]
    assert [record.getMessage() for record in caplog.records] == [
        "the admin endpoint was asked as evil.example, which is not in admin_hosts: refused with 421"
    ]


def test_json(ask):
    body = ask(request("/status")).partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"state": "running"}


def test_head_has_no_body(ask):
    head, _, body = ask(request("/healthz", "HEAD")).partition(b"\r\n\r\n")
    assert b"Content-Length: 3" in head
    assert body == b""


def test_a_query_changes_nothing(ask):
    assert ask(request("/healthz?verbose=1")).startswith(b"HTTP/1.1 200 ")


def test_an_unknown_path_names_the_known_ones(ask):
    answered = ask(request("/nowhere"))
    assert answered.startswith(b"HTTP/1.1 404 ")
    assert b"/healthz" in answered


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_changed(ask, method):
    answered = ask(request("/healthz", method))
    assert answered.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: GET, HEAD\r\n" in answered


def test_a_body_is_taken_and_refused_with_the_method(ask):
    data = b"POST /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"
    assert ask(data).startswith(b"HTTP/1.1 405 ")


def test_a_large_body_is_not_taken(ask):
    data = b"POST /healthz HTTP/1.1\r\nHost: t\r\nContent-Length: 9999999\r\n\r\n"
    assert ask(data).startswith(b"HTTP/1.1 413 ")


def test_a_page_with_a_defect_is_an_answer_and_a_log_entry(ask, caplog):
    assert ask(request("/fails")).startswith(b"HTTP/1.1 500 ")
    assert "a defect" in caplog.text
    assert ask(request("/healthz")).startswith(b"HTTP/1.1 200 ")


@pytest.fixture
def later():
    """A connection whose request is answered later, and what takes its answer."""
    soon, waiting = Soon(), []
    transport = RecordingTransport()
    transport.connect(AdminService(soon, {"/later": lambda _: waiting.append}).connection())
    transport.feed(request("/later"))
    soon.turn()
    transport.settle()
    return transport, waiting[0]


def test_a_page_that_comes_later(later):
    transport, deliver = later
    assert not transport.client
    deliver(text("at last"))
    deliver(text("twice"))
    transport.settle()
    assert bytes(transport.client).endswith(b"\r\n\r\nat last\n")


def test_a_page_that_comes_when_its_client_is_gone(later):
    transport, deliver = later
    transport.reset()
    deliver(text("at last"))
    assert not transport.client


def test_pipelined_requests_are_answered_in_order(ask):
    answered = ask(request("/healthz") + request("/nowhere"))
    assert answered.index(b" 200 ") < answered.index(b" 404 ")


def test_nonsense_is_refused(ask):
    assert ask(b"NONSENSE\r\n\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(("ready", "status"), [((True, "ready: 1"), 200), ((False, "not ready: x"), 503)])
def test_the_real_pages(ready, status):
    class Request:
        method = "GET"

        def __init__(self, path):
            self.path = path
            self.fields = {}

    def ask_application(*, openmetrics, deliver):
        deliver(Gathered(b"jobs_total 3.0\n", series=1))

    collector, found = NoMetrics(), []
    pages = make_pages(lambda: {"status": "running: <1>"}, lambda: ready, collector, ask_application)
    assert answer(pages, Request("/readyz")).status == status
    assert answer(pages, Request("/readyz")).content == f"{ready[1]}\n".encode()
    assert answer(pages, Request("/healthz")).status == 200
    answer(pages, Request("/metrics"))(found.append)
    assert found[0].kind.startswith("text/plain; version=")
    assert found[0].content.endswith(b"jobs_total 3.0\n")
    assert collector.application.series == 1
    assert json.loads(answer(pages, Request("/status")).content) == {"status": "running: <1>"}
    assert b"/metrics" in answer(pages, Request("/")).content
    assert answer(pages, Request("/")).kind.startswith("text/plain"), "who does not ask for HTML reads a list"
    assert all(answer(pages, Request(path)) is page for path, page in dashboard.PARTS.items())
