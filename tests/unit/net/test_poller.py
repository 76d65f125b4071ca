"""Who is told of which events, with both ways to ask the kernel."""

from __future__ import annotations

import os
import socket

import pytest

from hybridd.net.poller import READ, WRITE, epoll, poll


@pytest.fixture(params=[epoll, poll])
def poller(request):
    poller = request.param()
    yield poller
    poller.close()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class Handler:
    def ready(self, mask): ...


def test_a_handler_gets_what_it_asked_for(poller, pair):
    ours, theirs = pair
    handler = Handler()
    poller.register(ours.fileno(), READ, handler)
    assert poller.select(0) == []
    theirs.send(b"x")
    assert poller.select(None) == [(handler, READ)]
    poller.modify(ours.fileno(), WRITE, handler)
    assert poller.select(0) == [(handler, WRITE)]
    poller.modify(ours.fileno(), READ | WRITE, handler)
    assert poller.select(0) == [(handler, READ | WRITE)]
    poller.unregister(ours.fileno())
    assert poller.select(0) == []


def test_a_hang_up_is_told_to_whoever_asked_for_anything(poller, pair):
    ours, theirs = pair
    handler = Handler()
    poller.register(ours.fileno(), READ, handler)
    theirs.close()
    ((told, mask),) = poller.select(0)
    assert told is handler
    assert mask & READ


def test_the_timeout_is_in_seconds(poller, monkeypatch):
    class Noted:
        def poll(self, timeout):
            self.timeout = timeout
            return []

    noted = Noted()
    units = poller._units
    monkeypatch.setattr(poller, "_poll", noted)
    poller.select(2.0)
    assert noted.timeout == 2.0 * units
    poller.select(None)
    assert noted.timeout is None


def test_misuse_is_an_error(poller, pair):
    fd = pair[0].fileno()
    with pytest.raises(KeyError):
        poller.modify(fd, READ, Handler())
    with pytest.raises(KeyError):
        poller.unregister(fd)
    poller.register(fd, READ, Handler())
    with pytest.raises(KeyError):
        poller.register(fd, READ, Handler())


def test_only_epoll_has_a_descriptor():
    many, few = epoll(), poll()
    os.fstat(many.fileno())
    assert few.fileno() == -1
    many.close()
