"""Every case under tests/http_cases, on the protocol alone: whole, byte by byte, cut once, and with trailing bytes.

One test per way and not per case: a failure names the case and the cut all the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import pytest

from hybridd.app.environ import request_environ
from hybridd.http.outcome import Outcome
from hybridd.http.response import ResponseHead
from hybridd.http.states import State
from tests.support.http_cases import SOURCE, Case, case_names, check, load_case
from tests.support.recording import Wire
from tests.support.strict_reader import End, read

BODY = 65536
TRAILING = b"GET /trailing HTTP/1.1\r\nHost: example.org\r\n\r\n"
CUTS = 6  # places at which a case is cut

JSON = ("Content-Type", "application/json")


@cache
def cases() -> list[Case]:
    return [load_case(name) for name in case_names()]


def echo(connection, request):
    """Answer as the README of the cases asks for."""
    with request.body.open() as file:
        body = file.read().decode("latin-1")
    path = request_environ({}, request)["PATH_INFO"]
    seen = {"method": request.method, "target": request.target.decode("latin-1"), "path": path}
    seen |= {"fields": request.fields, "body": body}
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


def wire_for(case: Case) -> Wire:
    return Wire(echo, limits={"body": BODY} | case.settings)


def play(case: Case, pieces: list[bytes]) -> Wire:
    """Let the client send the case in these pieces and check everything that it can see."""
    wire = wire_for(case)
    wire.send(*pieces)
    if case.fin:
        wire.fin()
    check(case, wire.responses(case.methods))
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
    """One record for each answer, one rejection for each refusal under its reason, gauges that fit."""
    records, counts = wire.service.records, wire.counts
    final = [event for event in case.events if event.status >= 200]
    gone = [record for record in records if record.outcome is Outcome.CLIENT_GONE]
    assert len(records) == len(final) + len(gone)
    assert len(gone) == (case.end == "close" and case.fin and case.name.startswith("fin-in"))
    assert sum(counts.requests) == len(records)
    assert wire.rejected() == Counter(case.refusals)
    for record, event in zip(records, final, strict=False):
        assert (record.status, record.rejection is None) == (event.status, bool(event.method))
        refused = Outcome.PROTOCOL_ERROR if event.status == 400 else Outcome.REFUSED
        assert record.outcome is (Outcome.SERVED if event.method else refused)
    assert (counts.open, sum(counts.closed)) == ((0, 1) if wire.transport.lost else (1, 0))
    assert counts.active == 0
    assert counts.reading == (wire.protocol.state in {State.HEAD, State.BODY})


def whole(case: Case) -> Iterator[tuple[str, list[bytes]]]:
    yield "whole", [case.data]


def byte_by_byte(case: Case) -> Iterator[tuple[str, list[bytes]]]:
    # Of long runs of one byte only the first and the last few hundred come singly.
    data, most = case.data, 300
    places = [at for at in range(len(data)) if at < most or at > len(data) - most]
    yield "byte by byte", [data[start:end] for start, end in pairwise([*places, len(data)])]


def cut_once(case: Case) -> Iterator[tuple[str, list[bytes]]]:
    step = max(len(case.data) // CUTS, 1)
    for at in range(1, len(case.data), step):
        yield f"cut at {at}", [case.data[:at], case.data[at:]]


def failures(ways: Callable[[Case], Iterator[tuple[str, list[bytes]]]], player=play) -> Iterator[str]:
    for case in cases():
        for way, pieces in ways(case):
            try:
                player(case, pieces)
            except Exception as failure:  # noqa: BLE001 - all of them are shown
                yield f"{case.name}, {way}: {type(failure).__name__}: {failure}"


@pytest.mark.parametrize("ways", [whole, byte_by_byte, cut_once])
def test_however_the_bytes_arrive(ways):
    assert not list(failures(ways))


def play_with_trailing_bytes(case: Case, pieces: list[bytes]) -> None:
    if case.end == "waiting" or case.fin:
        return  # more bytes make another case of it
    wire = wire_for(case)
    wire.send(*pieces[:-1], pieces[-1] + TRAILING)
    responses = wire.responses([*case.methods, "GET"])
    if case.end == "open":
        trailing = responses.pop()
        assert trailing.echoed()["target"] == "/trailing"
    check(case, responses)
    check_end(case, wire)


@pytest.mark.parametrize("ways", [whole, byte_by_byte])
def test_whatever_follows(ways):
    assert not list(failures(ways, play_with_trailing_bytes))


def compare(case: Case, pieces: list[bytes]) -> None:
    """The second reader finds the same requests, and refuses what is refused."""
    wire = wire_for(case)
    expected = read(case.data, wire.limits)
    wanted = [event for event in case.events if event.method]
    refused = [event.status for event in case.events if event.status >= 200 and not event.method]
    # It knows no methods and no upgrades, and not what the application does.
    found = expected.requests
    if refused == [501] or (case.end == "close" and not refused):
        found = found[: len(wanted)]
    assert [(request.method, request.target, request.body) for request in found] == [
        (event.method, event.target, event.body) for event in wanted
    ]
    if not refused:
        assert expected.end is not End.REFUSED, expected.why
    elif refused != [501]:
        assert expected.end in {End.REFUSED, End.WAITING}


def test_a_second_reader_agrees():
    assert not list(failures(whole, compare))


def test_every_case_says_where_it_comes_from():
    assert not [case.name for case in cases() if not case.sources or not all(map(SOURCE.fullmatch, case.sources))]


def test_there_are_enough_cases_and_no_two_are_the_same():
    assert len({(case.data, case.fin, *case.settings.items()) for case in cases()}) == len(cases()) >= 320
