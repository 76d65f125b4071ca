"""The request-target's four forms (RFC 9112 3.2) and the Host field's syntax (RFC 9110 7.2, RFC 3986 3.2.2).

Knows:     grammar.
Runs in:   the leader thread; origin-form, which is nearly every request, does not come here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_REG_NAME = r"[A-Za-z0-9._~!$&'()*+;=%-]+"  # RFC 3986 without the comma: "a,b" is two Host fields joined by a proxy
_ADDRESS = r"\[[0-9A-Fa-f:.]+\]"
_AUTHORITY = re.compile(rf"(?:{_REG_NAME}|{_ADDRESS})(?::[0-9]{{0,5}})?", re.ASCII)
_ABSOLUTE = re.compile(r"(https?)://([^/?]*)([^?]*)(?:\?(.*))?", re.ASCII | re.IGNORECASE)

_MOST_REMEMBERED = 1024
_good_hosts: set[str] = set()


class Target(NamedTuple):
    """A request-target, taken apart."""

    path: str
    query: str
    scheme: str = ""
    authority: str = ""


def is_host(text: str) -> bool:
    """Tell whether ``text`` is ``host[:port]``; an empty host, or user information before it, is not."""
    if text in _good_hosts:
        return True
    if not _AUTHORITY.fullmatch(text):
        return False
    if len(_good_hosts) >= _MOST_REMEMBERED:
        _good_hosts.clear()
    _good_hosts.add(text)
    return True


def parse_target(method: str, target: str) -> Target:
    """Take a target apart that is not plainly a path.

    Raises:
        ValueError: it is in no form that ``method`` allows here; the sentence says which.
    """
    if "#" in target:
        raise ValueError("The request-target has a fragment (#), which is not for servers.")
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return Target(path, query)
    if target == "*":
        if method != "OPTIONS":
            raise ValueError("The request-target * is for OPTIONS only.")
        return Target("*", "")
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise ValueError("The request-target is neither a path nor an http or https URI.")
    scheme, authority, path, query = absolute.groups(default="")
    if not is_host(authority):
        raise ValueError("The request-target's authority is not host[:port].")
    # An empty path is "/", except that OPTIONS of the whole server is "*" (RFC 9112 3.2.4).
    whole_server = method == "OPTIONS" and not path and not query
    return Target(path or ("*" if whole_server else "/"), query, scheme.lower(), authority)
