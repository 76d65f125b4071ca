"""What comes while a request is at hand, bodies that go to files, and the end of input."""

from __future__ import annotations

import errno

import pytest

from hybridd.http.outcome import Outcome
from hybridd.http.response import ResponseHead
from hybridd.http.states import State
from tests.support.recording import Wire

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = ResponseHead(200, "OK", [])


def post(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def test_one_request_is_taken_at_a_time():
    wire = Wire(answer=None)
    wire.send(GET * 3)
    assert len(wire.service.requests) == 1
    assert wire.protocol.take_request() is None
    wire.protocol.respond(OK, b"1")
    assert len(wire.service.requests) == 1, "a Call must not start inside an answer"
    wire.turn()
    assert len(wire.service.requests) == 2


def test_what_comes_during_a_call_is_not_parsed():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.send(b"\x16garbage")
    assert not wire.transport.client
    wire.protocol.respond(OK, b"")
    assert wire.statuses() == [200, 400]


def test_a_call_does_not_start_inside_data_received():
    wire = Wire()
    wire.transport.feed(GET)
    assert wire.protocol.state is State.READY
    assert not wire.transport.client


def test_what_comes_ahead_is_bounded():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.send(GET * 1000)
    assert not wire.transport.paused
    wire.send(GET * 1000)
    assert wire.transport.paused
    answered = 0
    while wire.service.requests:
        wire.service.requests.clear()
        wire.protocol.respond(OK, b"")
        answered += 1
        wire.turn()
    assert answered == 2001
    assert not wire.transport.paused


def test_the_clients_going_is_noticed_during_a_call():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.transport.reset()
    assert wire.service.calls == ["client_gone"]
    record = wire.record()
    assert (record.status, record.outcome, record.rejection) == (499, Outcome.CLIENT_GONE, None)
    assert wire.closed() == "reset"


def test_a_small_body_stays_in_memory():
    wire = Wire(answer=None)
    wire.send(post(b"x" * 256 * 1024))
    (request,) = wire.service.requests
    assert request.body.file is None
    assert request.body.open().read() == b"x" * 256 * 1024


@pytest.mark.parametrize("make", [post, lambda body: chunked(body, 1000)])
@pytest.mark.parametrize("piece", [100, 700, 5000, 1 << 20])
def test_a_large_body_goes_to_a_file(make, piece):
    body = bytes(range(256)) * 40
    wire = Wire(answer=None, limits={"body_memory": 1000})
    data = make(body) + GET
    for at in range(0, len(data), piece):
        wire.send(data[at : at + piece])
    (request,) = wire.service.requests
    assert request.body.length == len(body)
    assert request.body.file is not None
    assert not request.body.chunks
    assert request.body.open().read() == body
    request.body.close()
    wire.protocol.respond(OK, b"")
    wire.turn()
    assert len(wire.service.requests) == 2


def test_nothing_is_read_while_a_body_is_stored():
    wire = Wire(limits={"body_memory": 40})
    wire.transport.feed(post(b"x" * 100)[:-50])
    assert wire.protocol.state is State.SPOOLING
    assert wire.transport.paused
    wire.protocol.data_received(b"x" * 25)  # of this very turn
    assert len(wire.service.spools) == 1
    wire.service.store()
    assert not wire.transport.paused
    wire.send(b"x" * 25)
    assert wire.statuses() == [200]
    wire.service.requests[0].body.close()


@pytest.mark.parametrize(
    ("error", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 500), (errno.EMFILE, 500)]
)
def test_a_body_that_cannot_be_stored_is_our_fault(error, status):
    wire = Wire(limits={"body_memory": 10})
    wire.transport.feed(post(b"x" * 100))
    wire.service.store(OSError(error, "disk"))
    wire.transport.settle()
    assert wire.statuses() == [status]
    assert wire.record().outcome is Outcome.FAILED
    assert not wire.rejected()
    assert wire.protocol.state is State.LINGER


