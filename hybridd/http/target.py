"""The request-target's four forms (RFC 9112 3.2) and the Host field's syntax (RFC 9110 7.2, RFC 3986 3.2.2).

Stricter than the grammar where two servers in a chain could disagree: no percent-encoding in a host (is it decoded
before it is compared?), no port that TCP has not, no NUL in a path.  More lenient in one point: backslash, ``^``, the
backquote and ``{ | }``, which URIs do not have, are sent by browsers as they stand (WHATWG URL Standard) and are taken.

Knows:     grammar.
Runs in:   the leader thread; origin-form, which is nearly every request, does not come to parse_target.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import NamedTuple

_REG_NAME = r"[A-Za-z0-9._~!$&'()*+;=-]+"  # RFC 3986 without the comma: "a,b" is two Host fields joined by a proxy
_AUTHORITY = re.compile(rf"(?:{_REG_NAME}|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{{0,5}}))?", re.ASCII)
_ABSOLUTE = re.compile(r"(https?)://([^/?]*)([^?]*)(?:\?(.*))?", re.ASCII | re.IGNORECASE)
_MOST_PORT = 65_535
_USUAL_PORTS = {"http": ":80", "https": ":443"}

is_strange = re.compile(rb'["#<>]').search
"""Whether a target has a character that llhttp takes, and neither RFC 3986 nor a browser knows in a target."""
is_badly_encoded = re.compile(r"%(?![0-9A-Fa-f]{2})|%00").search
"""Whether a path has a percent sign that encodes nothing (RFC 3986 2.1), or encodes NUL, where C ends a string."""

_MOST_REMEMBERED = 1024
_LONGEST_REMEMBERED = 261  # the longest name of DNS and a port; else clients could fill 32 MiB with names
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
    if not _is_authority(text):
        return False
    if len(text) <= _LONGEST_REMEMBERED:
        if len(_good_hosts) >= _MOST_REMEMBERED:
            _good_hosts.clear()
        _good_hosts.add(text)
    return True


def _is_authority(text: str) -> bool:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return False
    address, port = match.groups()
    if address is not None:
        try:
            IPv6Address(address)
        except AddressValueError:
            return False
    return not port or 0 < int(port) <= _MOST_PORT


def is_same_host(host: str, authority: str, scheme: str) -> bool:
    """Tell whether a valid Host field says the same as the authority of a URI."""
    usual = _USUAL_PORTS[scheme]
    return _without_port(host, usual) == _without_port(authority, usual)


def _without_port(authority: str, usual: str) -> str:
    return authority.lower().removesuffix(usual).removesuffix(":")


def parse_target(method: str, target: str) -> Target:
    """Take a target apart that is not plainly a path.

    Raises:
        ValueError: it is in no form that ``method`` allows here; the sentence says which.
    """
    if "#" in target:
        raise ValueError("The request-target has a fragment (#), which is not for servers.")
    if is_strange(target.encode("latin-1")):
        raise ValueError("The request-target has a quotation mark or an angle bracket that is not percent-encoded.")
    if target == "*":
        if method != "OPTIONS":
            raise ValueError("The request-target * is for OPTIONS only.")
        return Target("*", "")
    parts = _parse_absolute(method, target)
    if is_badly_encoded(parts.path):
        raise ValueError("The path has a percent sign that encodes nothing, or NUL.")
    return parts


def _parse_absolute(method: str, target: str) -> Target:
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return Target(path, query)
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None:
        raise ValueError("The request-target is neither a path nor an http or https URI.")
    scheme, authority, path, query = absolute.groups()
    if not is_host(authority):
        raise ValueError("The request-target's authority is not host[:port].")
    # An empty path is "/", except that OPTIONS of the whole server is "*" (RFC 9112 3.2.4).
    whole_server = method == "OPTIONS" and not path and query is None
    return Target(path or ("*" if whole_server else "/"), query or "", scheme.lower(), authority)
