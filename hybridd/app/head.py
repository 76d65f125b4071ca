"""Turn what an application gives to ``start_response`` into a response head, or say what is wrong with it.

Knows:     PEP 3333's rules for status and headers; the wire's rules (CR, LF, NUL, latin-1, tokens) are check_head's.
Never:     sends anything; a problem is raised in the application, at its call of ``start_response``.
Runs in:   the thread that runs the application.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable
from http import HTTPStatus
from typing import Any

from hybridd.http.memory import Memory
from hybridd.http.response import ResponseHead, check_head

LOGGER = logging.getLogger("hybridd.app")

# PEP 3333 forbids applications these fields of one connection (RFC 9110 7.6.1).  Connection itself is check_head's:
# it honours "close" and leaves out the rest.
HOP_BY_HOP = frozenset(
    {"keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "trailers", "transfer-encoding", "upgrade"}
)
STATUS_CODE = re.compile(r"[2-9][0-9][0-9]")  # informational ones are the server's own business
LONGEST_REMEMBERED = 1024  # bytes of a head
REMEMBERED = 1024  # entries of each memory below; an application that invents names must not make them grow

# An application uses the same few status texts and header names again and again: each is looked at once.
_heads: Memory[Hashable, ResponseHead] = Memory(256)
_statuses: dict[str, tuple[int, str]] = {}
_end_to_end: set[str] = set()
_left_out: set[str] = set()  # names that were warned of; at most as many as HOP_BY_HOP has


def make_head(status: Any, headers: Any) -> ResponseHead:
    """Return the checked head of ``start_response(status, headers)``.

    Raises:
        TypeError: something is not of the type that PEP 3333 asks for.
        ValueError: a status or header that cannot be sent; the sentence names it.
    """
    try:
        # The same application answers with the same few heads: checked and encoded once, 0.3 µs instead of 1.9.
        key: tuple[Any, ...] = status, tuple(headers)
        known = _heads.young.get(key) or _heads.revive(key)
    except TypeError:  # not hashable, or not even a list: said below
        key, known = (), None
    if known is not None and type(headers) is list:
        return known
    try:
        seen = _statuses.get(status)
    except TypeError:  # not hashable
        seen = None
    code, reason = seen or _read_status(status)
    if type(headers) is not list:
        raise TypeError(f"the response headers must be a list of (name, value) tuples, not {_type(headers)}")
    usual = True
    try:
        for name, value in headers:
            if name not in _end_to_end or type(value) is not str:
                usual = False
                break
    except (TypeError, ValueError):  # something in the list is not a pair, or a name not even hashable
        usual = False
    if not usual:  # read here, so that no exception of ours stands before the one that the application gets
        headers = _read_headers(headers)
    head = ResponseHead(code, reason, headers)
    check_head(head)
    if key and head.encoded is not None and len(head.encoded) <= LONGEST_REMEMBERED:
        _heads.learn(key, head)
    return head


def with_length(head: ResponseHead, length: int) -> ResponseHead:
    """Return a head like ``head``, which has no Content-Length, that announces ``length`` bytes."""
    made = ResponseHead(head.status, head.reason, [*head.headers, ("Content-Length", str(length))])
    check_head(made)
    return made


def _read_status(status: Any) -> tuple[int, str]:
    """Take ``200 OK`` apart; a bare ``200`` gets its usual reason phrase."""
    if not isinstance(status, str):
        raise TypeError(f"the status must be a str like '200 OK', not {_type(status)}")
    code, space, reason = status.partition(" ")
    if not STATUS_CODE.fullmatch(code):
        raise ValueError(f"the status must be like '200 OK' (three digits from 200, space, reason), not {status!r}")
    if not space:
        reason = HTTPStatus(int(code)).phrase if int(code) in HTTPStatus.__members__.values() else ""
    if len(_statuses) < REMEMBERED:
        _statuses[str(status)] = (int(code), reason)
    return int(code), reason


def _read_headers(headers: list[Any]) -> list[tuple[str, str]]:
    """Check the types of all headers, and leave out those of the connection."""
    kept: list[tuple[str, str]] = []
    for item in headers:
        if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - a pair
            raise TypeError(f"each response header must be a (name, value) tuple, not {item!r}")
        name, value = item
        if not isinstance(name, str):
            raise TypeError(f"the name of a response header must be a str, not {_type(name)}: {name!r}")
        if not isinstance(value, str):
            raise TypeError(f"the value of response header {name!r} must be a str, not {_type(value)}: {value!r}")
        if name.lower() in HOP_BY_HOP:
            _leave_out(name.lower())
            continue
        if len(_end_to_end) < REMEMBERED:
            _end_to_end.add(str(name))
        kept.append((name, value))
    return kept


def _leave_out(name: str) -> None:
    """Say once that the header is ignored."""
    if name not in _left_out:
        _left_out.add(name)
        LOGGER.warning("the response header %s belongs to the connection, not to the application: left out", name)


def _type(value: Any) -> str:
    return type(value).__name__
