"""Each state's deadline, and what its end does, in simulated time."""

from __future__ import annotations

import pytest

from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.response import ResponseHead
from hybridd.http.states import State
from tests.support.recording import Wire

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"


def test_a_silent_connection_is_closed_without_a_word():
    wire = Wire()
    wire.transport.advance(14.9)
    assert not wire.transport.lost
    wire.transport.advance(0.1)
    assert wire.closed() == "silent"
    assert not wire.transport.client
    assert not wire.service.records
    assert not wire.rejected()


def test_who_waits_for_nothing_of_ours_gives_way_but_not_while_it_is_new():
    wire = Wire()
    assert not wire.protocol.give_way(14.5, 1.0, "evicted"), "its first request may be on its way"
    wire.send(GET)
    assert not wire.protocol.give_way(74.5, 0.1, "evicted"), "its next one needs a round trip"
    assert not wire.transport.lost
    assert wire.protocol.give_way(73.9, 1.0, "evicted")
    wire.transport.settle()
    assert wire.closed() == "evicted"


def test_who_has_never_asked_for_anything_has_less_time_when_it_is_short():
    wire = Wire()
    assert not wire.protocol.give_way(14.95, 0.1, "evicted")
    assert wire.protocol.give_way(14.85, 0.1, "evicted")


def test_a_head_that_trickles_gives_way_with_an_answer():
    wire = Wire()
    wire.send(b"GET /trickle HTT")
    assert wire.protocol.give_way(13.0, 1.0, "evicted_no_descriptors")
    assert wire.statuses() == [408]
    assert wire.rejected() == {"head_timeout": 1}
    wire.transport.settle()
    assert wire.closed() == "evicted_no_descriptors"


@pytest.mark.parametrize(("before", "left"), [(b"", 13.9), (GET, 73.9)])
def test_half_an_empty_line_is_no_reason_to_stay(before, left):
    wire = Wire()
    wire.send(before)
    wire.send(b"\r")
    assert wire.protocol.state is State.EMPTY_LINE
    assert not wire.protocol.give_way(left + 0.6, 1.0, "evicted")
    assert wire.protocol.give_way(left, 1.0, "evicted")
    wire.transport.settle()
    assert wire.closed() == "evicted"


def test_who_is_to_end_soon_anyway_does_not_give_way_in_half_an_empty_line():
    wire = Wire()
    wire.protocol.drain(2.0)
    wire.send(b"\r")
    assert wire.protocol.state is State.EMPTY_LINE
    assert not wire.protocol.give_way(0.5, 1.0, "evicted")


def test_who_waits_for_us_does_not_give_way():
    wire = Wire()
    wire.send(POST)
    assert wire.protocol.state is State.BODY
    assert not wire.protocol.give_way(1.0, 0.1, "evicted")
    assert not wire.transport.lost


def test_the_first_head_is_due_from_the_connect():
    wire = Wire()
    wire.transport.advance(10)
    wire.send(b"GET / HT")
    wire.transport.advance(4.9)
    assert not wire.transport.client
    wire.transport.advance(0.1)
    assert wire.statuses() == [408]


def test_a_head_that_trickles_is_not_given_more_time():
    wire = Wire()
    wire.send(GET)
    wire.transport.client.clear()
    wire.service.records.clear()
    wire.transport.advance(20)  # idle
    for byte in b"GET /trickle HTT":
        wire.send(bytes([byte]))
        wire.transport.advance(1)
    assert wire.statuses() == [408]
    record = wire.record()
    assert (record.status, record.outcome, record.rejection) == (408, Outcome.DEADLINE, Rejection.HEAD_TIMEOUT)
    assert record.words()[1:3] == ("GET", b"/trickle")
    assert record.times()[1] == 15
    assert wire.rejected() == {"head_timeout": 1}
    wire.transport.advance(5)
    assert wire.closed() == "head_timeout"


def test_empty_lines_begin_no_head():
    wire = Wire()
    wire.send(GET)
    for _ in range(80):
        wire.send(b"\r\n")
        wire.transport.advance(1)
    assert wire.statuses() == [200]
    assert wire.closed() == "keep_alive_timeout"
    assert len(wire.service.records) == 1


def test_keep_alive_runs_from_the_last_answer():
    wire = Wire()
    for _ in range(3):
        wire.send(GET)
        wire.transport.advance(74)
    assert not wire.transport.lost
    wire.transport.advance(1)
    assert wire.closed() == "keep_alive_timeout"
    assert wire.statuses() == [200, 200, 200]


def test_a_body_that_comes_on_may_take_long():
    wire = Wire()
    wire.send(POST)
    for _ in range(100):
        wire.transport.advance(1)
        wire.send(b"x" * 1000)
    assert wire.statuses() == [200]
    assert wire.record().times()[1] == 100


def test_a_body_that_trickles_is_refused():
    wire = Wire()
    wire.send(POST)
    for _ in range(30):
        assert not wire.transport.client
        wire.send(b"x" * 511)  # one byte per second less than limits.body_rate
        wire.transport.advance(1)
    assert wire.statuses() == [408]
    assert wire.record().rejection is Rejection.BODY_TIMEOUT
    assert wire.rejected() == {"body_timeout": 1}


def test_a_body_that_stops_is_refused():
    wire = Wire()
    wire.send(POST + b"x" * 90000)
    wire.transport.advance(29.9)
    assert not wire.transport.client
    wire.transport.advance(0.1)
    assert wire.statuses() == [408]


