"""What is written for each way of answering, and what is done when the client does not keep up."""

from __future__ import annotations

import pytest

from hybridd.http.outcome import Outcome, Rejection
from hybridd.http.response import ResponseHead
from hybridd.http.states import State
from tests.support.descriptors import file_of, is_open
from tests.support.recording import DATE, Wire

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"


def head(*headers: tuple[str, str], status: int = 200) -> ResponseHead:
    return ResponseHead(status, "OK", list(headers))


def taken(request: bytes = GET, **settings) -> Wire:
    """Give a wire whose request is taken and started."""
    wire = Wire(answer=None, **settings)
    wire.send(request)
    assert wire.protocol.state is State.CALL
    return wire


def test_a_whole_answer_is_one_write():
    wire = taken()
    wire.protocol.respond(head(("Content-Type", "text/plain")), b"hello")
    assert wire.transport.writes == 1
    assert bytes(wire.transport.client) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
        b"Server: hybridd\r\nDate: " + DATE.encode() + b"\r\n\r\nhello"
    )


def test_what_the_application_says_stands():
    wire = taken()
    wire.protocol.respond(head(("Server", "mine"), ("Date", "today"), ("Content-Length", "2")), b"ok")
    (response,) = wire.responses()
    assert response.headers == [("Server", "mine"), ("Date", "today"), ("Content-Length", "2")]


def test_framing_and_connection_are_not_the_applications():
    wire = taken()
    wire.protocol.respond(head(("Transfer-Encoding", "chunked"), ("Connection", "upgrade")), b"ok")
    (response,) = wire.responses()
    assert response.header("Transfer-Encoding") is None
    assert response.header("Connection") is None
    assert response.body == b"ok"


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close", "upgrade,close"])
def test_the_application_may_close(value):
    wire = taken()
    wire.protocol.respond(head(("Connection", value)), b"ok")
    wire.transport.settle()
    assert wire.responses()[0].header("Connection") == "close"
    assert wire.transport.fin
    assert not wire.transport.lost
    wire.fin()
    assert wire.closed() == "done"


def test_head_announces_the_length_of_a_body_that_it_does_not_send():
    wire = taken(HEAD)
    wire.protocol.respond(head(), b"hello")
    (response,) = wire.responses(["HEAD"])
    assert (response.header("Content-Length"), response.body) == ("5", b"")
    assert wire.record().body_bytes == 0


def test_head_does_not_invent_a_length():
    wire = taken(HEAD)
    wire.protocol.respond(head(), b"")
    assert wire.responses(["HEAD"])[0].header("Content-Length") is None


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body(status):
    wire = taken()
    wire.protocol.respond(head(status=status), b"not sent")
    (response,) = wire.responses()
    assert (response.body, response.header("Content-Length")) == (b"", None)


def test_a_body_longer_than_promised_is_refused_before_anything_is_sent():
    wire = taken()
    with pytest.raises(ValueError, match="6 bytes, but its Content-Length says 5"):
        wire.protocol.respond(head(("Content-Length", "5")), b"123456")
    assert not wire.transport.client
    wire.protocol.respond(head(status=500), b"sorry")
    assert wire.statuses() == [500]
    assert wire.responses()[0].header("Connection") is None


def test_a_body_shorter_than_promised_ends_the_connection():
    wire = taken()
    wire.protocol.respond(head(("Content-Length", "5")), b"1234")
    wire.transport.settle()
    assert wire.transport.client.endswith(b"\r\n\r\n1234")
    assert wire.record().outcome is Outcome.FAILED
    assert wire.transport.fin
    wire.fin()
    assert wire.closed() == "aborted"


def test_a_bad_head_is_not_sent():
    wire = taken()
    with pytest.raises(ValueError, match="X-Evil"):
        wire.protocol.respond(head(("X-Evil", "a\r\nSet-Cookie: b")), b"")
    with pytest.raises(ValueError, match="X-Evil"):
        wire.protocol.start(head(("X-Evil", "a\nb")))
    assert not wire.transport.client
    assert wire.protocol.state is State.CALL


def test_parts_without_length_are_chunked():
    wire = taken()
    wire.protocol.start(head(), b"one")
    wire.protocol.send(b"")
    wire.protocol.send(b"and two")
    wire.protocol.finish()
    assert wire.transport.client.endswith(b"\r\n\r\n3\r\none\r\n7\r\nand two\r\n0\r\n\r\n")
    assert wire.responses()[0].body == b"oneand two"
    assert wire.record().body_bytes == 10
    assert wire.protocol.state is State.IDLE


