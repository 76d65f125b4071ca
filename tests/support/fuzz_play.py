"""What must be true whatever a client sends and whatever the application does meanwhile.

``compare`` lets the application answer at once: the cuts change nothing, and a second reader agrees on every request.
``interleave`` lets client, application and time do what they like in any order: nothing raises, every request is
answered or recorded exactly once, what is kept is bounded, and the connection ends.

Knows:     the protocol's promises (docs/http.md, hybridd/http/wire.py).
Never:     how inputs are made (fuzz_inputs.py).
Runs in:   tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hybridd.http.outcome import CLIENT_CLOSED_REQUEST, Outcome, Rejection
from hybridd.http.protocol import HttpProtocol
from hybridd.http.request import Request
from hybridd.http.response import ResponseHead
from hybridd.http.states import Input, State
from tests.support.recording import Wire, respond_ok
from tests.support.strict_reader import End, Reading, read

LIMITS = {"request_line": 300, "headers": 20, "header_bytes": 900, "body": 200, "body_memory": 50}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"  # sent only when the body is not there yet: that depends on the reads
SELDOM = 40  # bytes; single reads of longer streams are seldom worth their time

# What could make a whole request of half of one: none of these may, behind a refusal.
COMPLETIONS = [
    b"\r\n\r\n",
    b"\n\r\n\r\n",
    b" / HTTP/1.1\r\nHost: a\r\n\r\n",
    b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"1\r\nHost: a\r\n\r\n",
    b": a\r\n\r\n",
    b"a: b\r\nHost: a\r\n\r\n",
    b"\n0\r\n\r\n",
    b"\r\n0\r\n\r\n",
]
# Refused by us for reasons that the second reader does not know: methods, upgrades, what chunks cost beside their data.
UNKNOWN = {501, 431, 414}

seen: Counter[str] = Counter()
"""What has come out so far: sentences of refusals, and 'served'."""


@dataclass
class Seen:
    """All that a client and an operator can see of a stream."""

    client: bytes
    ended: bool
    statuses: list[tuple[int, object]]
    requests: Sequence[tuple[object, ...]]
    counts: tuple[object, ...]


def play(pieces: list[bytes]) -> tuple[Wire, Seen]:
    """Let a client send these pieces, each answered at once."""
    wire = Wire(limits=LIMITS)
    bound = LIMITS["request_line"] + LIMITS["header_bytes"]
    for piece in pieces:
        wire.send(piece)
        held = len(wire.protocol._ahead)
        assert held <= bound + len(piece), f"{held} bytes are kept"
    state = wire.protocol.state
    assert state.input is not Input.KEEP, "nobody answers"
    assert state is State.CLOSED or wire.transport.deadline is not None, "nothing ends it"
    requests = [
        (request.method, request.target, dict(request.fields), dict(request.trailers), request.body.length)
        for request in wire.service.requests
    ]
    outcome = Seen(
        bytes(wire.transport.client).replace(CONTINUE, b""),
        wire.transport.fin,
        [(record.status, record.outcome) for record in wire.service.records],
        requests,
        (*wire.counts.requests, *wire.counts.rejected, wire.counts.reading, wire.counts.active),
    )
    return wire, outcome


def finish(wire: Wire) -> None:
    """End the connection if it has not ended, and close what the requests hold."""
    if not wire.transport.lost:
        wire.transport.reset()
        wire.turn()
    for request in wire.service.requests:
        request.body.close()
    assert all(file.closed for file in wire.service.files), "a file that stays open"


def compare(data: bytes, pieces: list[bytes]) -> None:
    """Play a stream whole and in pieces, and let the second reader judge it."""
    wire, whole = play([data] if data else [])
    try:
        others = [pieces]
        if len(data) <= SELDOM or len(pieces) % 4 == 0:
            others.append([data[at : at + 1] for at in range(len(data))])
        for other in others:
            again, outcome = play(other)
            finish(again)
            assert outcome == whole, f"cut into {other}"
        judge(wire, read(data, wire.limits), data)
    finally:
        finish(wire)


def judge(wire: Wire, expected: Reading, data: bytes) -> None:
    """Hold the protocol's requests against those of the second reader."""
    requests = wire.service.requests
    responses = wire.responses([record.method for record in wire.service.records])
    statuses = [response.status for response in responses]
    final = [status for status in statuses if status >= 200]
    assert final == [record.status for record in wire.service.records], "one record for each answer"
    served = [(request.method, request.target.decode("latin-1"), body_of(request)) for request in requests]
    wanted = [(found.method, found.target, found.body) for found in expected.requests]
    assert served == wanted[: len(served)], "another request than the second reader's"
    refused = final[len(served) :]
    seen["served"] += len(served)
    if not refused:
        assert expected.end is not End.REFUSED, f"not refused: {expected.why}"
        assert len(served) == len(wanted), "a request is missing"
        return
    seen[bytes(wire.transport.client).rpartition(b"\r\n\r\n")[2].decode("latin-1").strip()] += 1
    assert len(refused) == 1, "answered behind the end"
    if refused[0] in UNKNOWN:
        return
    assert len(served) == len(wanted), f"{refused}, but the second reader accepts it"
    if expected.end is End.WAITING and refused[0] != 413:
        for completion in COMPLETIONS:
            assert len(read(data + completion, wire.limits).requests) == len(wanted), f"{completion!r} makes it good"
    else:
        assert expected.end in {End.REFUSED, End.WAITING}, f"{refused}, but the second reader accepts it"


