"""PROXY headers as bytes: what they say, what is refused, and that it does not matter how they were cut."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given

from hybridd.net.proxy_header import (
    LONGEST,
    SIGNATURE,
    ProxyHeader,
    _crc32c,
    parse_proxy_header,
)
from tests.support import fuzz_proxies
from tests.support.fuzz_proxies import check_header, headers, verdict

FOUR = socket.inet_aton("192.0.2.7") + socket.inet_aton("10.0.0.1") + struct.pack("!HH", 40000, 443)
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + socket.inet_pton(socket.AF_INET6, "::1")
SIX += struct.pack("!HH", 40000, 443)
PATHS = b"/run/client".ljust(108, b"\0") + b"/run/own".ljust(108, b"\0")
LAST = b"ffff:" * 7 + b"ffff"
BEHIND = b"GET / HTTP/1.1\r\n\r\n"


def block(command: int, family: int, body: bytes = b"", length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(body) if length is None else length) + body


def extension(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def with_checksum(head: bytes, flaw: int = 0) -> bytes:
    """Add a checksum to a block of TCP4: over all of it, with zeros in its own place."""
    whole = block(0x21, 0x11, head + extension(0x03, bytes(4)))
    return whole[:-4] + struct.pack("!I", _crc32c(whole) ^ flaw)


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443\r\n", ("192.0.2.7", 40000)),
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", ("255.255.255.255", 65535)),
        (b"PROXY TCP6 2001:DB8::7 ::1 0 443\r\n", ("2001:db8::7", 0, 0, 0)),
        (b"PROXY TCP6 %b %b 65535 65535\r\n" % (LAST, LAST), (LAST.decode(), 65535, 0, 0)),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 whatever it is 1 2\r\n", None),
        (block(0x21, 0x11, FOUR), ("192.0.2.7", 40000)),
        (block(0x21, 0x21, SIX), ("2001:db8::7", 40000, 0, 0)),
        (block(0x21, 0x31, PATHS), "/run/client"),
        (block(0x21, 0x00), None),
        (block(0x21, 0x00, extension(0x04, bytes(9))), None),
        (block(0x20, 0x00), None),
        (block(0x20, 0x11, FOUR), None),
        (block(0x20, 0xEE, b"\xff" * 30), None),
        (block(0x21, 0x11, FOUR + extension(0x04, b"") + extension(0xEA, b"vpce-1")), ("192.0.2.7", 40000)),
        (block(0x21, 0x11, FOUR + extension(0x04, bytes(LONGEST - 16 - 12 - 3))), ("192.0.2.7", 40000)),
        (with_checksum(FOUR), ("192.0.2.7", 40000)),
    ],
)  # fmt: skip
def test_what_a_header_says(header, client):
    assert parse_proxy_header(header + BEHIND) == ProxyHeader(len(header), client)
    assert all(parse_proxy_header(header[:end]) is None for end in range(len(header)))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET / HTTP/1.1\r\n", "does not begin"),
        (b"\x16\x03\x01\x02\x00", "does not begin"),
        (b"PROXX", "does not begin"),
        (b"proxy TCP4", "does not begin"),
        (b"\r\n\r\nGET", "does not begin"),
        (b"PROXY UNKNOWN " + b"x" * 93, "longer than 107"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 40000\r\n", "malformed"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443 \r\n", "malformed"),
        (b"PROXY TCP4  192.0.2.7 10.0.0.1 40000 443\r\n", "malformed"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 040 443\r\n", "malformed"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 -1 443\r\n", "malformed"),
        (b"PROXY UDP4 192.0.2.7 10.0.0.1 1 443\r\n", "malformed"),
        (b"PROXY TCP4 192.0.2.7\t10.0.0.1 1 443\r\n", "malformed"),
        (b"PROXY UNKNOWNX\r\n", "malformed"),
        (b"PROXY UNKNOWN a\nb\r\n", "malformed"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n", "port"),
        (b"PROXY TCP4 192.0.2.7 10.0.0.1 1 99999\r\n", "port"),
        (b"PROXY TCP4 2001:db8::7 ::1 1 443\r\n", "none of TCP4"),
        (b"PROXY TCP6 192.0.2.7 10.0.0.1 1 443\r\n", "none of TCP6"),
        (b"PROXY TCP4 192.0.2.007 10.0.0.1 1 443\r\n", "none of TCP4"),
        (b"PROXY TCP4 192.0.2 10.0.0.1 1 443\r\n", "none of TCP4"),
        (block(0x11, 0x11, FOUR), "unknown version"),
        (block(0x22, 0x11, FOUR), "unknown version"),
        (block(0x21, 0x12, FOUR), "something else than a stream"),
        (block(0x21, 0x41, FOUR), "something else than a stream"),
        (block(0x21, 0x11, FOUR[:-1]), "too short"),
        (block(0x21, 0x21, FOUR), "too short"),
        (block(0x21, 0x31, SIX), "too short"),
        (block(0x21, 0x11, length=LONGEST - 15), "4097 bytes"),
        (block(0x20, 0x00, length=65535), "65551 bytes"),
        (block(0x21, 0x11, FOUR + b"\4\0"), "inside an extension"),
        (block(0x21, 0x11, FOUR + b"\4\0\2x"), "inside an extension"),
        (block(0x21, 0x11, FOUR + extension(0x03, b"abc")), "checksum of 3 bytes"),
        (with_checksum(FOUR, flaw=1), "wrong checksum"),
    ],
)
def test_what_is_no_header(data, why):
    assert why in verdict(data + BEHIND)


def test_the_checksum_is_castagnolis():
    assert _crc32c(b"123456789") == 0xE3069283  # RFC 9260 names the polynomial; this is its usual check value


@given(headers)
def test_more_bytes_never_change_a_verdict(data):
    check_header(data)


def test_the_judge_sees_a_verdict_that_depends_on_the_cut(monkeypatch):
    data = block(0x21, 0x11, FOUR) + BEHIND
    check_header(data)
    monkeypatch.setattr(fuzz_proxies, "parse_proxy_header", lambda data: ProxyHeader(len(data)) if data else None)
    with pytest.raises(AssertionError):
        check_header(data)
