"""Requests become Calls, outcomes become log lines, large bodies become files: all with played neighbours."""

from __future__ import annotations

import errno
import tempfile
from collections import deque
from contextvars import ContextVar, copy_context
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybridd.config.settings import Config, Timeouts
from hybridd.errors import SpoolFullError
from hybridd.http.body import Body
from hybridd.http.counts import HttpCounts
from hybridd.http.protocol import HttpProtocol
from hybridd.http.request import Request
from hybridd.worker import http_service as service_module
from hybridd.worker.http_service import HttpService
from hybridd.worker.room import Room, RoomyFile

CONFIG = replace(Config(), timeouts=replace(Timeouts(), handler=20.0))
SLOT = 4


class PlayedPool:
    """Threads that write when the test says so."""

    def __init__(self, size, post, name):
        self.size = size
        self.post = post
        self.name = name
        self.jobs = deque()
        self.broken = False

    def submit(self, job, done):
        if self.broken:
            raise RuntimeError("can't start new thread")
        self.jobs.append((job, done))

    def run(self):
        """Run all jobs; as the real pool, give back what a job raised."""
        while self.jobs:
            job, done = self.jobs.popleft()
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - see the real one
                result = error
            self.post(done, result)


class PlayedConnection:
    """HttpProtocol toward its service."""

    def __init__(self, request=None):
        self.request = request
        self.call = None
        self.spooled = []

    def take_request(self):
        request, self.request = self.request, None
        return request

    def body_spooled(self, error):
        assert error is None or isinstance(error, OSError)
        self.spooled.append(error)


class PlayedDispatch:
    """Notes what it is asked."""

    def __init__(self):
        self.submitted = []
        self.told = []
        self.slow_routes = {}
        self.shown = {}
        self.room = Room(1 << 20)

    def runs_beside(self, request):
        return request.path in self.slow_routes

    def settled(self, request):
        self.told.append(("settled", request))

    def submit(self, call):
        self.submitted.append(call)

    def client_gone(self, call):
        self.told.append(("gone", call))

    def drop(self, call):
        self.told.append(("drop", call))


class PlayedCall:
    """Notes what its client does."""

    def __init__(self):
        self.told = []
        self.request = make_request()

    def client_behind(self):
        self.told.append("behind")

    def client_caught_up(self):
        self.told.append("caught up")


def make_request(path="/slow"):
    request = Request("GET", path.encode(), (1, 1), {"HTTP_X_REQUEST_ID": "abc-1"})
    request.path = path
    return request


@pytest.fixture
def dispatch():
    return PlayedDispatch()


@pytest.fixture
def server():
    return SimpleNamespace(exchanges=lambda local: lambda *details: (*details, local))


@pytest.fixture
def records():
    return []


@pytest.fixture
def service(loop, dispatch, server, records, monkeypatch):
    monkeypatch.setattr(service_module, "Pool", PlayedPool)
    return HttpService(
        CONFIG,
        loop.reactor,
        server,
        dispatch,
        counts=HttpCounts(),
        context=copy_context(),
        local="127.0.0.1:8080",
        slot=SLOT,
        record=records.append,
    )


@pytest.fixture
def pool(service):
    return service._files


# -- requests


def test_every_connection_has_a_protocol_of_its_own_and_shares_the_counts(service):
    first, second = service.connection(), service.connection()
    assert isinstance(first, HttpProtocol)
    assert first is not second
    assert first._counts is second._counts is service.counts


def test_a_call_is_made_outside_of_the_transports_frame(loop, service, dispatch):
    connection = PlayedConnection(request := make_request())
    service.request_ready(connection)
    assert dispatch.submitted == []
    loop.turn()
    (call,) = dispatch.submitted
    assert (call.request, call.connection, connection.call) == (request, connection, call)
    assert call.exchange[:3] == (request, call, "127.0.0.1:8080")


def test_calls_that_run_elsewhere_are_on_their_way_before_those_that_run_here_begin(loop, service, dispatch):
    dispatch.slow_routes["/slow"] = "blocks"
    requests = [make_request(path) for path in ("/fast", "/slow", "/fast", "/slow")]
    for request in requests:
        service.request_ready(PlayedConnection(request))
    loop.turn()
    assert [call.request for call in dispatch.submitted] == [requests[1], requests[3], requests[0], requests[2]]


def test_a_request_whose_client_has_left_meanwhile_is_no_call(loop, service, dispatch):
    connection = PlayedConnection()
    service.request_ready(connection)
    loop.turn()
    assert dispatch.submitted == []
    assert connection.call is None


def test_every_call_has_a_context_of_its_own_made_from_that_of_the_loading(loop, dispatch, server, monkeypatch):
    monkeypatch.setattr(service_module, "Pool", PlayedPool)
    variable = ContextVar("variable", default="unset")
    context = copy_context()
    context.run(variable.set, "by the application's module")
    service = HttpService(
        CONFIG, loop.reactor, server, dispatch, counts=HttpCounts(), context=context, local="", slot=0, record=print
    )
    for _ in range(2):
        service.request_ready(PlayedConnection(make_request()))
    loop.turn()
    first, second = dispatch.submitted
    first.context.run(variable.set, "by the first request")
    assert second.context.run(variable.get) == "by the application's module"
    assert variable.get() == "unset"


# -- what becomes of the client


def test_the_clients_pace_is_told_to_its_call(service):
    connection = PlayedConnection()
    connection.call = PlayedCall()
    service.client_behind(connection)
    service.client_caught_up(connection)
    assert connection.call.told == ["behind", "caught up"]


