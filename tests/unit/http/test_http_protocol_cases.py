"""Every case under tests/http_cases, on the protocol alone: whole, byte by byte, cut once, and with trailing bytes."""

from __future__ import annotations

import json

import pytest

from hybridd.http.outcome import Outcome
from hybridd.http.response import ResponseHead
from hybridd.http.states import State
from tests.support.http_cases import Case, case_names, check, load_case
from tests.support.recording import Wire

LIMITS = {"body": 65536}
TRAILING = b"GET /trailing HTTP/1.1\r\nHost: example.org\r\n\r\n"
CUTS = 8  # places at which a case is cut

JSON = ("Content-Type", "application/json")


def echo(connection, request):
    """Answer as the README of the cases asks for."""
    with request.body.open() as file:
        body = file.read().decode("latin-1")
    seen = {"method": request.method, "target": request.target.decode(), "fields": request.fields, "body": body}
    text = json.dumps(seen).encode()
    if request.path.startswith("/status/"):
        connection.respond(ResponseHead(int(request.path.removeprefix("/status/")), "As Wanted", [JSON]), b"")
    elif request.path == "/stream":
        connection.start(ResponseHead(200, "OK", [JSON]))
        for at in range(0, len(text), 7):
            connection.send(text[at : at + 7])
        connection.finish()
    else:
        close = [("Connection", "close")] if request.path == "/close" else []
        connection.respond(ResponseHead(200, "OK", [JSON, *close]), text)


def play(case: Case, pieces: list[bytes]) -> Wire:
    """Let the client send the case in these pieces and check everything that it can see."""
    wire = Wire(echo, limits=LIMITS)
    wire.send(*pieces)
    if case.fin:
        wire.fin()
    check(case, wire.responses([event.method for event in case.events if event.status >= 200]))
    check_end(case, wire)
    check_books(case, wire)
    return wire


def check_end(case: Case, wire: Wire) -> None:
    transport = wire.transport
    if case.end == "close":
        assert transport.fin
        seen = bytes(transport.client)
        wire.send(TRAILING)
        assert bytes(transport.client) == seen, "something behind the end was answered"
        transport.advance(wire.timeouts.linger)
        assert transport.lost
        return
    assert not transport.fin
    assert not transport.lost
    assert transport.deadline is not None
    assert wire.protocol.state is State.IDLE or case.end == "waiting"


def check_books(case: Case, wire: Wire) -> None:
    """One record for each answer, one rejection for each refusal, gauges that fit."""
    records, counts = wire.service.records, wire.counts
    final = [event for event in case.events if event.status >= 200]
    gone = [record for record in records if record.outcome is Outcome.CLIENT_GONE]
    assert len(records) == len(final) + len(gone)
    assert len(gone) == (case.end == "close" and case.fin and case.name.startswith("fin-in"))
    assert sum(counts.requests) == len(records)
    assert sum(counts.rejected) == sum(not event.method for event in final)
    assert (counts.open, sum(counts.closed)) == ((0, 1) if wire.transport.lost else (1, 0))
    assert counts.active == 0
    assert counts.reading == (wire.protocol.state in (State.HEAD, State.BODY))


def whole(case: Case) -> None:
    play(case, [case.data])


def byte_by_byte(case: Case) -> None:
    # Of long runs of one byte only the first and the last thousand come singly.
    long = len(case.data) > 12000
    middle = [case.data[1000:-1000]] if long else []
    ends = case.data[:1000] + case.data[-1000:] if long else case.data
    singles = [ends[at : at + 1] for at in range(len(ends))]
    play(case, [*singles[:1000], *middle, *singles[1000:]])


def cut_once(case: Case) -> None:
    step = max(len(case.data) // CUTS, 1)
    for at in range(1, len(case.data), step):
        play(case, [case.data[:at], case.data[at:]])


def with_trailing_bytes(case: Case) -> None:
    if case.end == "waiting" or case.fin:
        return  # more bytes make another case of it
    wire = Wire(echo, limits=LIMITS)
    wire.send(case.data + TRAILING)
    methods = [event.method for event in case.events if event.status >= 200]
    responses = wire.responses([*methods, "GET"])
    if case.end == "open":
        trailing = responses.pop()
        assert trailing.echoed()["target"] == "/trailing"
    check(case, responses)
    check_end(case, wire)


@pytest.mark.parametrize("name", case_names())
def test_however_the_bytes_arrive(name):
    case = load_case(name)
    failures = []
    for way in (whole, byte_by_byte, cut_once, with_trailing_bytes):
        try:
            way(case)
        except Exception as failure:  # noqa: BLE001 - raised below, with those of the other ways
            failure.add_note(f"case {name}, {way.__name__.replace('_', ' ')}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup(name, failures)


def test_there_are_enough_cases():
    assert len(case_names()) >= 190
