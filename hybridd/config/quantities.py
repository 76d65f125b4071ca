"""Kinds of values that count something: numbers, durations, sizes; and true or false.

Knows:     conversion.py, and which range a setting allows.
Never:     names of settings, files, the environment.
Runs in:   every process; pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config.conversion import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    format_duration,
    format_size,
    parse_duration,
    parse_integer,
    parse_size,
)
from hybridd.config.kind import Kind, Raw, Reading, Refused, closest, one_of


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    """A whole number in a range; ``zero`` is the word that stands for 0, outside of the range."""

    minimum: int
    maximum: int
    zero: str = ""

    @property
    def metavar(self) -> str:
        return f"N|{self.zero}" if self.zero else "N"

    @property
    def expected(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}{f', or {self.zero}' if self.zero else ''}"

    def read(self, raw: Raw) -> int:
        if self.zero and raw.text == self.zero:
            return 0
        try:
            value = parse_integer(raw.text)
        except ValueError as error:
            raise Refused(self.expected, raw, str(error) or closest(raw.text, (self.zero,))) from None
        if raw.quoted:
            raise Refused(self.expected, f"the text {raw}", advice="write it without quotes")
        if not self.minimum <= value <= self.maximum:
            raise Refused(self.expected, raw, self.zero if value == 0 else "")
        return value

    def text(self, value: int) -> str:
        return self.zero if self.zero and value == 0 else str(value)

    def schema(self) -> dict[str, object]:
        number: dict[str, object] = {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}
        return one_of(number, *([self.zero] if self.zero else []))


@dataclass(frozen=True, slots=True)
class Boolean(Kind):
    """True or false.  The environment's 1 and 0 are understood; YAML's yes, no, on, off are not."""

    @property
    def metavar(self) -> str:
        return "true|false"

    @property
    def expected(self) -> str:
        return "true or false"

    def read(self, raw: Raw) -> bool:
        if raw.quoted:
            raise Refused(self.expected, f"the text {raw}", advice="write it without quotes")
        if raw.text in ("true", "false"):
            return raw.text == "true"
        if raw.text in ("1", "0") and raw.reading is Reading.PLAIN:
            return raw.text == "1"
        meanings = {"true": ("yes", "on", "y", "1", "true"), "false": ("no", "off", "n", "0", "false")}
        meant = (word for word, others in meanings.items() if raw.text.lower() in others)
        raise Refused(self.expected, raw, next(meant, ""))

    def text(self, value: bool) -> str:
        return "true" if value else "false"

    def schema(self) -> dict[str, object]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Duration(Kind):
    """Seconds in a range; ``zero`` is the word that stands for 0, outside of the range."""

    minimum: float
    maximum: float
    example: str = "30s"
    zero: str = ""

    @property
    def metavar(self) -> str:
        return f"DURATION|{self.zero}" if self.zero else "DURATION"

    @property
    def expected(self) -> str:
        low, high = format_duration(self.minimum), format_duration(self.maximum)
        return f"a duration such as {self.example}, from {low} to {high}{f', or {self.zero}' if self.zero else ''}"

    def read(self, raw: Raw) -> float:
        if self.zero and raw.text == self.zero:
            return 0.0
        try:
            value = parse_duration(raw.text)
        except ValueError as error:
            raise Refused(self.expected, raw, str(error) or closest(raw.text, (self.zero,))) from None
        if not (self.minimum <= value <= self.maximum or (self.zero and value == 0)):
            raise Refused(self.expected, raw)
        return value

    def text(self, value: float) -> str:
        return self.zero if self.zero and value == 0 else format_duration(value)

    def schema(self) -> dict[str, object]:
        zeros = [0] if self.minimum == 0 or self.zero else []
        return one_of({"type": "string", "pattern": f"^{DURATION_PATTERN}$"}, *zeros, *filter(None, [self.zero]))


@dataclass(frozen=True, slots=True)
class Size(Kind):
    """Bytes in a range."""

    minimum: int
    maximum: int
    example: str = "64KiB"

    @property
    def metavar(self) -> str:
        return "SIZE"

    @property
    def expected(self) -> str:
        return f"a size such as {self.example}, from {format_size(self.minimum)} to {format_size(self.maximum)}"

    def read(self, raw: Raw) -> int:
        try:
            value = parse_size(raw.text)
        except ValueError as error:
            raise Refused(self.expected, raw, str(error)) from None
        if not self.minimum <= value <= self.maximum:
            raise Refused(self.expected, raw)
        return value

    def text(self, value: int) -> str:
        return format_size(value)

    def schema(self) -> dict[str, object]:
        return one_of({"type": "string", "pattern": f"^{SIZE_PATTERN}$"}, *([0] if self.minimum == 0 else []))