def test_parts_with_length_are_plain_and_cut_at_it():
    wire = taken()
    wire.protocol.start(head(("Content-Length", "5")), b"one")
    wire.protocol.send(b"and two")
    wire.protocol.send(b"and three")
    wire.protocol.finish()
    assert wire.transport.client.endswith(b"\r\n\r\nonean")
    assert wire.record().body_bytes == 5
    assert wire.protocol.state is State.IDLE


def test_parts_that_miss_bytes_are_cut():
    wire = taken()
    wire.protocol.start(head(("Content-Length", "5")), b"one")
    wire.protocol.finish()
    assert wire.transport.aborted
    wire.transport.settle()
    record = wire.record()
    assert (record.status, record.outcome) == (200, Outcome.FAILED)
    assert wire.closed() == "aborted"


def test_parts_for_http_1_0_end_with_the_connection():
    wire = taken(OLD)
    wire.protocol.start(head(), b"one")
    wire.protocol.send(b"two")
    wire.protocol.finish()
    wire.transport.settle()
    (response,) = wire.responses()
    assert (response.body, response.header("Connection")) == (b"onetwo", "close")
    wire.fin()
    assert wire.closed() == "done"


def test_http_1_0_is_told_that_the_connection_goes_on():
    wire = taken(OLD)
    wire.protocol.respond(head(), b"")
    assert wire.responses()[0].header("Connection") == "keep-alive"


def test_parts_of_an_answer_to_head_are_not_sent():
    wire = taken(HEAD)
    wire.protocol.start(head(("Content-Length", "5")), b"one")
    wire.protocol.send(b"two")
    wire.protocol.finish()
    assert wire.transport.client.endswith(b"\r\n\r\n")
    assert wire.protocol.state is State.IDLE


def test_an_aborted_answer_is_cut_and_recorded_once():
    wire = taken()
    wire.protocol.start(head(), b"one")
    wire.protocol.abort_response()
    wire.protocol.abort_response()
    wire.protocol.send(b"two")
    wire.protocol.finish()
    wire.transport.settle()
    assert wire.transport.aborted
    assert wire.record().outcome is Outcome.FAILED
    assert wire.closed() == "aborted"
    assert wire.service.calls == []


def test_an_answer_aborted_before_it_began():
    wire = taken()
    wire.protocol.abort_response()
    wire.transport.settle()
    assert wire.record().status == 500
    assert not wire.transport.client


def test_files_are_sent_in_order():
    wire = taken()
    fd = file_of(b"0123456789")
    wire.protocol.start(head(("Content-Length", "8")), b"<")
    wire.protocol.send_file(fd, 2, 6)
    wire.protocol.send(b">")
    wire.protocol.finish()
    assert wire.transport.client.endswith(b"\r\n\r\n<234567>")
    assert not is_open(fd)
    assert wire.record().body_bytes == 8


def test_files_are_chunks():
    wire = taken()
    wire.protocol.start(head())
    wire.protocol.send_file(file_of(b"0123456789abcdef"), 0, 16)
    wire.protocol.send_file(file_of(b""), 0, 0)
    wire.protocol.finish()
    assert wire.transport.client.endswith(b"\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")


def test_files_are_cut_at_the_length():
    wire = taken()
    wire.protocol.start(head(("Content-Length", "3")))
    wire.protocol.send_file(file_of(b"0123456789"), 0, 10)
    wire.protocol.finish()
    assert wire.transport.client.endswith(b"\r\n\r\n012")


def test_files_that_are_not_sent_are_closed():
    wire = taken(HEAD)
    wire.protocol.start(head())
    unsent = file_of(b"x")
    wire.protocol.send_file(unsent, 0, 1)
    assert not is_open(unsent)
    wire.protocol.finish()
    late = file_of(b"x")
    wire.protocol.send_file(late, 0, 1)
    assert not is_open(late)
    assert wire.transport.client.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("end", ["reset", "abort", "expire"])
def test_files_for_a_client_that_is_gone_are_closed(end):
    wire = taken(timeouts={"handler": 5.0})
    wire.protocol.start(head())
    if end == "reset":
        wire.transport.reset()
    elif end == "abort":
        wire.protocol.abort_response()
        wire.transport.settle()
    else:
        wire.transport.advance(5)
    assert wire.transport.lost
    late = file_of(b"x")
    wire.protocol.send_file(late, 0, 1)
    assert not is_open(late)


@pytest.mark.parametrize("rejection", [Rejection.QUEUE_FULL, Rejection.QUEUE_TIMEOUT])
def test_a_shed_request_is_told_when_to_come_again(rejection):
    wire = taken()
    wire.protocol.refuse(503, rejection)
    wire.transport.settle()
    (response,) = wire.responses()
    assert (response.status, response.header("Retry-After"), response.header("Connection")) == (503, "1", "close")
    record = wire.record()
    assert (record.outcome, record.rejection) == (Outcome.SHED, rejection)
    assert wire.rejected() == {str(rejection): 1}
    assert wire.closed() == "done"
    wire.protocol.respond(head(), b"late")
    assert wire.statuses() == [503]


