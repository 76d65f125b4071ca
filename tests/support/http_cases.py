"""The cases under tests/http_cases: what a client sends, and what must be seen on the wire.

The same files hold for the protocol on a RecordingTransport and for a whole server with an application that echoes what
it got; tests/http_cases/README.md is the reference of the notation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CASES = Path(__file__).parents[1] / "http_cases"
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|\{((?:[^}\\]|\\.)*)\*([0-9]+)\}|(.))", re.DOTALL)
_PLAIN = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def unescape(text: bytes) -> bytes:
    r"""Give what the notation stands for: ``\r \n \t \0 \\ \xHH``, and ``\{TEXT*N}`` for N times TEXT."""

    def plain(match: re.Match[bytes]) -> bytes:
        if match[1]:
            return bytes([int(match[1], 16)])
        if match[3]:
            return unescape(match[2]) * int(match[3])
        return _PLAIN[match[4]]

    return _ESCAPE.sub(plain, text)


@dataclass
class Event:
    """One thing that must be seen: an answer of the server itself, or the application's to a request."""

    status: int
    method: str = ""
    target: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Case:
    """One case."""

    name: str
    data: bytes
    events: list[Event]
    end: str
    fin: bool


@dataclass
class Response:
    """One response as a client sees it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """Give the value of a header that is there once, or None."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    def echoed(self) -> Any:
        """Give what the echoing application saw."""
        return json.loads(self.body)


def load_case(name: str) -> Case:
    """Read NAME.http and NAME.events.

    Raises:
        ValueError: a line of NAME.events is not in the notation.
    """
    lines = (CASES / f"{name}.http").read_bytes().splitlines()
    data = unescape(b"".join(line for line in lines if not line.startswith(b"#")))
    case = Case(name, data, [], "", fin=False)
    for line in (CASES / f"{name}.events").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            _read_line(case, line.strip())
    if case.end not in {"open", "close", "waiting"}:
        raise ValueError(f"{name}.events does not say how it ends")
    return case


def case_names() -> list[str]:
    """Give the names of all cases."""
    return sorted(path.stem for path in CASES.glob("*.http"))


def _read_line(case: Case, line: str) -> None:
    word, _, rest = line.partition(" ")
    events = case.events
    if word in {"open", "close", "waiting"}:
        case.end = word
    elif word == "fin":
        case.fin = True
    elif word == "request":
        method, target = rest.split(" ")
        events.append(Event(200, method, target))
    elif word == "answer":
        if rest.startswith("as "):
            events[-1].status = int(rest.removeprefix("as "))
        else:
            events.append(Event(int(rest)))
    elif word == "field":
        name, _, value = rest.partition(" ")
        events[-1].fields[name] = unescape(value.encode("latin-1")).decode("latin-1")
    elif word == "no-field":
        events[-1].absent.append(rest)
    elif word == "body":
        events[-1].body = unescape(rest.encode("latin-1"))
    elif word == "header":
        name, _, value = rest.partition(" ")
        events[-1].headers[name] = value
    else:
        raise ValueError(f"{case.name}.events: {line!r}")


def parse_responses(data: bytes, methods: list[str]) -> list[Response]:
    """Take a server's bytes apart; ``methods`` are those of the requests that are answered (empty: not HEAD).

    Raises:
        ValueError: the bytes are not whole responses.
    """
    responses: list[Response] = []
    methods = [*methods]
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        if not end:
            raise ValueError(f"half a head: {head!r}")
        start, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 ([1-5][0-9]{2}) [ -~]*", start)
        if match is None:
            raise ValueError(f"no status line: {start!r}")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        response = Response(int(match[1]), headers, b"")
        responses.append(response)
        if response.status < 200:
            continue
        method = methods.pop(0) if methods else ""
        response.body, data = _take_body(response, method, data)
    return responses


def _take_body(response: Response, method: str, data: bytes) -> tuple[bytes, bytes]:
    length, coding = response.header("Content-Length"), response.header("Transfer-Encoding")
    if method == "HEAD" or response.status in {204, 304}:
        return b"", data
    if coding is not None:
        if coding != "chunked" or length is not None:
            raise ValueError(f"framed by {coding} and {length}")
        return _take_chunks(data)
    if length is None:
        return data, b""
    if len(data) < int(length):
        raise ValueError(f"{len(data)} bytes of a body of {length}")
    return data[: int(length)], data[int(length) :]


def _take_chunks(data: bytes) -> tuple[bytes, bytes]:
    parts = []
    while True:
        size, end, data = data.partition(b"\r\n")
        if not end or not re.fullmatch(rb"[0-9a-f]+", size):
            raise ValueError(f"no chunk size: {size!r}")
        length = int(size, 16)
        if data[length : length + 2] != b"\r\n":
            raise ValueError("a chunk does not end in CR LF")
        parts.append(data[:length])
        data = data[length + 2 :]
        if not length:
            return b"".join(parts), data


def check(case: Case, responses: list[Response]) -> None:
    """Compare what came with what must come."""
    assert [response.status for response in responses] == [event.status for event in case.events], case.name
    for event, response in zip(case.events, responses, strict=True):
        for name, value in event.headers.items():
            assert response.header(name) == (None if value == "-" else value), f"{case.name}: {name}"
        if not event.method:
            assert event.status < 200 or response.header("Connection") == "close", case.name
        elif event.status == 200 and event.method != "HEAD":
            _check_request(case, event, response.echoed())


def _check_request(case: Case, event: Event, seen: dict[str, Any]) -> None:
    assert (seen["method"], seen["target"]) == (event.method, event.target), case.name
    assert seen["body"].encode("latin-1") == event.body, case.name
    for name, value in event.fields.items():
        assert seen["fields"].get(name) == value, f"{case.name}: {name}"
    for name in event.absent:
        assert name not in seen["fields"], f"{case.name}: {name}"
