"""Which patterns are compared: all that there are, or those that were named.

Knows:     the declarations of the patterns; what was typed behind ``--patterns``.
Never:     how a pattern works.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config import patterns
from hybridd.config.patterns import DISPATCHES, ONE
from hybridd.config.suggestion import suggest_word
from hybridd.errors import UsageError


@dataclass(frozen=True, slots=True)
class Pattern:
    """One architecture.

    Attributes:
        name: what the setting ``pattern`` calls it.
        several: whether it is meant to have several worker processes.
        summary: what becomes of an accepted connection.
    """

    name: str
    several: bool
    summary: str


PATTERNS = tuple(
    Pattern(name, several=pattern.workers != ONE, summary=DISPATCHES[pattern.dispatch].meaning)
    for name, pattern in patterns.PATTERNS.items()
)


def choose(text: str) -> tuple[Pattern, ...]:
    """Return the patterns of a list such as ``serial,hybrid``, in the order of the list, each once.

    Raises:
        UsageError: one does not exist, or there is none.
    """
    known = {pattern.name: pattern for pattern in PATTERNS}
    names = [name for part in text.split(",") if (name := part.strip())]
    for name in names:
        if name not in known:
            meant = suggest_word(name, known)
            hint = f"did you mean {meant}" if meant else f"they are {', '.join(known)}"
            raise UsageError(f"--patterns: there is no pattern {name}; {hint}")
    if not names:
        raise UsageError(f"--patterns: expected some of {', '.join(known)}, got nothing")
    return tuple(known[name] for name in dict.fromkeys(names))
