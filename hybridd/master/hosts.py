"""Which names of a Host header the admin endpoint answers to: what keeps web pages of strangers away from it.

A page from evil.example, open in a browser on this network, may not read what another server says (the same-origin
policy of browsers), unless its owner lets the name evil.example lead here for a moment: DNS rebinding.  Then the
browser says that name in Host.  An address cannot be rebound, nor a name without a dot (nobody can own localhost, or
the name of a service in a container network); other names are the operator's to list.

Knows:     names and addresses as RFC 9110 7.2 writes them.
Never:     resolves a name.
Runs in:   the master, its only thread; pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address

from hybridd.config.settings import Config

ANY = "*"


def is_ours(host: str, listed: Iterable[str]) -> bool:
    """Tell whether a request with this Host (empty: none, which no browser sends) is to be answered.

    ``listed`` are names, ``.example.org`` for all names below that one, or ``*``.
    """
    name = host.lower() if host.startswith("[") else host.partition(":")[0].lower().removesuffix(".")
    if "." not in name or name.startswith("[") or _is_address(name):
        return True
    return any(
        entry == ANY or (name.endswith(entry) if entry.startswith(".") else name == entry)
        for entry in map(str.lower, listed)
    )


def names(config: Config) -> tuple[str, ...]:
    """Return the names that a configuration lists."""
    return (*config.admin_hosts, config.admin.host) if config.admin else config.admin_hosts


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except ValueError:
        return False
    return True
