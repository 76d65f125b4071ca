"""Where values come from, and what is wrong with them, as sentences that begin with their place.

Knows:     nothing.
Never:     which settings exist.
Runs in:   every process; values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """The layers of a configuration, the weakest first."""

    DEFAULT = "default"
    PATTERN = "pattern"  # defaults that come with `pattern` and `dispatch`
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A position in a text; both count from 1 and columns count characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from; ``str()`` is ``file:line:column``, the name of a variable, or a flag."""

    source: Source = Source.DEFAULT
    name: str = "default"
    mark: Mark | None = None

    def __str__(self) -> str:
        return f"{self.name}:{self.mark.line}:{self.mark.column}" if self.mark else self.name


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    ``about`` is the key of the setting where there is one; ``blinding`` says that because of it nothing could be read
    from its source.
    """

    origin: Origin
    text: str
    about: str = ""
    blinding: bool = False

    def __str__(self) -> str:
        # A variable and a flag name their setting themselves.
        names_itself = self.origin.source in (Source.ENVIRONMENT, Source.FLAG)
        named = f"{self.about}: " if self.about and not names_itself else ""
        return f"{self.origin}: {named}{self.text}"
