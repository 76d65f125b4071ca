"""The PROXY protocol, versions 1 and 2, as its receiver reads it: the header in which a proxy says who its client is.

Version 1 is a line of text, version 2 a binary block; the specification is proxy-protocol.txt of HAProxy, whose section
numbers stand below.  What follows the header is not looked at.  The verdict depends on the bytes up to the header's end
and not on how they were cut: more bytes never change it.

Knows:     the bytes of a header.
Never:     sockets, who may send one.
Runs in:   wherever an opening runs; pure.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_TEXT = b"PROXY "

LONGEST: Final = 4096
"""Bytes of a header in all.  Version 2 could say 65,551; addresses and all registered extensions have room in a tenth
of this but for a chain of certificates, which nobody sends; nginx has the same limit."""

_LONGEST_LINE = 107  # 2.1, with CR LF
_LINE = re.compile(
    rb"PROXY (?:UNKNOWN(?: [^\r\n]*)?|(TCP4|TCP6) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+)"
    rb" (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4}))"
)
_LAST_PORT = 65535

# 2.2: behind the signature a byte for version and command, one for family and transport, two for the length.
_FIXED = len(SIGNATURE) + 4
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED, _TCP4, _TCP6, _UNIX = 0x00, 0x11, 0x21, 0x31
_ADDRESSES = {_UNSPECIFIED: 0, _TCP4: 12, _TCP6: 36, _UNIX: 216}  # bytes; datagrams do not come here
_PATH = 108  # bytes of a path in the block

_EXTENSION = 3  # bytes before an extension's value: its type, its length
_CRC32C = 0x03
_CHECKSUM = 4  # bytes


class ProxyHeaderError(ValueError):
    """Bytes that are no PROXY header; the sentence says why."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A header that is complete.

    Attributes:
        length: in bytes; what is behind them belongs to the protocol.
        client: as ``getpeername`` would say it; None: the connection is the proxy's own (a health check), or it does
            not say whose it is.
    """

    length: int
    client: Any = None


def parse_proxy_header(data: bytes) -> ProxyHeader | None:
    """Give the header that ``data`` begins with; None: it may become one.

    Raises:
        ProxyHeaderError: it cannot become one.
    """
    if data.startswith(SIGNATURE):
        return _parse_block(data)
    if data.startswith(_TEXT):
        return _parse_line(data)
    if SIGNATURE.startswith(data) or _TEXT.startswith(data):
        return None
    raise ProxyHeaderError("it does not begin with a PROXY header")


def _parse_line(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        if len(data) >= _LONGEST_LINE:
            raise ProxyHeaderError(f"its PROXY line is longer than {_LONGEST_LINE} bytes")
        return None
    match = _LINE.fullmatch(data[:end])
    if match is None:
        raise ProxyHeaderError("its PROXY line is malformed")
    family, *addresses, source_port, own_port = match.groups()
    if family is None:
        return ProxyHeader(end + 2)
    kind = socket.AF_INET if family == b"TCP4" else socket.AF_INET6
    try:
        source, _ = (socket.inet_pton(kind, address.decode()) for address in addresses)
    except OSError:
        raise ProxyHeaderError(f"its PROXY line has an address that is none of {family.decode()}") from None
    if int(source_port) > _LAST_PORT or int(own_port) > _LAST_PORT:
        raise ProxyHeaderError("its PROXY line has a port that is none")
    return ProxyHeader(end + 2, _peername(kind, source, int(source_port)))


def _peername(family: socket.AddressFamily, packed: bytes, port: int) -> tuple[Any, ...]:
    host = socket.inet_ntop(family, packed)
    return (host, port) if family == socket.AF_INET else (host, port, 0, 0)


def _parse_block(data: bytes) -> ProxyHeader | None:
    if len(data) < _FIXED:
        return None
    command, family = data[12], data[13]
    length = _FIXED + int.from_bytes(data[14:_FIXED])
    if command not in {_LOCAL, _PROXY}:
        raise ProxyHeaderError(f"its PROXY header has the unknown version and command 0x{command:02x}")
    if length > LONGEST:
        raise ProxyHeaderError(f"its PROXY header has {length} bytes, and {LONGEST} are allowed")
    if command == _PROXY:
        if family not in _ADDRESSES:
            raise ProxyHeaderError(f"its PROXY header is about something else than a stream: 0x{family:02x}")
        if length < _FIXED + _ADDRESSES[family]:
            raise ProxyHeaderError("its PROXY header is too short for its addresses")
    if len(data) < length:
        return None
    block = data[:length]
    if command == _LOCAL:  # 2.2: the block is discarded, and so is the family
        return ProxyHeader(length)
    _check_extensions(block, _FIXED + _ADDRESSES[family])
    return ProxyHeader(length, _client_of(block, family))


def _client_of(block: bytes, family: int) -> Any:
    start = _FIXED
    if family == _TCP4:
        return _peername(socket.AF_INET, block[start : start + 4], int.from_bytes(block[start + 8 : start + 10]))
    if family == _TCP6:
        return _peername(socket.AF_INET6, block[start : start + 16], int.from_bytes(block[start + 32 : start + 34]))
    if family == _UNIX:
        return block[start : start + _PATH].split(b"\0")[0].decode("utf-8", "surrogateescape")
    return None


def _check_extensions(block: bytes, start: int) -> None:
    """Step over the extensions (2.2.1 and following): they must fill the block, and a checksum must be right."""
    while start < len(block):
        value = start + _EXTENSION
        end = value + int.from_bytes(block[start + 1 : value])
        if value > len(block) or end > len(block):
            raise ProxyHeaderError("its PROXY header ends inside an extension")
        if block[start] == _CRC32C:
            if end - value != _CHECKSUM:
                raise ProxyHeaderError(f"its PROXY header has a checksum of {end - value} bytes")
            if _crc32c(block[:value] + bytes(_CHECKSUM) + block[end:]) != int.from_bytes(block[value:end]):
                raise ProxyHeaderError("its PROXY header has a wrong checksum")
        start = end


@cache
def _crc_table() -> tuple[int, ...]:
    """Return the table for Castagnoli's polynomial (RFC 9260, Appendix A), reflected."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _crc32c(data: bytes) -> int:
    table, value = _crc_table(), 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF
