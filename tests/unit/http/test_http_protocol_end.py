"""How connections end: drains, quick stops, resets, and calls that come too late."""

from __future__ import annotations

import gc
import sys

import pytest

from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.response import ResponseHead
from hybridd.http.states import State
from tests.support.recording import Wire

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = ResponseHead(200, "OK", [])


def drained(wire: Wire) -> Wire:
    wire.service.draining = True
    wire.protocol.drain(2.0)
    return wire


@pytest.mark.parametrize("before", [b"", GET])
def test_a_silent_connection_is_parted_after_its_grace_write_side_first(before):
    wire = Wire()
    wire.send(before)
    drained(wire)
    wire.transport.advance(1.9)
    assert not wire.transport.fin
    wire.transport.advance(0.1)
    assert wire.transport.fin
    assert not wire.transport.lost
    wire.fin()
    assert wire.closed() == "drain"


def test_a_client_that_ignores_our_fin_is_not_waited_for():
    """Nothing is on its way to it, so that a stop need not take ``timeouts.linger`` for every pooled connection."""
    wire = drained(Wire())
    wire.transport.advance(2.2)
    assert not wire.transport.lost
    wire.transport.advance(0.2)
    assert wire.closed() == "drain"


def test_a_request_within_the_grace_is_answered_and_told():
    wire = drained(Wire())
    wire.transport.advance(1)
    wire.send(GET)
    wire.transport.settle()
    (response,) = wire.responses()
    assert (response.status, response.header("Connection")) == (200, "close")
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "drain"


def test_half_an_empty_line_is_no_request_and_changes_no_deadline():
    wire = Wire()
    wire.send(GET, b"\r")
    assert wire.protocol.state is State.EMPTY_LINE
    assert wire.counts.reading == 0
    wire.send(b"\n\r\n", GET)
    assert wire.statuses() == [200, 200]
    wire.transport.advance(wire.timeouts.keep_alive - 1)
    wire.send(b"\r")
    wire.transport.advance(1)
    assert wire.closed() == "keep_alive_timeout"


@pytest.mark.parametrize("before", [b"", GET])
def test_a_drain_parts_half_an_empty_line_too(before):
    wire = Wire()
    wire.send(before, b"\r")
    drained(wire)
    wire.transport.advance(2.0)
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "drain"


def test_an_empty_line_does_not_prolong_a_drain():
    wire = drained(Wire())
    wire.send(b"\r", b"\n")
    assert wire.protocol.state is State.PARTING
    wire.transport.advance(2.0)
    assert wire.transport.fin


def test_a_request_that_has_begun_is_answered():
    wire = Wire()
    wire.send(GET[:10])
    drained(wire)
    wire.transport.advance(10)
    wire.send(GET[10:])
    assert wire.statuses() == [200]
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "drain"


def test_a_busy_connection_is_closed_behind_its_answer():
    wire = Wire(answer=None)
    wire.send(GET)
    drained(wire)
    wire.transport.advance(100)
    assert not wire.transport.lost
    wire.protocol.respond(OK, b"")
    wire.transport.settle()
    assert wire.responses()[0].header("Connection") == "close"
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "drain"


def test_an_answer_that_had_promised_more_is_followed_by_the_grace():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.protocol.start(ResponseHead(200, "OK", []), b"part")
    drained(wire)
    wire.protocol.finish()
    assert wire.protocol.state is State.PARTING
    wire.send(GET)
    wire.protocol.respond(OK, b"")
    wire.transport.settle()
    assert wire.statuses() == [200, 200]
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "drain"


def test_pipelined_requests_are_dropped_behind_the_answer_that_says_close():
    wire = Wire(answer=None)
    wire.send(GET * 3)
    drained(wire)
    wire.protocol.respond(OK, b"")
    wire.turn()
    assert wire.statuses() == [200]
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "drain"