def body_of(request: Request) -> bytes:
    """Read a body without closing it."""
    file = request.body.open()
    return file.read()


# -- everybody at once


@dataclass
class Stage:
    """An application that does with each request what its script says.

    ``late`` are the answers that it still owes.
    """

    script: list[str]
    late: list[tuple[HttpProtocol, Request, str]] = field(default_factory=list)

    def answer(self, connection: HttpProtocol, request: Request) -> None:
        """Do the next thing of the script."""
        deed = self.script.pop(0) if self.script else "respond"
        if deed.startswith("late "):
            self.late.append((connection, request, deed.removeprefix("late ")))
        elif deed == "queue":
            connection.call_queued()
            self.late.append((connection, request, "started"))
        elif deed == "open":
            connection.start(ResponseHead(200, "OK", []), b"part")
            self.late.append((connection, request, "rest"))
        else:
            self.do(connection, request, deed)

    def do(self, connection: HttpProtocol, request: Request, deed: str) -> None:
        """Answer."""
        if deed == "started":
            connection.call_started()
        if deed in {"respond", "started"}:
            respond_ok(connection, request)
        elif deed == "close":
            connection.respond(ResponseHead(200, "OK", [("Connection", "close")]), b"bye")
        elif deed == "short":
            connection.respond(ResponseHead(200, "OK", [("Content-Length", "9")]), b"short")
        elif deed == "raise":
            connection.abort_response()
        elif deed == "shed":
            connection.refuse(503, Rejection.QUEUE_FULL)
        else:
            if deed == "stream":
                connection.start(ResponseHead(200, "OK", []), b"part")
            connection.send(b"another part")
            connection.finish()

    def catch_up(self) -> None:
        """Give the answer that is owed for longest."""
        if self.late:
            self.do(*self.late.pop(0))


DEEDS = ["respond", "close", "short", "raise", "shed", "stream", "open", "queue"]
DEEDS += [f"late {deed}" for deed in DEEDS[:6]]
MOMENTS = ["bytes", "bytes", "answer", "time", "long time", "room", "no room", "fin", "reset", "drain", "shut"]


def interleave(pieces: list[bytes], script: list[str], moments: list[str]) -> None:
    """Let everything happen in this order, then the rest of the bytes, the answers, and the end of all deadlines."""
    stage = Stage(list(script))
    wire = Wire(stage.answer, limits=LIMITS, timeouts={"handler": 60.0})
    left = list(pieces)
    sent = b""
    for moment in [*moments, *["bytes"] * len(pieces)]:
        if moment == "bytes" and left:
            sent += left[0]
        happen(wire, stage, moment, left)
    while stage.late:
        happen(wire, stage, "answer", left)
    happen(wire, stage, "room", left)
    for _ in range(4):
        wire.transport.advance(3600)
        wire.turn()
        while stage.late:
            happen(wire, stage, "answer", left)
    assert wire.transport.lost, f"still {wire.protocol.state}"
    finish(wire)
    check_end(wire, sent)
    cut = wire.transport.aborted or "reset" in moments
    if not cut and all(record.outcome is not Outcome.FAILED for record in wire.service.records):
        check_answers(wire)


def happen(wire: Wire, stage: Stage, moment: str, left: list[bytes]) -> None:
    """Let one thing happen."""
    transport, protocol = wire.transport, wire.protocol
    if moment == "bytes" and left:
        wire.send(left.pop(0))
    elif moment == "answer":
        stage.catch_up()
    elif moment in {"time", "long time"}:
        transport.advance(1.0 if moment == "time" else 20.0)
    elif moment == "room":
        transport.read(None)
    elif moment == "no room":
        transport.room = 0
    elif moment == "fin":
        wire.fin()
    elif moment == "reset" and not transport.lost:
        transport.reset()
    elif moment == "drain":
        wire.service.draining = True
        protocol.drain(2.0)
    elif moment == "shut":
        protocol.shut()
    wire.turn()


def check_end(wire: Wire, sent: bytes) -> None:
    """Hold the books when everything is over."""
    requests, records, counts = wire.service.requests, wire.service.records, wire.counts
    assert (counts.open, counts.reading, counts.active) == (0, 0, 0), "gauges that do not come down"
    assert sum(counts.requests) == len(records)
    recorded = Counter(id(record) for record in records)
    assert set(recorded.values()) <= {1}, "a request that was recorded twice"
    assert all(recorded[id(request)] for request in requests), "a request that nobody recorded"
    wanted = read(sent, wire.limits).requests
    served = [(request.method, request.target.decode("latin-1")) for request in requests]
    assert served == [(found.method, found.target) for found in wanted][: len(served)], "more Calls than requests"
    assert len(records) <= len(requests) + 2, "answered behind the end"


def check_answers(wire: Wire) -> None:
    """Hold what the client of a connection that was not cut has got against the books: whole answers, one for each."""
    answered = [record for record in wire.service.records if record.status != CLIENT_CLOSED_REQUEST]
    responses = wire.responses([record.method for record in answered])
    final = [response.status for response in responses if response.status >= 200]
    assert final == [record.status for record in answered], "other answers than the books have"
    assert all(response.header("Connection") != "close" for response in responses[:-1]), "answered behind the end"
