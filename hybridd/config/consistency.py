"""Settings that are right one by one and wrong together.

Knows:     the settings.
Never:     the machine; what is only unwise is said by advice.py.
Runs in:   wherever a configuration is loaded; pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from hybridd.config import tls
from hybridd.config.address import Address, Kind
from hybridd.config.settings import SCHEMA, Config
from hybridd.config.trust import Trust

Contradiction = tuple[tuple[str, ...], str]


def contradictions(config: Config) -> Iterator[Contradiction]:
    """Yield the keys concerned, the one to blame first, and the sentence."""
    if config.protocol and config.application:
        yield ("protocol", "application"), "expected either application or protocol, got both"
    if config.factory and not config.application and not config.protocol:
        yield ("factory", "application", "protocol"), "expected an application that the factory makes, got none"
    yield from _clashes(config)
    if not Trust(config.trusted_proxies) and any(one.words.proxy_protocol for one in config.listen):
        text = "expected the proxies that listen with proxy_protocol is for, got none: every connection would be cut"
        yield ("trusted_proxies", "listen"), text
    yield from tls.contradictions(config.listen, config.tls)
    if config.limits.response_spool < config.limits.response_memory:
        keys = ("limits.response_spool", "limits.response_memory")
        memory = _text(config, "limits.response_memory")
        spool = _text(config, "limits.response_spool")
        yield keys, f"expected at least limits.response_memory ({memory}), got {spool}"


def _text(config: Config, key: str) -> str:
    return SCHEMA.settings[key].kind.text(SCHEMA.get(config, key))


def _clashes(config: Config) -> Iterator[Contradiction]:
    addresses = [one.address for one in config.listen]
    for one, other in combinations(addresses, 2):
        if _clash(one, other):
            text = f"expected different addresses, got {one} twice" if one == other else _cover(one, other)
            yield ("listen",), text
    for one in addresses:
        if config.admin and _clash(one, config.admin):
            yield ("admin", "listen"), f"expected an address of its own, got {config.admin} while listen has {one}"


def _cover(one: Address, other: Address) -> str:
    return f"expected different addresses, got {one} and {other}, of which one covers the other"


def _clash(one: Address, other: Address) -> bool:
    """Tell whether the second could not be bound after the first."""
    if one.kind is not Kind.TCP or other.kind is not Kind.TCP:
        return one == other
    if one.port != other.port or one.port == 0:
        return False
    same_family = (":" in one.host) == (":" in other.host)
    return one.host == other.host or (same_family and (one.wildcard or other.wildcard))
