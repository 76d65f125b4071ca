"""A YAML text as a tree of nodes, each with its place, and everything in it that hybridd does not take.

Only the plain part of YAML is taken: mappings, lists, scalars.  Anchors, aliases, merge keys and tags are refused; a
configuration of two levels has no use for them, and without them nothing can expand.  Values stay text: what YAML 1.1
would make of ``22:30`` or ``no`` is noted, not done.

Knows:     PyYAML's events (its parser; nothing is ever constructed).
Never:     settings, files, the environment.
Runs in:   wherever a configuration is loaded; pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from hybridd.config.kind import Raw, Reading
from hybridd.config.problem import Mark

# Settings are two deep, lists three.
DEEPEST = 8

_READINGS = {
    "tag:yaml.org,2002:null": Reading.NOTHING,
    "tag:yaml.org,2002:int": Reading.INTEGER,
    "tag:yaml.org,2002:float": Reading.FLOAT,
    "tag:yaml.org,2002:bool": Reading.BOOLEAN,
    "tag:yaml.org,2002:timestamp": Reading.DATE,
}

# What PyYAML says -> what a person who wrote a configuration wants to read.
_EXPLANATIONS = (
    ("found character '\\t'", "a tab; YAML takes only spaces here"),
    ("found character '%'", "a text cannot begin with %; put it in quotes"),
    ("found character '@'", "a text cannot begin with @; put it in quotes"),
    ("found character '`'", "a text cannot begin with a backquote; put it in quotes"),
    ("mapping values are not allowed", 'a ":" where none can be; wrong indentation, or a text that needs quotes'),
    ("sequence entries are not allowed", 'a list item ("- ") where none can be; it begins on a line of its own'),
    ("expected '<document start>'", 'wrong indentation, or a line that is no "key: value"'),
    ("could not find expected ':'", 'a line that is no "key: value"'),
    ("found unknown escape character", "a backslash that means nothing in double quotes; use single quotes"),
    ("while scanning a quoted scalar", "a quote that is never closed"),
    ("expected <block end>, but found", "wrong indentation, or a text that needs quotes"),
    ("expected ',' or ']'", "a [ that is not closed, or a text that needs quotes"),
    ("expected ',' or '}'", "a { that is not closed, or a text that needs quotes"),
    ("expected the node content, but found '<stream end>'", "a [ or { that is not closed"),
    ("expected the node content", "a text that needs quotes"),
    ("expected alphabetic or numeric character", "a text that begins with * or &; put it in quotes"),
)
# Told where it begins, not where the text ends.
_UNCLOSED = ("while scanning a quoted scalar", "while parsing a flow")
# Noticed in the line after the wrong one.
_NOTICED_LATE = ("mapping values are not allowed", "expected '<document start>'")
_NO_BLANK = re.compile(r"\s*[\w-]+(:)\S")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with the text itself."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value."""

    mark: Mark
    raw: Raw


@dataclass(frozen=True, slots=True)
class List:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``key: value``; the mark is the key's."""

    mark: Mark
    key: str
    value: Node


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, in the order of the text."""

    mark: Mark
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Unusable:
    """A value whose fault has been told."""

    mark: Mark


Node = Scalar | List | Mapping | Unusable


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text; ``root`` is None when it is empty or cannot be parsed."""

    root: Node | None
    faults: tuple[Fault, ...]


def parse(text: str) -> Document:
    """Parse ``text``; never raises."""
    faults: list[Fault] = []
    try:
        loader = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        return Document(None, (_unprintable(text, error),))
    try:
        root = _Builder(loader, faults).document()
    except ValueError:  # PyYAML hands "\U00110000" to chr()
        mark = _mark(loader.get_mark())
        return Document(None, (*faults, Fault(mark, "not valid YAML: an escape of no character")))
    except yaml.MarkedYAMLError as error:
        return Document(None, (*faults, _syntax(text, error)))
    return Document(root, tuple(faults))


