"""Addresses that hybridd listens on, as text and as a value.

Knows:     the grammar ``HOST:PORT``, ``[::]:PORT``, ``unix:/path``, ``fd:N``, ``systemd:NAME``.
Never:     binds, resolves names or touches the file system; ``socket`` is used for ``inet_pton`` only.
Runs in:   every process.
Raises:    AddressError (a ValueError) whose text is "expected …, got …", with what was probably meant.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from enum import StrEnum

EXPECTED = "an address such as 0.0.0.0:8080, [::]:8080, unix:/run/app.sock, fd:3 or systemd:NAME"

# sun_path is 108 bytes with its final NUL, unix(7).
LONGEST_UNIX_PATH = 107
LAST_PORT = 65535
# The first three descriptors are the standard streams.
FIRST_FD = 3
# systemd.socket(5), FileDescriptorName=: any ASCII character but control characters and ":", up to 255.
_SYSTEMD_NAME = re.compile(r"[!-9;-~]{1,255}")
# RFC 1123 labels; the underscore is no host name but container networks use it.
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,9}")


class AddressError(ValueError):
    """Text that is no address, in parts: what was expected, what was got, what was probably meant."""

    def __init__(self, text: str, expected: str = EXPECTED, suggestion: str = "") -> None:
        self.expected = expected
        self.suggestion = suggestion
        got = text if text and text.isprintable() and " " not in text else repr(text)
        hint = f"; did you mean {suggestion}" if suggestion else ""
        super().__init__(f"expected {expected}, got {got}{hint}")


class Kind(StrEnum):
    """How a listener comes into being."""

    TCP = "tcp"
    UNIX = "unix"
    FD = "fd"
    SYSTEMD = "systemd"


@dataclass(frozen=True, slots=True)
class Address:
    """One address; only the fields that belong to its kind are set.

    ``host`` is without brackets, ``port`` 0 lets the system choose, ``str()`` gives the canonical text.
    """

    kind: Kind
    host: str = ""
    port: int = 0
    path: str = ""
    fd: int = -1
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case Kind.UNIX:
                return f"unix:{self.path}"
            case Kind.FD:
                return f"fd:{self.fd}"
            case Kind.SYSTEMD:
                return f"systemd:{self.name}"
            case _:
                host = f"[{self.host}]" if ":" in self.host else self.host
                return f"{host}:{self.port}"

    @property
    def wildcard(self) -> bool:
        """Whether every interface of the machine answers."""
        return self.kind is Kind.TCP and self.host in ("0.0.0.0", "::")  # noqa: S104 - it is asked, not bound


def parse_address(text: str) -> Address:
    """Return the address that ``text`` names, or raise AddressError with what was expected."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "unix":
        return _unix(text, rest)
    if colon and scheme == "fd":
        return _descriptor(text, rest)
    if colon and scheme == "systemd":
        if not _SYSTEMD_NAME.fullmatch(rest):
            raise AddressError(text, "a name without blanks and colons after systemd:")
        return Address(Kind.SYSTEMD, name=rest)
    return _tcp(text)


def _unix(text: str, path: str) -> Address:
    if path.startswith("//"):
        raise AddressError(text, suggestion=f"unix:/{path.lstrip('/')}")
    if not path or "\0" in path or path.endswith("/"):
        raise AddressError(text, "unix: followed by the path of a socket")
    if len(path.encode(errors="surrogateescape")) > LONGEST_UNIX_PATH:
        raise AddressError(text, f"a socket path of at most {LONGEST_UNIX_PATH} bytes")
    return Address(Kind.UNIX, path=path)


def _descriptor(text: str, number: str) -> Address:
    if number.startswith("//") and _DECIMAL.fullmatch(number[2:]):
        raise AddressError(text, suggestion=f"fd:{number[2:]}")
    if not _DECIMAL.fullmatch(number) or int(number) < FIRST_FD:
        raise AddressError(text, f"fd: followed by an inherited descriptor, {FIRST_FD} or higher")
    return Address(Kind.FD, fd=int(number))


def _tcp(text: str) -> Address:
    host, _, port_text = text.rpartition(":")
    if not host:
        raise AddressError(text, suggestion=_suggested(text))
    if "//" in host:
        raise AddressError(text, suggestion=text.partition("//")[2].rstrip("/"))
    if not _DECIMAL.fullmatch(port_text) or int(port_text) > LAST_PORT:
        raise AddressError(text, f"a port from 0 to {LAST_PORT} after the last colon")
    return Address(Kind.TCP, host=_host(text, host, port_text), port=int(port_text))


def _suggested(text: str) -> str:
    """What somebody meant who wrote a port, ``:port``, a path or only a host; empty when unclear."""
    port = text.removeprefix(":")
    if _DECIMAL.fullmatch(port) and int(port) <= LAST_PORT:
        return f"0.0.0.0:{port}"
    if text.startswith("/"):
        return f"unix:{text}"
    return f"{text}:8080" if _is_ipv4(text) or text == "localhost" else ""


def _host(text: str, host: str, port: str) -> str:
    if host == "*":
        raise AddressError(text, suggestion=f"0.0.0.0:{port}")
    if host.startswith("[") and host.endswith("]"):
        if not _is_ipv6(host[1:-1]):
            raise AddressError(text, "an IPv6 address between the brackets")
        return host[1:-1]
    if _is_ipv6(host):
        raise AddressError(text, "an IPv6 address in brackets", f"[{host}]:{port}")
    if re.fullmatch(r"[0-9.]+", host):
        if not _is_ipv4(host):
            raise AddressError(text, "an IPv4 address of four numbers from 0 to 255")
        return host
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):  # noqa: PLR2004 - RFC 1035, section 2.3.4
        raise AddressError(text)
    return host


def _is_ipv4(host: str) -> bool:
    return _parses(socket.AF_INET, host)


def _is_ipv6(host: str) -> bool:
    address, percent, scope = host.partition("%")
    return _parses(socket.AF_INET6, address) and bool(scope) == bool(percent)


def _parses(family: int, host: str) -> bool:
    try:
        socket.inet_pton(family, host)
    except (OSError, ValueError):
        return False
    return True
