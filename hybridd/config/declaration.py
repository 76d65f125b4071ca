"""How a setting is declared, and how declarations are found again in a tree of dataclasses.

One declaration is one dataclass field.  From it come the YAML key, the environment name, the flags, ``--set``, help,
JSON Schema, reference page, reload class.  A section is a field whose default is a dataclass of settings.

Knows:     kinds of values.
Never:     which settings exist.
Runs in:   every process; pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from hybridd.config.kind import Kind

PREFIX = "HYBRIDD_"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is said about a setting at its field."""

    kind: Kind
    help: str
    flags: tuple[str, ...]
    also: tuple[str, ...]
    restart: str
    secret: bool


def setting(
    default: Any,
    kind: Kind,
    explanation: str,
    *,
    flags: str = "",
    also: str = "",
    restart: str = "",
    secret: bool = False,
) -> Any:
    """Declare a setting.

    ``flags`` are its spellings, the preferred one first; ``also`` are words that other programs use for it;
    ``restart`` says why a reload cannot change it (empty: it can); the value of a ``secret`` one is never shown and
    may also come from a file (``KEY_file``).
    """
    declaration = Declaration(kind, explanation, tuple(flags.split()), tuple(also.split()), restart, secret)
    return field(default=default, metadata={"declaration": declaration})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as everybody else sees it; ``key`` is ``section.name`` or only the name."""

    key: str
    default: Any
    declaration: Declaration

    @property
    def kind(self) -> Kind:
        """What it accepts."""
        return self.declaration.kind

    def shown(self, value: Any) -> str:
        """Return the canonical text of ``value``, in quotes when it is empty."""
        return self.kind.text(value) or '""'

    @property
    def section(self) -> str:
        """The section it stands in, empty for the top level."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name within the section."""
        return self.key.rpartition(".")[2]

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return PREFIX + self.key.upper().replace(".", "__")


@dataclass(frozen=True, slots=True)
class Section:
    """Settings that belong together; ``key`` is empty for the top level."""

    key: str
    help: str
    settings: tuple[Setting, ...]


class Schema(Generic[T]):
    """All settings of one dataclass, in the order of their declaration."""

    def __init__(self, root: type[T]) -> None:
        self.root = root
        self.sections = tuple(_sections(root))
        self.settings: Mapping[str, Setting] = {
            setting.key: setting for section in self.sections for setting in section.settings
        }
        self.by_variable: Mapping[str, Setting] = {setting.variable: setting for setting in self.settings.values()}

    @property
    def section_names(self) -> tuple[str, ...]:
        """The keys whose values are mappings of settings."""
        return tuple(section.key for section in self.sections if section.key)

    def get(self, config: T, key: str) -> Any:
        """Return the value of the setting ``key`` in ``config``."""
        value: Any = config
        for name in key.split("."):
            value = getattr(value, name)
        return value

    def build(self, values: Mapping[str, Any]) -> T:
        """Return an instance with ``values`` by key, and defaults for the rest."""
        return _build(self.root, "", values)


def _declared(root: type) -> Iterator[tuple[str, Declaration | None, Any]]:
    for one in dataclasses.fields(root):
        yield one.name, one.metadata.get("declaration"), one.default


def _sections(root: type, key: str = "") -> Iterator[Section]:
    prefix = f"{key}." if key else ""
    settings, nested = [], []
    for name, declaration, default in _declared(root):
        if declaration is None:
            nested.append((prefix + name, type(default)))
        else:
            settings.append(Setting(prefix + name, default, declaration))
    yield Section(key, (root.__doc__ or "").strip(), tuple(settings))
    for inner_key, inner in nested:
        yield from _sections(inner, inner_key)


def _build(root: type[T], prefix: str, values: Mapping[str, Any]) -> T:
    arguments = {}
    for name, declaration, default in _declared(root):
        key = prefix + name
        if declaration is None:
            arguments[name] = _build(type(default), f"{key}.", values)
        elif key in values:
            arguments[name] = values[key]
    return root(**arguments)
