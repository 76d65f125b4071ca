"""The cases under tests/http_cases: what a client sends, and what must be seen on the wire.

The same files hold for the protocol on a RecordingTransport and for a whole server with an application that echoes what
it got; tests/http_cases/README.md is the reference of the notation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

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


SOURCE = re.compile(r"RFC \d{4} [0-9A-C]+(\.\d+)*|PEP 3333|limits\.[a-z_]+|CVE-\d{4}-\d+")
"""Where a case comes from: a section, a setting of hybridd, a fault that another server had."""


class Refusal(NamedTuple):
    """What else is true of an answer with a status."""

    phrase: str
    reason: str  # label of hybridd_http_requests_rejected_total


REFUSALS = {
    400: Refusal("Bad Request", "bad_request"),
    413: Refusal("Content Too Large", "body_too_large"),
    414: Refusal("URI Too Long", "uri_too_long"),
    417: Refusal("Expectation Failed", "expectation"),
    421: Refusal("Misdirected Request", "misdirected"),
    431: Refusal("Request Header Fields Too Large", "headers_too_large"),
    501: Refusal("Not Implemented", "not_implemented"),
    505: Refusal("HTTP Version Not Supported", "version"),
}

# What a refused client is told: one sentence, nothing of ours but words of HTTP, nothing of its own.
_SENTENCE = re.compile(rb"(?!.*(?:python|hybridd|httptools|llhttp|Error|0x))[A-Z][ -~]{5,120}\.\n")
_WORDS = re.compile(rb"smuggled|example|evil|BREW|secret|[02-9]\.[0-9]|[0-9]{5,}")  # what could be echoed in cases


@dataclass
class Event:
    """One thing that must be seen: an answer of the server itself, or the application's to a request."""

    status: int
    method: str = ""
    target: str = ""
    path: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    refused: str = ""  # the method of a refused request, where it matters


@dataclass
class Case:
    """One case.

    Attributes:
        sources: where it is written what must happen, see SOURCE.
        settings: of ``limits``, as text, where they are not those of the README.
    """

    name: str
    data: bytes
    events: list[Event]
    end: str
    fin: bool
    sources: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def methods(self) -> list[str]:
        """The methods of the requests that are answered finally; empty: refused."""
        return [event.method or event.refused for event in self.events if event.status >= 200]

    @property
    def refusals(self) -> list[str]:
        """The reasons under which the metrics count its refusals."""
        return [REFUSALS[event.status].reason for event in self.events if event.status >= 200 and not event.method]


@dataclass
class Response:
    """One response as a client sees it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reason: str = ""

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
    if word == "from":
        case.sources.append(rest)
    elif word == "setting":
        name, _, value = rest.partition(" ")
        case.settings[name] = value
    elif word in {"open", "close", "waiting"}:
        case.end = word
    elif word == "fin":
        case.fin = True
    elif word == "request":
        method, target = rest.split(" ")
        case.events.append(Event(200, method, target))
    elif word == "answer" and not rest.startswith("as "):
        status, _, refused = rest.partition(" to ")
        case.events.append(Event(int(status), refused=refused))
    elif not _read_detail(case.events[-1], word, rest):
        raise ValueError(f"{case.name}.events: {line!r}")


def _read_detail(event: Event, word: str, rest: str) -> bool:
    """Read a line that belongs to an event; tell whether it was one."""
    name, _, value = rest.partition(" ")
    if word == "answer":
        event.status = int(rest.removeprefix("as "))
    elif word == "field":
        event.fields[name] = _text(value)
    elif word == "no-field":
        event.absent.append(rest)
    elif word == "path":
        event.path = _text(rest)
    elif word == "body":
        event.body = _text(rest).encode("latin-1")
    elif word == "header":
        event.headers[name] = value
    else:
        return False
    return True


def _text(notation: str) -> str:
    return unescape(notation.encode("latin-1")).decode("latin-1")


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
        response = Response(int(match[1]), headers, b"", start[13:])
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
            _check_refusal(case, event, response)
        elif event.status == 200 and event.method != "HEAD":
            _check_request(case, event, response.echoed())


def _check_refusal(case: Case, event: Event, response: Response) -> None:
    if event.status < 200:
        return
    assert response.header("Connection") == "close", case.name
    assert response.reason == REFUSALS[event.status].phrase, case.name
    if event.refused == "HEAD":
        assert not response.body, case.name
        return
    assert _SENTENCE.fullmatch(response.body), f"{case.name}: {response.body!r}"
    echoed = [word for word in _WORDS.findall(case.data) if word in response.body]
    assert not echoed, f"{case.name}: {response.body!r} gives back {echoed}"


def _check_request(case: Case, event: Event, seen: dict[str, Any]) -> None:
    assert (seen["method"], seen["target"]) == (event.method, event.target), case.name
    assert event.path is None or seen["path"] == event.path, case.name
    assert seen["body"].encode("latin-1") == event.body, case.name
    for name, value in event.fields.items():
        assert seen["fields"].get(name) == value, f"{case.name}: {name}"
    for name in event.absent:
        assert name not in seen["fields"], f"{case.name}: {name}"