def test_a_client_that_goes_while_its_body_is_stored():
    wire = Wire(limits={"body_memory": 10})
    wire.send(post(b"x" * 100)[:-50])
    wire.transport.feed(b"x" * 20)
    body = wire.service.spools[0][1]
    wire.transport.reset()
    assert body.file is not None
    wire.service.store()
    assert body.file is None, "the temporary file must be closed"
    assert wire.record().outcome is Outcome.CLIENT_GONE
    assert not wire.service.calls


def test_fin_while_a_body_is_stored_ends_it_when_more_is_due():
    wire = Wire(limits={"body_memory": 10})
    wire.transport.feed(post(b"x" * 100)[:-50])
    wire.protocol.eof_received()
    wire.turn()
    assert not wire.transport.client
    assert wire.record().status == 499


def test_fin_while_a_whole_body_is_stored_is_a_half_close():
    wire = Wire(limits={"body_memory": 10})
    wire.transport.feed(post(b"x" * 100))
    wire.protocol.eof_received()
    wire.turn()
    assert wire.statuses() == [200]
    assert wire.responses()[0].header("Connection") == "close"
    wire.service.requests[0].body.close()


def test_a_body_may_come_in_single_bytes_without_filling_memory():
    wire = Wire(answer=None)
    for byte in post(b"x" * 20000):
        wire.transport.feed(bytes([byte]))
    wire.turn()
    assert len(wire.service.requests[0].body.chunks) <= 5


@pytest.mark.parametrize("data", [b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc"])
def test_fin_inside_a_request_is_recorded(data):
    wire = Wire()
    wire.send(data)
    wire.fin()
    assert not wire.transport.client
    assert wire.record().status == 499
    assert wire.closed() == "reset"
    assert wire.counts.reading == 0


def test_fin_between_requests_is_not():
    wire = Wire()
    wire.send(GET)
    wire.fin()
    assert len(wire.service.records) == 1
    assert wire.closed() == "client"


def test_fin_at_once_is_not_recorded():
    wire = Wire()
    wire.fin()
    assert not wire.service.records
    assert wire.closed() == "client"


def test_a_half_closed_connection_is_answered_and_closed():
    wire = Wire(answer=None)
    wire.transport.feed(GET)
    wire.transport.eof()
    wire.turn()
    assert not wire.transport.lost
    wire.protocol.respond(OK, b"yes")
    wire.transport.settle()
    (response,) = wire.responses()
    assert (response.body, response.header("Connection")) == (b"yes", "close")
    assert wire.closed() == "done"


def test_continue_is_sent_once_and_only_if_awaited():
    expect = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n"
    wire = Wire()
    wire.send(expect, b"abc", b"def")
    assert wire.statuses() == [100, 200]
    assert wire.service.requests[0].expects_continue
    wire = Wire()
    wire.send(expect + b"abc", b"def")
    assert wire.statuses() == [200]


def test_continue_waits_for_its_turn():
    expect = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n"
    wire = Wire(answer=None)
    wire.send(GET + expect)
    assert not wire.transport.client
    wire.protocol.respond(OK, b"")
    assert wire.statuses() == [200, 100]


def test_gauges_follow_the_request():
    wire = Wire(answer=None)
    counts = wire.counts
    seen = [(counts.open, counts.reading, counts.active)]
    for piece in (b"POST / HTTP/1.1\r\n", b"Host: a\r\nContent-Length: 3\r\n\r\n", b"abc"):
        wire.send(piece)
        seen.append((counts.open, counts.reading, counts.active))
    wire.protocol.respond(OK, b"")
    seen.append((counts.open, counts.reading, counts.active))
    assert seen == [(1, 0, 0), (1, 1, 0), (1, 1, 0), (1, 0, 1), (1, 0, 0)]


@pytest.mark.parametrize(
    ("peername", "peer"),
    [(("192.0.2.1", 7), ("192.0.2.1", 7)), (("::1", 7, 0, 0), ("::1", 7)), ("", ("", 0)), (None, ("", 0))],
)
def test_the_peer_is_address_and_port(peername, peer):
    wire = Wire(peername=peername)
    wire.send(GET, b"GARBAGE ")
    for record in wire.service.records:
        assert (record.peer, record.peer_port) == peer
    assert [record.status for record in wire.service.records] == [200, 501]
