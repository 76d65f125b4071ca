"""What a kind of value is: what is expected, conversion, canonical text, JSON Schema.

A value arrives as :class:`Raw`: its text, and how YAML would read that text.  Conversion goes from the text, so that
``off`` is the word off; how YAML reads it only serves to refuse traps (YAML 1.1 sees a number in ``22:30``, a boolean
in ``no``).

Knows:     nothing of the kinds themselves (quantities.py, words.py).
Never:     names of settings, files, the environment.
Runs in:   every process; pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any

# What people write who mean "off".
NEGATIONS = ("off", "no", "false", "none", "never", "disabled")
LONGEST_SHOWN = 60  # characters of a wrong value in a message


class Reading(Enum):
    """How the source of a text reads it."""

    PLAIN = "plain"  # environment, command line, after ${…}: nothing is read into it
    STRING = "a string"
    INTEGER = "a number"
    FLOAT = "a fraction"
    BOOLEAN = "a boolean"
    DATE = "a date"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Raw:
    """A value as it was written; ``quoted`` when YAML saw it in quotes."""

    text: str
    reading: Reading = Reading.PLAIN
    quoted: bool = False

    def __str__(self) -> str:
        return "nothing" if self.reading is Reading.NOTHING else shown(self.text, quoted=self.quoted)


def shown(text: str, *, quoted: bool = False) -> str:
    """Return ``text`` for a message: shortened, on one line, in quotes where it would be misread without."""
    text = text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
    bare = not quoted and text.isprintable() and re.fullmatch(r"[^\s;,]+", text)
    return text if bare else json.dumps(text, ensure_ascii=not text.isprintable())


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """A value that a setting cannot have; ``str()`` is "expected …, got …" with what was probably meant."""

    def __init__(self, expected: str, got: object, hint: str = "", advice: str = "") -> None:
        self.expected = expected
        self.hint = hint
        ending = f"; did you mean {hint}" if hint else f"; {advice}" if advice else ""
        super().__init__(f"expected {expected}, got {got}{ending}")


@dataclass(frozen=True, slots=True)
class Kind:
    """What one setting accepts.

    ``metavar`` stands for the value in a usage line, ``expected`` follows the word "expected" in a message,
    ``read`` raises Refused, ``text`` gives what ``read`` reads back, ``schema`` is the JSON Schema of what YAML may
    hold, ``item`` the kind of each part when the value is a tuple.
    """

    metavar: str
    expected: str
    read: Callable[[Raw], Any]
    text: Callable[[Any], str]
    schema: Mapping[str, object]
    item: Kind | None = None

    def convert(self, raw: Raw) -> Any:
        """Return the value, or raise Refused whose hint is certain to be accepted."""
        if raw.reading is Reading.NOTHING:
            raise Refused(self.expected, raw, advice="remove the key to have the default")
        try:
            return self.read(raw)
        except Refused as refused:
            if not refused.hint or self.accepts(refused.hint):
                raise
            raise Refused(refused.expected, raw) from None

    def accepts(self, text: str) -> bool:
        """Tell whether ``text`` would be converted."""
        try:
            self.read(Raw(text))
        except Refused:
            return False
        return True


def closest(text: str, words: tuple[str, ...]) -> str:
    """Return the one of ``words`` that ``text`` was probably meant to be, or nothing."""
    return next(iter(get_close_matches(text.lower(), words, n=1)), "")
