"""Random bytes and random cuts: how the bytes are split into reads changes nothing, and nothing raises or hangs."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridd.http.states import Input, State
from tests.support.http_cases import case_names, load_case
from tests.support.recording import Wire

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"  # sent only when the body is not there yet: that depends on the reads
LIMITS = {"request_line": 300, "headers": 20, "header_bytes": 900, "body": 200, "body_memory": 50}
SHORT = [case.data for case in map(load_case, case_names()) if 0 < len(case.data) < 1200]
GRAMMAR = [
    b"GET / HTTP/1.1\r\n",
    b"POST /p?q HTTP/1.1\r\n",
    b"HEAD * HTTP/1.0\r\n",
    b"FOO / HTTP/1.1\r\n",
    b"GET /x HTTP/2.0\r\n",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 500\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n",
    b"Expect: 100-continue\r\n",
    b"X-Long: " + b"l" * 700 + b"\r\n",
    b"X_Y: z\r\n",
    b"\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"hello",
    b"x" * 260,
    b"\r",
    b"\n",
    b"\0",
    b" ",
    b":",
]

pieces = st.one_of(st.sampled_from(SHORT), st.sampled_from(GRAMMAR), st.binary(max_size=8))
streams = st.lists(pieces, min_size=1, max_size=12).map(b"".join)
cuts = st.lists(st.integers(0, 3000), max_size=12)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, *(place for place in at if place < len(data)), len(data)})
    return [data[start:end] for start, end in pairwise(places)]


def played(parts: list[bytes]) -> Wire:
    wire = Wire(limits=LIMITS)
    wire.send(*parts)
    for request in wire.service.requests:
        request.body.close()
    return wire


def seen(wire: Wire) -> tuple[object, ...]:
    """Give all that a client and an operator can see."""
    return (
        bytes(wire.transport.client).replace(CONTINUE, b""),
        wire.transport.fin,
        wire.protocol.state.input is Input.DISCARD or wire.protocol.state,  # lingers only when more has come
        [(record.status, record.outcome) for record in wire.service.records],  # a refused target may be known in part
        [
            (request.method, request.target, request.fields, request.trailers, request.body.length)
            for request in wire.service.requests
        ],
        wire.counts.requests,
        wire.counts.rejected,
        (wire.counts.reading, wire.counts.active),
    )


@given(streams, cuts)
@settings(max_examples=100, deadline=None)
def test_cuts_change_nothing(data, at):
    assert seen(played(cut(data, at))) == seen(played([data]))


@given(streams)
@settings(max_examples=30, deadline=None)
def test_single_bytes_change_nothing(data):
    assert seen(played([data[at : at + 1] for at in range(len(data))])) == seen(played([data]))


@given(streams)
@settings(max_examples=100, deadline=None)
def test_every_input_ends_answered_or_with_a_deadline(data):
    wire = played([data])
    state = wire.protocol.state
    assert state.input is not Input.KEEP
    assert state is State.CLOSED or wire.transport.deadline is not None
    wire.transport.advance(3600)
    assert wire.transport.lost
    assert (wire.counts.open, wire.counts.reading, wire.counts.active) == (0, 0, 0)
    assert sum(wire.counts.requests) == len(wire.service.records)


@given(streams, st.booleans())
@settings(max_examples=100, deadline=None)
def test_the_end_of_any_input_is_the_end(data, polite):
    wire = played([data])
    if polite:
        wire.fin()
    elif not wire.transport.lost:
        wire.transport.reset()
    assert wire.transport.lost
    assert (wire.counts.open, wire.counts.reading, wire.counts.active) == (0, 0, 0)
    assert len(wire.service.records) <= len(wire.service.requests) + 1
