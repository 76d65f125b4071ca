"""The settings of one YAML file.

Knows:     documents, declarations, ``${…}``, and that a secret may stand in a file of its own (``KEY_file``).
Never:     the environment of the process, other files than those the document names for secrets.
Runs in:   wherever a configuration is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hybridd.config.declaration import Schema, Setting
from hybridd.config.document import Document, Entry, List, Node, Scalar, Unusable
from hybridd.config.document import Mapping as MappingNode
from hybridd.config.expansion import ExpansionError, expand
from hybridd.config.files import UnreadableError
from hybridd.config.kind import Raw, Reading, shown
from hybridd.config.layer import Layer, Piece, ReadSecret
from hybridd.config.problem import Mark, Origin, Source
from hybridd.config.suggestion import suggest_setting, suggest_word

FROM_FILE = "_file"


class FileLayer:
    """Reads one document into a layer; ``name`` is the file as the operator wrote it."""

    def __init__(
        self,
        schema: Schema[Any],
        name: str,
        environment: Mapping[str, str],
        read_secret: ReadSecret,
    ) -> None:
        self.layer = Layer()
        self._schema = schema
        self._name = name
        self._environment = environment
        self._read_secret = read_secret

    def read(self, document: Document) -> Layer:
        """Return the layer, its problems in the order of the file."""
        for fault in document.faults:
            self.layer.problem(self._origin(fault.mark), fault.text, blinding=document.root is None)
        root = document.root
        if isinstance(root, MappingNode):
            for entry in root.entries:
                self._top(entry)
        elif root is not None and not isinstance(root, Unusable) and not _is_empty(root):
            got = _described(root)
            self.layer.problem(self._origin(root.mark), f'expected settings such as "workers: 2", got {got}')
        self.layer.problems.sort(key=lambda problem: problem.origin.mark or Mark(0, 0))
        return self.layer

    def _origin(self, mark: Mark) -> Origin:
        return Origin(Source.FILE, self._name, mark)

    def _top(self, entry: Entry) -> None:
        if entry.key in self._schema.section_names:
            self._section(entry)
        else:
            self._setting(entry, entry.key, "")

    def _section(self, entry: Entry) -> None:
        value = entry.value
        if isinstance(value, MappingNode):
            for inner in value.entries:
                self._setting(inner, f"{entry.key}.{inner.key}", entry.key)
        elif not isinstance(value, Unusable) and not _is_empty(value):
            first = next(key for key in self._schema.settings if key.startswith(f"{entry.key}."))
            setting = self._schema.settings[first]
            example = f"{setting.name}: {setting.kind.text(setting.default)}"
            got = _described(value)
            self.layer.problem(self._origin(value.mark), f'expected settings such as "{example}", got {got}', entry.key)

    def _setting(self, entry: Entry, key: str, section: str) -> None:
        dotted = "." in entry.key  # a second way to write the same, unseen by the check for doubles
        setting = None if dotted else self._schema.settings.get(key)
        if setting:
            self._value(setting, entry)
            return
        secret = None if dotted else self._schema.settings.get(key.removesuffix(FROM_FILE))
        if secret and secret.declaration.secret and isinstance(entry.value, Scalar):
            self._secret(secret, entry, entry.value)
            return
        self.layer.problem(self._origin(entry.mark), f"unknown setting{self._meant(entry, section)}", key)

    def _meant(self, entry: Entry, section: str) -> str:
        if isinstance(entry.value, MappingNode) and not section:
            word = suggest_word(entry.key, self._schema.section_names)
            return f"; did you mean {word}" if word else ""
        setting = suggest_setting(self._schema, f"{section}.{entry.key}" if section else entry.key)
        if not setting:
            return ""
        if setting.key == entry.key:  # written with its dot at the top level
            return f"; write {setting.name} below {setting.section}:"
        return f"; did you mean {setting.key}"

    def _value(self, setting: Setting, entry: Entry) -> None:
        node, kind = entry.value, setting.kind
        origin = self._origin(node.mark)
        if isinstance(node, List) and kind.item:
            if not node.items:
                self.layer.problem(origin, f"expected {kind.expected}, got an empty list", setting.key)
                return
            nodes = node.items
        else:
            nodes = (node,)
        pieces = list(self._pieces(setting, nodes))
        self._set(setting, pieces, self._origin(entry.mark), complete=len(pieces) == len(nodes))

    def _pieces(self, setting: Setting, nodes: tuple[Node, ...]) -> Iterator[Piece]:
        for node in nodes:
            origin = self._origin(node.mark)
            match node:
                case Unusable():
                    pass
                case Scalar():
                    try:
                        yield Piece(self._expanded(node.raw), origin)
                    except ExpansionError as error:
                        self.layer.problem(origin, str(error), setting.key)
                case _:
                    text = f"expected {setting.kind.expected}, got {_described(node)}"
                    self.layer.problem(origin, text, setting.key)

    def _expanded(self, raw: Raw) -> Raw:
        text = expand(raw.text, self._environment)
        return raw if text == raw.text else Raw(text)

    def _secret(self, setting: Setting, entry: Entry, node: Scalar) -> None:
        origin = self._origin(entry.mark)
        try:
            path = self._expanded(node.raw).text
            text = self._read_secret(path)
        except ExpansionError as error:
            self.layer.problem(origin, str(error), setting.key)
        except UnreadableError as error:
            self.layer.problem(origin, f"{node.raw}: {error}", f"{setting.key}{FROM_FILE}")
        else:
            self._set(setting, [Piece(Raw(text.removesuffix("\n")), origin)], origin)

    def _set(self, setting: Setting, pieces: list[Piece], origin: Origin, *, complete: bool = True) -> None:
        if setting.key in self.layer.origins:  # only a secret can come twice: in place and from a file
            both = f"{setting.name} and {setting.name}{FROM_FILE}"
            self.layer.problem(origin, f"expected one of {both}, got both", setting.key)
        else:
            self.layer.set(setting, pieces, origin, complete=complete)


def _is_empty(node: Node) -> bool:
    """Tell whether nothing at all is written: a section whose settings are all commented out."""
    return isinstance(node, Scalar) and node.raw.reading is Reading.NOTHING and not node.raw.text


def _described(node: Node) -> str:
    match node:
        case Scalar():
            return shown(node.raw.text) if node.raw.reading is not Reading.NOTHING else "nothing"
        case List():
            return "a list"
        case _:
            return "a mapping"
