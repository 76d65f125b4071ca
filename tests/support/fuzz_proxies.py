"""What proxies say, invented and spliced by a fuzzer, and what must be true of how it is read.

A PROXY header (versions 1 and 2) has one verdict, however many bytes follow it and however it is cut; nothing but its
own error is raised.  In ``X-Forwarded-For`` and ``Forwarded`` nothing that a client invents changes whom its proxies
name, and nothing but a refusal is raised.

Knows:     the pieces of which such fields are made.
Runs in:   tests; ``make fuzz``.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from ipaddress import ip_address

from hypothesis import strategies as st

from hybridd.config.trust import Trust
from hybridd.errors import HttpError
from hybridd.http.forwarded import Said, read_forwarded, read_x_forwarded
from hybridd.net.proxy_header import LONGEST, SIGNATURE, ProxyHeader, ProxyHeaderError, parse_proxy_header

PROXY = "10.0.0.1"
TRUST = Trust(("10.0.0.0/8", "fd00::/8"))
CLIENT = "192.0.2.7"

_FOUR = socket.inet_aton(CLIENT) + socket.inet_aton(PROXY) + struct.pack("!HH", 40000, 443)
_LINE = b"PROXY TCP4 192.0.2.7 10.0.0.1 40000 443\r\n"
_BLOCK = SIGNATURE + b"\x21\x11\0\x0c" + _FOUR
_PARTS = [SIGNATURE, b"\x21\x11", b"\x20\x00", b"\0\x0c", b"\x21\x21\0\x24", _FOUR, b"\x04\0\x01x", b"\x03\0\x04"]
_PARTS += [b"PROXY TCP4 ", b"PROXY ", b"TCP6 ", b"UNKNOWN", b"192.0.2.7 ", b"::1 ", b"1 ", b"443", b"\r\n"]

headers = st.lists(st.sampled_from(_PARTS) | st.binary(max_size=8), max_size=9).map(b"".join) | st.builds(
    bytes.__add__, st.sampled_from([_LINE, _BLOCK]), st.binary(max_size=20)
)
texts = st.text(st.sampled_from('for=10.2,;"\\ []:_unkp\t'), max_size=60) | st.text(max_size=40)
chains = st.sampled_from([(CLIENT,), (CLIENT, "10.0.0.8"), (CLIENT, "10.9.9.9", "10.0.0.8")])


def verdict(data: bytes) -> ProxyHeader | str | None:
    """Return the header, None while it may become one, or why it cannot."""
    try:
        return parse_proxy_header(data)
    except ProxyHeaderError as error:
        return str(error)


def check_header(data: bytes) -> None:
    """Read every beginning of it: there is one verdict, and it stays."""
    said = [verdict(data[:end]) for end in range(len(data) + 1)]
    final = [one for one in said if one is not None]
    assert all(one == final[0] for one in final), "more bytes change the verdict"
    assert None not in said[len(said) - len(final) :], "a verdict is taken back"
    if final and isinstance(final[0], ProxyHeader):
        assert said.index(final[0]) == final[0].length <= LONGEST, "it is longer than what it was read from"
        if final[0].client is not None and not isinstance(final[0].client, str):
            ip_address(final[0].client[0])


def check_forwarded(invented: str, chain: tuple[str, ...]) -> None:
    """Put something in front of what the proxies say, and something in their place."""
    said = _x(", ".join((invented, *chain)))
    assert said.client == CLIENT, f"X-Forwarded-For names {said.client!r}"
    with suppress(HttpError):  # quotes and what is malformed
        said = _forwarded(", ".join((invented, *(f"for={node}" for node in chain))))
        assert said.client == CLIENT, f"Forwarded names {said.client!r}"
    for read in (_x, _forwarded):
        with suppress(HttpError):
            said = read(invented)
            if said.client:
                ip_address(said.client)


def _x(line: str) -> Said:
    return read_x_forwarded({"HTTP_X_FORWARDED_FOR": line}, PROXY, TRUST)


def _forwarded(line: str) -> Said:
    return read_forwarded({"HTTP_FORWARDED": line}, PROXY, TRUST)
