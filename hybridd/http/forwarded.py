"""What proxies say of a request in X-Forwarded-* or Forwarded (RFC 7239), and how much of it is believed.

Each proxy adds at the right whom it has the request from.  So it is read from the right, as long as whoever said it is
trusted; the first who is not is the client, and whatever stands left of it may be of its own invention.  It is cut off,
like every such field that is not asked for: an application sees only what is established.

What does not decide is not read.  Where it decides, ``unknown`` and obfuscated names (section 6) make an empty address,
which nobody takes for one inside; what is no node at all is refused: somebody could hide behind it.

Knows:     the fields by their CGI names, whom to trust.
Never:     connections.
Runs in:   the leader thread; pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hybridd.config.trust import plain_address
from hybridd.errors import HttpError
from hybridd.http.memory import Memory
from hybridd.http.outcome import Rejection

FOR, PROTO, HOST, PORT, PREFIX = "for", "proto", "host", "port", "prefix"
_X: Final = "HTTP_X_FORWARDED_"
_LAST_PORT = 65535

_PORT_OF_NODE = r"(?::([0-9]{1,5}|_[A-Za-z0-9._-]+))?"
_NODE = re.compile(
    rf"(?:\[([0-9A-Fa-f.]*:[0-9A-Fa-f:.]+)\]|([0-9.]+)){_PORT_OF_NODE}"
    r"|([0-9A-Fa-f:.]+)"  # IPv6 without brackets, which has no port
    rf"|(?:unknown|_[A-Za-z0-9._-]+){_PORT_OF_NODE}",
    re.IGNORECASE,
)

# A pair and what ends it.  Values with a colon or brackets need quotes (section 4), and are sent without.
_PAIR = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([^\s\",;]+)|\"((?:[^\"\\]|\\.)*)\")[ \t]*(?:([;,])|\Z)", re.DOTALL
)
_NO_ELEMENT = re.compile(r"[ \t]*(?:,|\Z)")


class Said(NamedTuple):
    """What is believed; a field that nobody spoke of is empty.

    Attributes:
        client, port: the client's address, "" when it is not known, and 0 or its port.
        scheme: ``http`` or ``https``.
        host, server_port, prefix: as asked for by the client; not checked yet.
        line: what is left of X-Forwarded-For or Forwarded.
    """

    client: str
    port: int = 0
    scheme: str = ""
    host: str = ""
    server_port: str = ""
    prefix: str = ""
    line: str = ""


class Node(NamedTuple):
    """Who is named; ``hidden``: somebody who is not to be known."""

    address: str
    port: int = 0
    hidden: bool = False


_HIDDEN_NODE = Node("", hidden=True)
_nodes: Memory[str, Node] = Memory(512)  # clients come again; what is in their headers is parsed once
_LONGEST_REMEMBERED = 64  # characters


def read_node(text: str) -> Node | None:
    """Read ``1.2.3.4``, ``[2001:db8::1]:80`` or ``2001:db8::1``, ``unknown``, ``_name`` or nginx's ``unix:``.

    None: it is none of these.
    """
    return _nodes.young.get(text) or _nodes.revive(text) or _learn_node(text)


def _learn_node(text: str) -> Node | None:
    node = _parse_node(text)
    if node is not None and len(text) <= _LONGEST_REMEMBERED:
        _nodes.learn(text, node)
    return node


def _parse_node(text: str) -> Node | None:
    if text == "unix:":
        return Node("")
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    bracketed, plain, port, bare, _ = match.groups()
    written = bracketed or plain or bare
    if written is None:
        return _HIDDEN_NODE
    address = plain_address(written)
    number = int(port) if port and port.isdecimal() else 0
    return None if address is None or number > _LAST_PORT else Node(str(address), number)


def read_x_forwarded(given: Mapping[str, str], proxy: str, trusts: Callable[[str], bool]) -> Said:
    """Say what X-Forwarded-* of a trusted ``proxy`` ("" on a unix socket) tells.

    Raises:
        HttpError: 400.
    """
    line = rest = given.get(_X + "FOR", "")
    node, hops = Node(proxy), 0
    while rest and not node.hidden and trusts(node.address):
        rest, _, last = rest.rpartition(",")
        last = last.strip(" \t")
        if last:  # an empty element counts for nothing (RFC 9110 5.6.1.2)
            node = _decisive("X-Forwarded-For", last)
            hops += 1

    def at_client(name: str) -> str:
        """Take the element at the client's place; proxies that overwrite the field leave only one."""
        text = given.get(_X + name)
        return text.rsplit(",", max(hops, 1))[-max(hops, 1) :][0].strip(" \t") if text else ""

    return Said(
        *(node.address, node.port, at_client("PROTO"), at_client("HOST"), at_client("PORT"), at_client("PREFIX")),
        line=line[len(rest) :].lstrip(", \t"),
    )


def _decisive(name: str, text: str) -> Node:
    node = read_node(text)
    if node is None:
        raise _refused(f"{name} has something else where an address should stand.")
    return node


def _refused(sentence: str) -> HttpError:
    return HttpError(400, Rejection.BAD_REQUEST, sentence)


@dataclass(slots=True)
class _Element:
    """One element of Forwarded; ``start`` is where it stands."""

    start: int
    pairs: dict[str, str] = field(default_factory=dict)


def read_forwarded(given: Mapping[str, str], proxy: str, trusts: Callable[[str], bool]) -> Said:
    """Say what Forwarded of a trusted ``proxy`` tells.

    Raises:
        HttpError: 400; a line that is malformed anywhere, for quotes may swallow what a proxy has added.
    """
    line = given.get("HTTP_FORWARDED", "")
    node, said = Node(proxy), _Element(len(line))
    for element in reversed(_elements(line)):
        if node.hidden or not trusts(node.address):
            break
        said = element
        node = _decisive("Forwarded", element.pairs[FOR]) if FOR in element.pairs else _HIDDEN_NODE
    pairs = said.pairs
    return Said(
        *(node.address, node.port, pairs.get(PROTO, ""), pairs.get(HOST, "")), line=line[said.start :].strip(" \t")
    )


def _elements(line: str) -> list[_Element]:
    elements: list[_Element] = []
    element, position = _Element(0), 0
    while position < len(line):
        if not element.pairs and (empty := _NO_ELEMENT.match(line, position)):
            position = element.start = empty.end()
            continue
        match = _PAIR.match(line, position)
        if match is None:
            raise _refused("The Forwarded header is malformed.")
        name, token, quoted, end = match.groups()
        if name.lower() in element.pairs:
            raise _refused("The Forwarded header says something twice in one element.")
        element.pairs[name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
        position = match.end()
        if end != ";":
            elements.append(element)
            element = _Element(position)
    if element.pairs:
        raise _refused("The Forwarded header is malformed.")
    return elements