def test_shut_cuts_an_open_answer():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.protocol.start(ResponseHead(200, "OK", []), b"part")
    wire.protocol.shut()
    wire.transport.settle()
    assert wire.transport.aborted
    assert wire.record().outcome is Outcome.FAILED
    assert wire.closed() == "aborted"


@pytest.mark.parametrize("before", [b"", GET, GET[:10]])
def test_shut_ends_every_connection(before):
    wire = Wire()
    wire.send(before)
    wire.protocol.shut()
    wire.transport.settle()
    assert wire.closed() == "aborted"


def test_shut_of_a_request_not_yet_taken():
    wire = Wire()
    wire.transport.feed(GET)
    wire.protocol.shut()
    wire.transport.settle()
    wire.service.turn()
    assert wire.service.calls == ["nothing to take"]
    assert len(wire.service.records) == 1


def test_a_connection_lost_before_its_request_is_taken():
    wire = Wire()
    wire.transport.feed(GET)
    wire.transport.reset()
    wire.service.turn()
    assert wire.service.calls == ["nothing to take"]
    assert wire.record().status == 499


def test_a_connection_lost_while_its_request_is_queued():
    wire = Wire(answer=None)
    wire.transport.feed(GET)
    wire.protocol.take_request()
    wire.protocol.call_queued()
    wire.transport.advance(3)
    wire.transport.reset()
    record = wire.record()
    assert (record.status, record.times()[2:4]) == (499, (3, 0))
    assert wire.service.calls == ["client_gone"]


def test_a_drain_that_comes_when_all_is_said():
    wire = Wire()
    wire.send(b"BAD\r\n")
    wire.protocol.drain(1.0)
    assert wire.protocol.state is State.LINGER
    wire.protocol.abort_response()
    wire.protocol.shut()
    wire.transport.settle()
    wire.protocol.shut()
    assert wire.closed() == "aborted"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (TimeoutError("the peer does not read"), "write_timeout"),
        (TimeoutError(110, "Connection timed out"), "reset"),
        (OSError(113, "No route to host"), "error"),
    ],
)
def test_why_a_connection_was_lost(error, reason):
    wire = Wire()
    wire.send(GET)
    wire.transport.reset(error)
    assert wire.closed() == reason
    assert len(wire.service.records) == 1


def test_everything_is_a_no_op_when_the_connection_is_lost():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.transport.reset()
    protocol = wire.protocol
    protocol.call_queued()
    protocol.call_started()
    protocol.respond(OK, b"")
    protocol.start(OK)
    protocol.send(b"x")
    protocol.finish()
    protocol.abort_response()
    protocol.refuse(503, Rejection.QUEUE_FULL)
    protocol.body_spooled(None)
    protocol.drain(1.0)
    protocol.shut()
    protocol.connection_lost(None)
    assert protocol.take_request() is None
    assert len(wire.service.records) == 1
    assert wire.service.calls == ["client_gone"]
    assert sum(wire.counts.closed) == 1


def test_a_lost_connection_leaves_no_garbage():
    wire = Wire()
    wire.send(GET, GET[:9])
    wire.transport.reset()
    gc.collect()
    gc.disable()
    try:
        protocol = wire.protocol
        references = sys.getrefcount(protocol)
        wire.transport._protocol = None
        assert sys.getrefcount(protocol) == references - 1
        assert not hasattr(protocol, "_transport")
    finally:
        gc.enable()


def test_an_idle_connection_owns_nothing():
    wire = Wire()
    wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", GET, GET[:5], GET[5:])
    protocol = wire.protocol
    assert protocol.state is State.IDLE
    assert not hasattr(protocol, "__dict__")
    assert (protocol._reader, protocol.request, protocol._writer, protocol._ahead) == (None, None, None, b"")
    assert sys.getsizeof(protocol) <= 200


def test_repr_tells_the_state():
    wire = Wire()
    wire.send(GET)
    assert repr(wire.protocol) == "<HttpProtocol 192.0.2.7 IDLE>"
