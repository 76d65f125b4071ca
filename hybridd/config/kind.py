"""What a kind of value is: what is expected, conversion, canonical text, JSON Schema.

A value arrives as :class:`Raw`: its text, and how YAML would read that text.  Conversion goes from the text, so that
``off`` is the word off; how YAML reads it only serves to refuse traps (``22:30`` is a number to YAML 1.1, ``no`` a boolean).

Knows:     nothing of the kinds themselves (quantities.py, words.py).
Never:     names of settings, files, the environment.
Runs in:   every process; pure.
Raises:    Refused, from ``convert`` only.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import Any

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
        if self.reading is Reading.NOTHING:
            return "nothing"
        text = self.text if len(self.text) <= LONGEST_SHOWN else f"{self.text[: LONGEST_SHOWN - 3]}..."
        plain = not self.quoted and text.isprintable() and re.fullmatch(r"[^\s;,]+", text)
        return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """A value that a setting cannot have; ``str()`` is "expected …, got …" with what was probably meant."""

    def __init__(self, expected: str, got: object, hint: str = "", advice: str = "") -> None:
        self.expected = expected
        self.hint = hint
        ending = f"; did you mean {hint}" if hint else f"; {advice}" if advice else ""
        super().__init__(f"expected {expected}, got {got}{ending}")


class Kind(ABC):
    """What one setting accepts."""

    @property
    @abstractmethod
    def metavar(self) -> str:
        """What stands for the value in a usage line."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """What to say after "expected"."""

    @abstractmethod
    def read(self, raw: Raw) -> Any:
        """Return the value, or raise Refused."""

    @abstractmethod
    def text(self, value: Any) -> str:
        """Return the canonical text of ``value``; reading it gives ``value`` again."""

    @abstractmethod
    def schema(self) -> dict[str, object]:
        """Return the JSON Schema of what YAML may hold here."""

    def convert(self, raw: Raw) -> Any:
        """Return the value, or raise Refused whose hint is certain to be accepted."""
        try:
            return self.read(raw)
        except Refused as refused:
            if not refused.hint or self.accepts(refused.hint):
                raise
            raise Refused(self.expected, raw) from None

    def accepts(self, text: str) -> bool:
        """Tell whether ``text`` would be converted."""
        try:
            self.read(Raw(text))
        except Refused:
            return False
        return True


def closest(text: str, words: tuple[str, ...]) -> str:
    """Return the one of ``words`` that ``text`` was probably meant to be, or nothing."""
    matches = get_close_matches(text.lower(), words, n=1, cutoff=0.6)
    return matches[0] if matches else ""


def one_of(schema: dict[str, object], *constants: object) -> dict[str, object]:
    """Return a schema that also allows the constants."""
    return {"anyOf": [schema, *({"const": constant} for constant in constants)]} if constants else schema
