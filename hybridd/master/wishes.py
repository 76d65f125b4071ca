"""What an operator wishes on the control socket and what becomes of it: values and shapes only.

Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a wish; ``message`` is for people, ``details`` for programs."""

    ok: bool
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A wish on its way.

    Attributes:
        check: returns the reply when there is one.
        late: what to say, if anything, when the asker's patience (``timeout``) has ended.
    """

    check: Callable[[], Reply | None]
    late: Callable[[], Reply | None] = lambda: None


Arguments = Mapping[str, str]
Verb = Callable[[Arguments], Waiting]


class WrongArgumentError(ValueError):
    """A wish that cannot be understood, in words."""
