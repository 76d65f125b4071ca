"""One layer of a configuration: the values found in one source, their origins, and what is wrong there.

Knows:     declarations and kinds.
Never:     which layer wins.
Runs in:   wherever a configuration is loaded; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hybridd.config.declaration import Setting
from hybridd.config.kind import Raw, Refused
from hybridd.config.problem import Origin, Problem

# The text of a secret's file; raises UnreadableError.
ReadSecret = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Piece:
    """A value as written, or one item of a list, with its place."""

    raw: Raw
    origin: Origin


@dataclass(slots=True)
class Layer:
    """Values and origins by key; filled while its source is read."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, origin: Origin, text: str, about: str = "", *, blinding: bool = False) -> None:
        """Note something wrong."""
        self.problems.append(Problem(origin, text, about, blinding))

    def set(self, setting: Setting, pieces: Sequence[Piece], origin: Origin, *, complete: bool = True) -> None:
        """Convert the pieces of one value; one piece that is refused, or missing, refuses the value."""
        kind = setting.kind
        values = []
        for piece in pieces:
            try:
                values.append(kind.convert(piece.raw))
            except Refused as refused:
                text = (
                    f"expected {kind.expected}, got a value that is not shown"
                    if setting.declaration.secret
                    else str(refused)
                )
                self.problem(piece.origin, text, setting.key)
        if complete and len(values) == len(pieces):
            self.values[setting.key] = sum(values, ()) if kind.item else values[-1]
            self.origins[setting.key] = origin
