"""The Connection field (RFC 9110 7.6.1): whether the client goes on, and what it may not call hop-by-hop.

llhttp reads it too, but takes Proxy-Connection for it (RFC 9112 C.2.2), and in HTTP/1.0 lets keep-alive win over close.

Knows:     one field's grammar.
Runs in:   the leader thread, for heads that are not known.
"""

from __future__ import annotations

import re

from hybridd.http.memory import Memory

_OPTION = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_MOST_REMEMBERED = 128  # twice so many at most
_LONGEST_REMEMBERED = 256

# A proxy in front that obeyed would send us another message than it had read: one with another end or another host.
_NEVER_HOP_BY_HOP = frozenset({"content-length", "host", "transfer-encoding"})

Options = frozenset[str]
_seen: Memory[str, Options] = Memory(_MOST_REMEMBERED)


def connection_options(field: str) -> Options:
    """Give the options of a Connection field, in lower case.

    Raises:
        ValueError: it is no list of tokens, or names a field that says where the message ends or whom it is for.
    """
    known = _seen.young.get(field) or _seen.revive(field)
    if known is not None:
        return known
    options = frozenset(word for word in (part.strip(" \t").lower() for part in field.split(",")) if word)
    if not all(map(_OPTION.fullmatch, options)):
        raise ValueError("The Connection header is not a list of options.")
    if not options.isdisjoint(_NEVER_HOP_BY_HOP):
        raise ValueError("The Connection header names a field that is not for one connection only.")
    if len(field) <= _LONGEST_REMEMBERED:
        _seen.learn(field, options)
    return options


def keeps_alive(options: Options, version: tuple[int, int]) -> bool:
    """Tell whether the client may send another request (RFC 9112 9.3)."""
    return "close" not in options and (version[1] > 0 or "keep-alive" in options)
