"""What a reload will change, what it cannot, and why, in a sentence.

Knows:     the settings and which of them a reload reaches.
Never:     what reloads.
Runs in:   the master and the command line tool; pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from hybridd.config.declaration import Schema
from hybridd.config.settings import SCHEMA, Config


@dataclass(frozen=True, slots=True)
class Change:
    """One setting whose value differs, in canonical text; ``restart`` says why a reload cannot change it."""

    key: str
    old: str
    new: str
    restart: str = ""

    def __str__(self) -> str:
        return f"{self.key} ({self.old} to {self.new})"


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two configurations, in the order of the declarations."""

    changes: tuple[Change, ...]

    @property
    def needs_restart(self) -> tuple[str, ...]:
        """The keys that stay as they are until hybridd is started anew."""
        return tuple(change.key for change in self.changes if change.restart)

    @property
    def sentence(self) -> str:
        """All of it, for a log line."""
        reached = [change for change in self.changes if not change.restart]
        parts = [f"a reload changes {_joined(reached)}"] if reached else []
        unreached = sorted((change for change in self.changes if change.restart), key=lambda change: change.restart)
        for reason, group in groupby(unreached, key=lambda change: change.restart):
            changes = list(group)
            verb = "needs" if len(changes) == 1 else "need"
            parts.append(f"{_joined(changes)} {verb} an upgrade or a restart, because {reason}")
        return "; ".join(parts) or "no setting differs"


def difference(old: Config, new: Config) -> Difference:
    """Compare two configurations."""
    return compare(SCHEMA, old, new)


def compare(schema: Schema[Any], old: Any, new: Any) -> Difference:
    """Compare two instances of a schema."""
    changes = []
    for setting in schema.settings.values():
        before, after = schema.get(old, setting.key), schema.get(new, setting.key)
        if before != after:
            secret = setting.declaration.secret
            old_text, new_text = ("a secret", "another") if secret else (setting.shown(before), setting.shown(after))
            changes.append(Change(setting.key, old_text, new_text, setting.declaration.restart))
    return Difference(tuple(changes))


def _joined(changes: list[Change]) -> str:
    texts = [str(change) for change in changes]
    return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