def test_refusing_head_has_no_body():
    wire = taken(HEAD)
    wire.protocol.refuse(503, Rejection.QUEUE_FULL)
    assert wire.transport.client.endswith(b"\r\n\r\n")


def test_a_slow_client_is_told_of_above_the_memory_for_answers():
    wire = taken(room=0)
    wire.protocol.start(head(), b"x" * 200_000)
    assert wire.service.calls == []
    wire.protocol.send(b"x" * 100_000)
    assert wire.service.calls == ["client_behind"]
    wire.protocol.send(b"x" * 100_000)
    assert wire.service.calls == ["client_behind"]
    wire.transport.read(300_000)
    assert wire.service.calls == ["client_behind"]
    wire.transport.read()
    assert wire.service.calls == ["client_behind", "client_caught_up"]
    wire.protocol.send(b"x" * 1000)
    wire.protocol.finish()
    assert wire.record().body_bytes == 401_000


def test_an_answer_is_over_when_the_kernel_has_it():
    wire = taken(room=10)
    wire.transport.advance(1)
    wire.protocol.respond(head(), b"x" * 1000)
    assert wire.protocol.state is State.FLUSHING
    assert not wire.service.records
    wire.send(GET)
    wire.transport.advance(1000)
    assert not wire.transport.lost
    wire.transport.read()
    record = wire.record()
    assert record.times() == (1001, 0, 0, 1, 1000)
    assert record.outcome is Outcome.SERVED
    wire.turn()
    assert len(wire.service.requests) == 2


def test_a_client_that_goes_before_it_has_read_the_answer():
    wire = taken(room=10)
    wire.protocol.respond(head(), b"x" * 1000)
    wire.transport.reset()
    record = wire.record()
    assert (record.status, record.outcome, record.body_bytes) == (200, Outcome.CLIENT_GONE, 1000)
    assert wire.service.calls == []


def test_a_client_that_goes_before_it_has_read_an_answer_that_was_cut():
    wire = taken(room=10)
    wire.protocol.respond(head(("Content-Length", "2000")), b"x" * 1000)
    wire.transport.reset()
    assert wire.record().outcome is Outcome.FAILED
    assert wire.closed() == "aborted"


def test_fin_while_an_answer_is_flushed_ends_the_connection_behind_it():
    wire = taken(room=10)
    wire.protocol.respond(head(), b"x" * 1000)
    wire.transport.eof()
    assert not wire.transport.lost
    wire.transport.read()
    assert len(wire.responses()[0].body) == 1000
    assert wire.closed() == "client"


def test_an_answer_that_could_not_be_written_is_not_served():
    wire = taken()
    wire.transport._lose(BrokenPipeError(32, "Broken pipe"))  # found out by the write itself
    wire.protocol.respond(head(), b"x")
    assert not wire.service.records
    wire.transport.settle()
    assert wire.record().outcome is Outcome.CLIENT_GONE
    assert wire.closed() == "reset"


def test_a_client_that_asked_for_the_end_is_not_waited_for():
    wire = taken(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    wire.protocol.respond(head(), b"bye")
    wire.transport.settle()
    assert wire.closed() == "done"


def test_a_last_answer_is_not_destroyed_by_what_lies_unread():
    wire = taken(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    wire.send(b"what we did not ask for")
    wire.protocol.respond(head(), b"bye")
    wire.transport.settle()
    assert wire.transport.fin
    assert not wire.transport.lost
    wire.fin()
    assert wire.closed() == "done"


def test_answers_are_counted_by_method_and_class():
    wire = Wire(answer=None)
    for method, status in ((b"GET", 200), (b"POST", 302), (b"PROPFIND", 404), (b"DELETE", 599)):
        wire.send(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n")
        wire.protocol.respond(head(status=status), b"")
    counted = {index: count for index, count in enumerate(wire.counts.requests) if count}
    assert counted == {0 * 5 + 1: 1, 2 * 5 + 2: 1, 7 * 5 + 3: 1, 4 * 5 + 4: 1}


def test_a_large_body_is_handed_on_as_it_is_and_not_copied():
    """As many copies of it as there are slow readers would lie in memory."""
    wire, body = taken(), b"x" * 100_000
    wire.protocol.respond(head(), body)
    assert wire.transport.writes == 2
    assert bytes(wire.transport.client).endswith(b"\r\n\r\n" + body)
    assert wire.record().body_bytes == 100_000
