"""Wishes over HTTP, with the real protocol on a recording transport."""

from __future__ import annotations

import json

import pytest

from hybridd.master.control import ControlService
from hybridd.master.wishes import Reply, Waiting, WrongArgumentError
from tests.support.recording import RecordingTransport


class Clockwork:
    """What a reactor gives a service; time passes when told."""

    now = 1000.0

    def __init__(self) -> None:
        self.jobs = []
        self.later = []

    def call_soon(self, fn, *args):
        self.jobs.append(lambda: fn(*args))

    def call_later(self, seconds, fn):
        self.later.append((seconds, fn))

    def turn(self):
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()


class Client:
    """One asker."""

    def __init__(self, service, reactor):
        self.transport = RecordingTransport()
        self.transport.connect(service.connection())
        self._reactor = reactor

    def ask(self, line: str) -> None:
        self.transport.feed(f"{line} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self._reactor.turn()
        self.transport.settle()

    @property
    def said(self) -> bytes:
        self.transport.settle()
        return bytes(self.transport.client)


class Desk:
    """A verb whose wish comes true when the test says so."""

    def __init__(self):
        self.reply = None
        self.too_late = None
        self.arguments = None

    def __call__(self, arguments):
        if arguments.get("bad"):
            raise WrongArgumentError("bad: expected none")
        self.arguments = arguments
        return Waiting(lambda: self.reply, lambda: self.too_late)


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def reactor():
    return Clockwork()


@pytest.fixture
def service(reactor, desk):
    return ControlService(reactor, {("POST", "/reload"): desk})


@pytest.fixture
def client(service, reactor):
    return Client(service, reactor)


def body(said: bytes) -> dict:
    return json.loads(said.partition(b"\r\n\r\n")[2])


def test_an_answer_comes_when_the_wish_has_come_true(service, client, desk):
    client.ask("POST /reload?a=1")
    assert desk.arguments == {"a": "1"}
    service.review()
    assert client.said == b""
    desk.reply = Reply(True, "reloaded", {"generation": 2})
    service.review()
    assert client.said.startswith(b"HTTP/1.1 200 ")
    assert body(client.said) == {"ok": True, "message": "reloaded", "generation": 2}


def test_a_wish_that_fails_is_a_conflict(client, desk):
    desk.reply = Reply(False, "refused")
    client.ask("POST /reload")
    assert client.said.startswith(b"HTTP/1.1 409 ")
    assert body(client.said) == {"ok": False, "message": "refused"}


def test_impatience_is_answered_if_there_is_something_to_say(reactor, service, client, desk):
    client.ask("POST /reload?timeout=2.5")
    [(seconds, late)] = reactor.later
    assert seconds == 2.5
    late()
    assert client.said == b""  # it goes on
    desk.too_late = Reply(False, "not yet")
    late()
    assert body(client.said)["message"] == "not yet"
    desk.reply = Reply(True, "reloaded")
    service.review()
    late()
    assert client.said.count(b"HTTP/1.1") == 1


def test_who_has_gone_is_forgotten(service, reactor, client, desk):
    client.ask("POST /reload")
    client.transport.abort()
    client.transport.settle()
    reactor.turn()
    desk.reply = Reply(True, "reloaded")
    service.review()
    assert client.said == b""


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("GET /reload", b"404", b"POST /reload"),
        ("POST /nonsense", b"404", b"not found"),
        ("POST /reload?bad=1", b"400", b"bad: expected none"),
    ],
)
def test_what_is_not_understood(client, line, status, words):
    client.ask(line)
    assert client.said.startswith(b"HTTP/1.1 " + status)
    assert words in client.said


@pytest.mark.parametrize("timeout", ["soon", "nan", "inf", "-1"])
def test_a_timeout_that_no_timer_can_take_is_refused_before_anything_begins(reactor, client, desk, timeout):
    client.ask(f"POST /reload?timeout={timeout}")
    assert client.said.startswith(b"HTTP/1.1 400 ")
    assert f"timeout: expected seconds from 0 to 86400, got {timeout}".encode() in client.said
    assert reactor.later == []
    assert desk.arguments is None
