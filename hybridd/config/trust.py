"""Whom to believe what they say of others: the proxies in front of us, as text, as setting and as a question.

Knows:     addresses and networks; ``unix`` is everybody who reaches a unix socket, ``none`` is nobody.
Never:     names (who resolves them decides whom to trust), sockets.
Runs in:   every process; pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from hybridd.config.kind import NEGATIONS, Kind, Raw, Refused

EXPECTED: Final = "an address or network such as 10.0.0.7, 10.0.0.0/8 or fd00::/8, unix or none"
NOBODY: Final = "none"
UNIX: Final = "unix"
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291 2.5.5.2: how a socket for both families shows an IPv4 client
_MOST_REMEMBERED = 1024
_MEANT = {"*": "0.0.0.0/0", "all": "0.0.0.0/0", "any": "0.0.0.0/0", "localhost": "127.0.0.1", "loopback": "127.0.0.0/8"}

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def proxy() -> Kind:
    """Return the kind of somebody to trust; the value is its canonical text."""

    def read(raw: Raw) -> str:
        text = raw.text
        if text in {NOBODY, UNIX}:
            return text
        if text.lower() in NEGATIONS:
            raise Refused(EXPECTED, raw, NOBODY)
        if text.startswith("unix:"):
            raise Refused(EXPECTED, raw, UNIX)
        try:
            network = ip_network(text)
        except ValueError:
            raise Refused(EXPECTED, raw, _meant(text)) from None
        if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
            raise Refused(EXPECTED, raw, _spell(_unmapped(network)))
        return _spell(network)

    return Kind("PROXY|none", EXPECTED, read, str, {"type": "string", "minLength": 2})


def _meant(text: str) -> str:
    try:
        return _spell(ip_network(text.strip("[]"), strict=False))
    except ValueError:
        return _MEANT.get(text.lower(), "")


def _spell(network: Network) -> str:
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def _unmapped(network: IPv6Network) -> IPv4Network:
    return IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))


def plain_address(text: str) -> Address | None:
    """Read an address, IPv4 in its IPv6 form as what it is; None: it is none."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


class Trust:
    """``trust(address)``: whether the setting has it; "" is a unix socket's.  What was asked is remembered."""

    __slots__ = ("_known", "_networks", "_unix")

    def __init__(self, proxies: Iterable[str]) -> None:
        self._networks = [ip_network(one) for one in proxies if one not in {NOBODY, UNIX}]
        self._unix = UNIX in proxies
        self._known: dict[str, bool] = {"": self._unix}

    def __bool__(self) -> bool:
        """Whether anybody is trusted."""
        return self._unix or bool(self._networks)

    def __call__(self, address: str) -> bool:
        """Whether who has this address is trusted."""
        known = self._known.get(address)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known = {"": self._unix}
            known = self._known[address] = self._look(address)
        return known

    def _look(self, text: str) -> bool:
        address = plain_address(text.partition("%")[0])  # the scope says where it is, not who
        return address is not None and any(address in network for network in self._networks)