class _Builder:
    """Builds our nodes from PyYAML's events; what hybridd does not take is noted and left out."""

    def __init__(self, loader: Any, faults: list[Fault]) -> None:
        self._event: Callable[[], Any] = loader.get_event
        self._resolve: Callable[..., str] = loader.resolve
        self._faults = faults

    def document(self) -> Node | None:
        self._event()  # the start of the stream
        if isinstance(self._event(), yaml.StreamEndEvent):
            return None
        root = self._node(self._event(), 0)
        self._event()  # the end of the document
        event = self._event()
        if not isinstance(event, yaml.StreamEndEvent):
            self._fault(event, 'a second document ("---"); a configuration is one')
        return root

    def _fault(self, event: Any, text: str) -> None:
        self._faults.append(Fault(_mark(event.start_mark), text))

    def _node(self, event: Any, depth: int) -> Node:
        if depth > DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deep", problem_mark=event.start_mark)
        mark = _mark(event.start_mark)
        usable = self._is_plain(event)
        node: Node
        match event:
            case yaml.ScalarEvent():
                node = Scalar(mark, self._raw(event))
            case yaml.SequenceStartEvent():
                node = List(mark, tuple(self._items(depth)))
            case yaml.MappingStartEvent():
                node = Mapping(mark, tuple(self._entries(depth)))
            case _:
                node = Unusable(mark)
        return node if usable else Unusable(mark)

    def _is_plain(self, event: Any) -> bool:
        """Tell whether there is no alias and no tag, and note them and anchors."""
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, f"an alias (*{event.anchor}) is not taken; write the value out")
            return False
        if event.anchor is not None:
            self._fault(event, f"an anchor (&{event.anchor}) is not taken; write the value out where it is needed")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._fault(event, f"a tag ({tag}) is not taken; write the value without")
        return event.tag is None

    def _raw(self, event: Any) -> Raw:
        if event.style is not None:
            return Raw(event.value, Reading.STRING, quoted=True)
        tag = self._resolve(yaml.ScalarNode, event.value, (True, False))
        return Raw(event.value, _READINGS.get(tag, Reading.STRING))

    def _items(self, depth: int) -> Iterator[Node]:
        while not isinstance(event := self._event(), yaml.SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> Iterator[Entry]:
        lines: dict[str, int] = {}
        while not isinstance(event := self._event(), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(self._event(), depth + 1)
            if isinstance(key, Unusable):
                continue
            if not isinstance(key, Scalar):
                self._fault(event, "expected a name before the colon, got a list or a mapping")
            elif key.raw.text == "<<" and not key.raw.quoted:
                self._fault(event, "a merge key (<<) is not taken; write the values out")
            elif key.raw.text in lines:
                self._fault(event, f"{key.raw.text}: given twice, first in line {lines[key.raw.text]}")
            else:
                lines[key.raw.text] = key.mark.line
                yield Entry(key.mark, key.raw.text, value)


def _mark(mark: yaml.Mark) -> Mark:
    return Mark(mark.line + 1, mark.column + 1)


def _unprintable(text: str, error: yaml.reader.ReaderError) -> Fault:
    before = text[: error.position]
    mark = Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))
    return Fault(mark, f"a control character (U+{ord(text[error.position]):04X})")


def _syntax(text: str, error: yaml.MarkedYAMLError) -> Fault:
    said = f"{error.context or ''} {error.problem or ''}".strip()
    opened = error.context_mark if said.startswith(_UNCLOSED) else None
    found = opened or error.problem_mark
    mark = _mark(found) if found else Mark(1, 1)
    explanation = next((ours for theirs, ours in _EXPLANATIONS if theirs in said), said)
    lines = text.splitlines()
    if any(words in said for words in _NOTICED_LATE) and mark.line > 1:
        mark, explanation = _line_before(lines, mark, explanation)
    if mark.line <= len(lines) and "[::" in lines[mark.line - 1] and "quotes" in explanation:
        explanation = 'a text that begins with [ needs quotes: "[::]:8080"'
    return Fault(mark, f"not valid YAML: {explanation}")


def _line_before(lines: list[str], mark: Mark, explanation: str) -> tuple[Mark, str]:
    """Find a line that YAML joined with the one where it noticed: ``workers:2`` is no key, but the begin of a text."""
    above = next(
        (n for n in range(mark.line - 1, 0, -1) if lines[n - 1].strip() and not lines[n - 1].lstrip().startswith("#")),
        0,
    )
    line = lines[above - 1] if above else ":"
    if missing := _NO_BLANK.match(line):
        return Mark(above, missing.start(1) + 1), "a colon needs a blank after it"
    if ":" not in line and not line.lstrip().startswith("-"):
        return Mark(above, len(line) - len(line.lstrip()) + 1), 'a line that is no "key: value"'
    return mark, explanation
