"""A second reader of HTTP/1.1 requests, for comparison: the grammar of RFC 9110 and 9112 as regular expressions.

It is simple and slow, shares nothing with hybridd but the limits, needs all bytes at once, and is as strict as
docs/http.md promises: what two servers in a chain could read in two ways is refused.

Knows:     RFC 9110, 9112, 3986; what hybridd has decided where they leave a choice.
Never:     anything of hybridd.http; which methods are implemented (501); what chunks may cost beside their data (431).
Runs in:   tests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv6Address

from hybridd.config.settings import Limits

TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
REQUEST_LINE = re.compile(rb"(" + TOKEN + rb") ([!-~]+) HTTP/(1\.[01])")
FIELD_LINE = re.compile(rb"(" + TOKEN + rb"):[ \t]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*")
ORIGIN_FORM = re.compile(rb"(/[^\"#<>?]*)(?:\?[^\"#<>]*)?")
ABSOLUTE_FORM = re.compile(rb"(?i:(https?))://([^/?\"#<>]+)((?:/[^\"#<>?]*)?)(?:\?[^\"#<>]*)?")
PERCENT = re.compile(rb"%(?!(?!00)[0-9A-Fa-f]{2})")
HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=-]+|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{0,5}))?")
QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
# An extension may lack its name or its value: extensions are ignored, and where the line ends is clear.
VALUE = rb"=(?:" + TOKEN + rb"|" + QUOTED + rb")?"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]+)(?:;(?:" + TOKEN + rb"(?:" + VALUE + rb")?|" + VALUE + rb"))*\r\n")
SINGLE = {
    b"host",
    b"content-length",
    b"content-type",
    b"content-range",
    b"authorization",
    b"proxy-authorization",
    b"origin",
}


class End(Enum):
    """How a stream of requests goes on."""

    OPEN = "open"  # behind a whole request
    WAITING = "waiting"  # inside one
    CLOSED = "closed"  # the last one asked for it
    REFUSED = "refused"


@dataclass
class Found:
    """One request."""

    method: str
    target: str
    host: str
    body: bytes


@dataclass
class Reading:
    """What a stream of bytes is."""

    requests: list[Found] = field(default_factory=list)
    end: End = End.OPEN
    why: str = ""


class BadError(Exception):
    """It is no request."""


class IncompleteError(Exception):
    """More bytes are needed."""


def read(data: bytes, limits: Limits) -> Reading:
    """Read all requests that the bytes hold."""
    reading = Reading()
    at = 0
    try:
        while True:
            while data.startswith(b"\r\n", at):
                at += 2
            if at == len(data):
                return reading
            found, at, keeps = _read_request(data, at, limits)
            reading.requests.append(found)
            if not keeps:
                reading.end = End.CLOSED
                return reading
    except IncompleteError:
        reading.end = End.WAITING
    except BadError as error:
        reading.end, reading.why = End.REFUSED, str(error)
    return reading


def require(fact: object, otherwise: str) -> None:
    if not fact:
        raise BadError(otherwise)


def _read_request(data: bytes, at: int, limits: Limits) -> tuple[Found, int, bool]:
    require(data[at] not in b"\r\n" or data[at:] == b"\r", "a bare CR or LF before the request")
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        raise IncompleteError
    line, *lines = data[at:end].split(b"\r\n")
    require(len(line) <= limits.request_line, "request line too long")
    require(end + 4 - at - len(line) - 2 <= limits.header_bytes, "fields too large")
    words = REQUEST_LINE.fullmatch(line)
    require(words, "no request line")
    assert words is not None
    method, target, version = words.groups()
    require(method != b"PRI", "reserved by RFC 9113 3.4")
    require(len(lines) <= limits.headers, "too many fields")
    fields = _read_fields(lines)
    for name in SINGLE:
        require(len(fields.get(name, [])) < 2, f"{name!r} twice")
    require(limits.underscores == "drop" or not any(b"_" in name for name in fields), "an underscore")
    host = _read_host(method, target, version, fields)
    options = {word.strip(b" \t").lower() for word in b",".join(fields.get(b"connection", [])).split(b",")} - {b""}
    require(all(re.fullmatch(TOKEN, option) for option in options), "Connection is no list of tokens")
    require(not options & {b"host", b"content-length", b"transfer-encoding"}, "Connection names the framing")
    require(not (fields.get(b"transfer-encoding") and version == b"1.0"), "Transfer-Encoding in HTTP/1.0")
    _check_expectation(version, fields)
    framed, length = _read_framing(fields, limits)
    require(not ((framed or length) and method == b"TRACE"), "TRACE with a body")
    body, at = _read_chunks(data, end + 4, limits) if framed else _read_length(data, end + 4, length)
    keeps = b"close" not in options and (version == b"1.1" or b"keep-alive" in options)
    return Found(method.decode(), target.decode(), host.decode(), body), at, keeps


def _read_fields(lines: list[bytes]) -> dict[bytes, list[bytes]]:
    fields: dict[bytes, list[bytes]] = {}
    for line in lines:
        match = FIELD_LINE.fullmatch(line)
        require(match, "no field line")
        assert match is not None
        fields.setdefault(match[1].lower(), []).append(match[2])
    return fields


def _is_host(text: bytes) -> bool:
    match = HOST.fullmatch(text)
    if match is None:
        return False
    if match[1]:
        try:
            IPv6Address(match[1].decode())
        except ValueError:
            return False
    return not match[2] or 1 <= int(match[2]) <= 65535


def _read_host(method: bytes, target: bytes, version: bytes, fields: dict[bytes, list[bytes]]) -> bytes:
    """Check target and Host; give whom the request is for."""
    hosts = fields.get(b"host", [])
    require(hosts or version == b"1.0", "no Host")
    require(all(map(_is_host, hosts)), "a bad Host")
    host = hosts[0] if hosts else b""
    if target == b"*":
        require(method == b"OPTIONS", "* is for OPTIONS")
        return host
    origin = ORIGIN_FORM.fullmatch(target)
    if origin:
        require(not PERCENT.search(origin[1]), "bad percent-encoding")
        return host
    absolute = ABSOLUTE_FORM.fullmatch(target)
    require(absolute, "no form of target")
    assert absolute is not None
    require(absolute[1].lower() == b"http", "https without TLS")
    require(_is_host(absolute[2]), "a bad authority")
    require(not PERCENT.search(absolute[3]), "bad percent-encoding")

    def normal(authority: bytes) -> bytes:
        return re.sub(rb":(80)?$", b"", authority.lower())

    require(not host or normal(host) == normal(absolute[2]), "Host is another one than the authority")
    return absolute[2]


def _check_expectation(version: bytes, fields: dict[bytes, list[bytes]]) -> None:
    expectations = [value.lower() for value in fields.get(b"expect", [])]
    require(expectations in ([], [b"100-continue"]) or version == b"1.0", "another expectation")


def _read_framing(fields: dict[bytes, list[bytes]], limits: Limits) -> tuple[bool, int]:
    """Tell whether the body comes in chunks, else how long it is."""
    lengths, codings = fields.get(b"content-length", []), fields.get(b"transfer-encoding", [])
    require(not (lengths and codings), "two framings")
    if codings:
        require([coding.lower() for coding in codings] == [b"chunked"], "another coding")
        return True, 0
    if not lengths:
        return False, 0
    require(re.fullmatch(rb"[0-9]+", lengths[0]), "Content-Length is no number")
    digits = lengths[0].lstrip(b"0") or b"0"
    require(len(digits) < 25 and int(digits) <= limits.body, "body too long")
    return False, int(digits)


def _read_length(data: bytes, at: int, length: int) -> tuple[bytes, int]:
    if len(data) < at + length:
        raise IncompleteError
    return data[at : at + length], at + length


def _read_chunks(data: bytes, at: int, limits: Limits) -> tuple[bytes, int]:
    body = b""
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            raise IncompleteError
        line = CHUNK_LINE.fullmatch(data, at, end + 2)
        require(line, "no chunk size")
        assert line is not None
        size, at = int(line[1], 16), end + 2
        if size == 0:
            return body, _read_trailer(data, at, limits)
        if len(body) + size > limits.body:  # refused when so much of it has come
            require(len(body) + len(data) - at <= limits.body, "body too long")
            raise IncompleteError
        ending = data[at + size : at + size + 2]
        require(b"\r\n".startswith(ending), "no CR LF behind a chunk")
        if len(ending) < 2:
            raise IncompleteError
        body += data[at : at + size]
        at += size + 2


def _read_trailer(data: bytes, at: int, limits: Limits) -> int:
    """Check the trailer fields; give where the message ends."""
    lines = []
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            raise IncompleteError
        line, at = data[at:end], end + 2
        if not line:
            break
        lines.append(line)
        require(len(lines) <= limits.headers, "too many trailer fields")
    fields = _read_fields(lines)
    require(not fields.keys() & {b"content-length", b"transfer-encoding"}, "framing in the trailer")
    return at