def test_time_of_our_disk_is_not_the_clients():
    wire = Wire(limits={"body_memory": 1000})
    wire.transport.feed(POST + b"x" * 2000)
    assert wire.protocol.state is State.SPOOLING
    wire.transport.advance(1000)
    assert not wire.transport.client
    wire.service.store()
    wire.transport.advance(29)
    assert not wire.transport.client
    wire.transport.advance(1)
    assert wire.statuses() == [408]


def test_a_request_that_waits_too_long_is_shed():
    wire = Wire(answer=None)
    wire.send(GET)
    wire.protocol.call_queued()
    wire.transport.advance(9.9)
    assert not wire.transport.client
    wire.transport.advance(0.1)
    (response,) = wire.responses()
    assert response.status == 503
    assert response.header("Retry-After") == "1"
    assert wire.service.calls == ["queue_expired"]
    assert wire.record().outcome is Outcome.SHED
    assert wire.rejected() == {"queue_timeout": 1}


def test_the_queue_wait_of_a_shed_request_is_in_its_record():
    wire = Wire(answer=None)
    wire.transport.feed(GET)
    wire.protocol.take_request()
    wire.protocol.call_queued()
    wire.transport.advance(10)
    record = wire.record()
    assert record.times() == (10, 0, 10, 0, 0)


def test_a_request_that_waited_has_the_handlers_time_before_it():
    wire = Wire(answer=None, timeouts={"handler": 60.0})
    wire.transport.feed(GET)
    wire.protocol.take_request()
    wire.protocol.call_queued()
    wire.transport.advance(9)
    wire.protocol.call_started()
    assert wire.counts.queue_wait.sum_ns == 9_000_000_000
    wire.transport.advance(59)
    assert not wire.transport.client
    wire.transport.advance(1)
    assert wire.statuses() == [504]


def test_handlers_may_take_any_time_by_default():
    wire = Wire(answer=None)
    wire.transport.advance(10)
    wire.send(GET)
    wire.transport.advance(100_000)  # over the deadlines of the states before
    assert not wire.transport.client
    assert not wire.transport.lost
    wire.protocol.respond(ResponseHead(200, "OK", []), b"late")
    assert wire.statuses() == [200]
    assert wire.record().times()[3] == 100_000
    wire.transport.advance(75)
    assert wire.closed() == "keep_alive_timeout"


def test_handlers_may_take_any_time_behind_a_queue():
    wire = Wire(answer=None)
    wire.transport.feed(GET)
    wire.protocol.take_request()
    wire.protocol.call_queued()
    wire.protocol.call_started()
    wire.transport.advance(100_000)
    assert not wire.transport.client


def test_a_handler_that_takes_too_long_is_answered_for():
    wire = Wire(answer=None, timeouts={"handler": 60.0})
    wire.send(GET)
    wire.transport.advance(60)
    assert wire.statuses() == [504]
    assert wire.service.calls == ["handler_expired"]
    assert wire.record().outcome is Outcome.DEADLINE
    assert wire.rejected() == {"handler_timeout": 1}
    seen = bytes(wire.transport.client)
    wire.protocol.respond(ResponseHead(200, "OK", []), b"too late")
    wire.protocol.abort_response()
    assert bytes(wire.transport.client) == seen
    assert wire.closed() == "handler_timeout"


def test_an_answer_that_takes_too_long_is_cut():
    wire = Wire(answer=None, timeouts={"handler": 60.0})
    wire.send(GET)
    wire.transport.advance(30)
    wire.protocol.start(ResponseHead(200, "OK", []), b"first")
    wire.transport.advance(30)
    assert wire.transport.aborted
    assert wire.service.calls == ["handler_expired"]
    record = wire.record()
    assert (record.status, record.outcome, record.rejection) == (200, Outcome.DEADLINE, None)
    assert wire.closed() == "handler_timeout"


def test_time_of_a_slow_client_is_not_the_handlers():
    wire = Wire(answer=None, timeouts={"handler": 60.0}, room=0)
    wire.send(GET)
    wire.protocol.start(ResponseHead(200, "OK", []), b"x" * 300_000)
    assert wire.service.calls == ["client_behind"]
    wire.transport.advance(1000)
    assert not wire.transport.aborted
    wire.transport.read()
    assert wire.service.calls == ["client_behind", "client_caught_up"]
    wire.transport.advance(59)
    assert not wire.transport.aborted
    wire.transport.advance(1)
    assert wire.transport.aborted


def test_a_lingering_connection_discards_what_comes():
    wire = Wire()
    wire.send(b"\x16\x03\x01")
    assert wire.statuses() == [400]
    assert wire.transport.fin
    for _ in range(4):
        wire.transport.advance(1)
        wire.send(GET * 100)
    assert wire.statuses() == [400]
    assert not wire.transport.lost
    wire.transport.advance(1)
    assert wire.closed() == "protocol_error"


def test_a_lingering_connection_ends_with_the_clients_fin():
    wire = Wire()
    wire.send(b"\x16\x03\x01")
    wire.fin()
    assert wire.closed() == "protocol_error"


def test_lingering_can_be_off():
    wire = Wire(timeouts={"linger": 0.0})
    wire.send(b"\x16\x03\x01")
    assert wire.statuses() == [400]
    assert wire.closed() == "protocol_error"


@pytest.mark.parametrize("state", [state for state in State if state.timeout])
def test_every_timeout_is_a_setting(state):
    assert hasattr(Wire().timeouts, state.timeout)


def test_the_hot_path_sets_one_deadline():
    wire = Wire()
    wire.send(GET)
    wire.transport.deadlines.clear()
    wire.send(GET)
    assert wire.transport.deadlines == [75.0]