def test_its_departure_and_its_patience_are_told_to_the_dispatch(service, dispatch):
    connection = PlayedConnection()
    call = connection.call = PlayedCall()
    service.client_gone(connection)
    service.queue_expired(connection)
    assert dispatch.told == [("gone", call), ("drop", call)]


def test_an_expired_handler_is_named_and_asked_for_nothing_more(service, dispatch, caplog):
    connection = PlayedConnection()
    call = connection.call = PlayedCall()
    service.handler_expired(connection)
    assert dispatch.told == [("gone", call)]
    (record,) = caplog.records
    assert "GET /slow: the handler still runs after 20 s (timeouts.handler)" in record.getMessage()
    assert record.fields == {"request_id": "abc-1"}


@pytest.mark.parametrize(
    "event", ["client_behind", "client_caught_up", "client_gone", "queue_expired", "handler_expired"]
)
def test_a_connection_whose_call_is_over_is_nobodys_business(service, dispatch, caplog, event):
    getattr(service, event)(PlayedConnection())
    assert dispatch.told == []
    assert caplog.records == []


# -- the log and the date


def test_a_record_says_which_worker_it_was(service, dispatch, records):
    record = SimpleNamespace(worker=-1, request=make_request())
    service.record(record)
    assert records == [record]
    assert record.worker == SLOT
    assert dispatch.told == []


def test_a_record_settles_a_request_while_any_is_shown(service, dispatch):
    request = make_request()
    dispatch.shown[request] = PlayedCall()
    service.record(request)
    assert dispatch.told == [("settled", request)]


def test_the_date_is_made_once_a_second(loop, service, monkeypatch):
    made = []
    now = 784111777.0  # RFC 9110 5.6.7
    reactor = loop.reactor
    original = service_module.formatdate

    def formatdate(second, *, usegmt):
        made.append(second)
        return original(second, usegmt=usegmt)

    monkeypatch.setattr(service_module, "formatdate", formatdate)
    monkeypatch.setattr(service_module.time, "time", lambda: now)
    assert service.http_date() == ("Sun, 06 Nov 1994 08:49:37 GMT", reactor.now + 1)
    now += 0.75
    reactor.now += 0.75
    service.http_date()
    assert len(made) == 1
    now += 0.25
    reactor.now += 0.25
    assert service.http_date()[0] == "Sun, 06 Nov 1994 08:49:38 GMT"


# -- bodies in files


def test_a_body_is_written_off_the_loop_and_in_order(loop, service, pool):
    connection, body = PlayedConnection(), Body()
    service.spool_body(connection, body, [b"one ", b"two "])
    loop.turn()
    assert (body.file, connection.spooled) == (None, []), "written on the loop"
    pool.run()
    loop.turn()
    assert connection.spooled == [None]
    service.spool_body(connection, body, [b"three"])
    pool.run()
    loop.turn()
    assert connection.spooled == [None, None]
    assert body.open().read() == b"one two three"
    body.close()


class FullDisk(RoomyFile):
    """A file whose buffer takes everything, and whose disk takes nothing."""

    def __init__(self, room):
        super().__init__(tempfile.TemporaryFile(buffering=0), room)  # noqa: SIM115  # it closes it

    def write(self, data):
        return len(data)

    def flush(self):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_noticed_when_the_body_comes_and_not_when_it_is_read(loop, service, pool, monkeypatch, caplog):
    monkeypatch.setattr(service_module.RoomyFile, "create", FullDisk)
    connection = PlayedConnection()
    body = Body()
    service.spool_body(connection, body, [b"small"])
    pool.run()
    loop.turn()
    body.close()
    assert [error.errno for error in connection.spooled] == [errno.ENOSPC]
    assert "cannot keep the body of a request in a file: [Errno 28] No space left on device" in caplog.text


def test_a_file_that_cannot_be_made_is_said(loop, service, pool, monkeypatch):
    def refuse(_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(service_module.RoomyFile, "create", refuse)
    connection = PlayedConnection()
    service.spool_body(connection, Body(), [b"x"])
    pool.run()
    loop.turn()
    assert [error.errno for error in connection.spooled] == [errno.EMFILE]


@pytest.mark.parametrize("error", [MemoryError(), ValueError("write to closed file")])
def test_whatever_else_goes_wrong_is_the_requests_trouble_and_not_the_workers(loop, service, pool, monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(service_module.RoomyFile, "create", fail)
    connection = PlayedConnection()
    service.spool_body(connection, Body(), [b"x"])
    pool.run()
    loop.turn()
    assert [type(error) for error in connection.spooled] == [OSError]


def test_without_a_thread_to_write_the_request_fails_outside_of_the_transports_frame(loop, service, pool):
    pool.broken = True
    connection = PlayedConnection()
    service.spool_body(connection, Body(), [b"x"])
    assert connection.spooled == []
    loop.turn()
    assert [error.errno for error in connection.spooled] == [errno.EAGAIN]


def test_a_body_for_which_there_is_no_room_is_refused_outside_of_the_transports_frame(loop, service, dispatch, pool):
    dispatch.room.take(dispatch.room.limit - 3)
    connection, body = PlayedConnection(), Body()
    service.spool_body(connection, body, [b"four"])
    assert connection.spooled == []
    loop.turn()
    assert [type(error) for error in connection.spooled] == [SpoolFullError]
    service.spool_body(connection, body, [b"two"])
    pool.run()
    loop.turn()
    assert connection.spooled[1:] == [None]
    assert dispatch.room.taken == dispatch.room.limit
    body.close()
    assert dispatch.room.taken == dispatch.room.limit - 3
