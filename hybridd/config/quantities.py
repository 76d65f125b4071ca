"""Kinds of values that count something: numbers, durations, sizes; and true or false.

``zero`` is the word that stands for 0 where 0 means something else than an amount: ``auto``, ``off``.

Knows:     conversion.py.
Never:     names of settings, files, the environment.
Runs in:   every process; pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hybridd.config.conversion import (
    DURATION_PATTERN,
    SIZE_PATTERN,
    format_duration,
    format_size,
    parse_duration,
    parse_integer,
    parse_size,
)
from hybridd.config.kind import NEGATIONS, Kind, Raw, Reading, Refused, closest


def integer(minimum: int, maximum: int, *, zero: str = "") -> Kind:
    """Return the kind of a whole number in a range."""
    expected = f"a whole number from {minimum} to {maximum}{_or(zero)}"

    def read(raw: Raw) -> int:
        if zero and raw.text == zero:
            return 0
        try:
            value = parse_integer(raw.text)
        except ValueError as error:
            raise Refused(expected, raw, str(error) or closest(raw.text, (zero,))) from None
        if raw.quoted:
            raise Refused(expected, f"the text {raw}", advice="write it without quotes")
        if not minimum <= value <= maximum:
            raise Refused(expected, raw, "" if value else zero)
        return value

    def text(value: int) -> str:
        return str(value) if value or not zero else zero

    number = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return Kind(f"N{_bar(zero)}", expected, read, text, _any_of(number, zero))


def boolean() -> Kind:
    """Return the kind of true or false; 1 and 0 are understood where there is only text."""
    expected = "true or false"
    meanings = {"true": ("yes", "on", "y", "1", "true"), "false": ("no", "off", "n", "0", "false")}

    def read(raw: Raw) -> bool:
        if raw.quoted:
            raise Refused(expected, f"the text {raw}", advice="write it without quotes")
        if raw.text in ("true", "false"):
            return raw.text == "true"
        if raw.text in ("1", "0") and raw.reading is Reading.PLAIN:
            return raw.text == "1"
        meant = (word for word, others in meanings.items() if raw.text.lower() in others)
        raise Refused(expected, raw, next(meant, ""))

    return Kind("true|false", expected, read, lambda value: str(value).lower(), {"type": "boolean"})


def duration(minimum: float, maximum: float, example: str, *, zero: str = "") -> Kind:
    """Return the kind of seconds in a range."""
    expected = f"a duration such as {example}, from {format_duration(minimum)} to {format_duration(maximum)}{_or(zero)}"

    def read(raw: Raw) -> float:
        if zero and raw.text == zero:
            return 0.0
        try:
            value = parse_duration(raw.text)
        except ValueError as error:
            meant = "off" if zero == "off" and raw.text.lower() in NEGATIONS else closest(raw.text, (zero,))
            raise Refused(expected, raw, str(error) or meant) from None
        if not (minimum <= value <= maximum or (zero and value == 0)):
            raise Refused(expected, raw)
        return value

    def text(value: float) -> str:
        return format_duration(value) if value or not zero else zero

    pattern = {"type": "string", "pattern": f"^{DURATION_PATTERN}$"}
    return Kind(f"DURATION{_bar(zero)}", expected, read, text, _any_of(pattern, *_zeros(minimum, zero)))


def size(minimum: int, maximum: int, example: str, *, zero: str = "") -> Kind:
    """Return the kind of bytes in a range."""
    expected = f"a size such as {example}, from {format_size(minimum)} to {format_size(maximum)}{_or(zero)}"

    def read(raw: Raw) -> int:
        if zero and raw.text == zero:
            return 0
        try:
            value = parse_size(raw.text)
        except ValueError as error:
            meant = "off" if zero == "off" and raw.text.lower() in NEGATIONS else closest(raw.text, (zero,))
            raise Refused(expected, raw, str(error) or meant) from None
        if not (minimum <= value <= maximum or (zero and value == 0)):
            raise Refused(expected, raw)
        return value

    def text(value: int) -> str:
        return format_size(value) if value or not zero else zero

    pattern = {"type": "string", "pattern": f"^{SIZE_PATTERN}$"}
    return Kind(f"SIZE{_bar(zero)}", expected, read, text, _any_of(pattern, *_zeros(minimum, zero)))


def mode(*, none: str) -> Kind:
    """Return the kind of file permissions in octal, as for chmod and umask; ``none`` is the word for None."""
    expected = f"an octal number such as 0027, or {none}"

    def read(raw: Raw) -> int | None:
        if raw.text == none:
            return None
        if not re.fullmatch("0?[0-7]{1,3}", raw.text):
            digits = raw.text.removeprefix("0o")
            raise Refused(expected, raw, f"0{digits}" if digits != raw.text else closest(raw.text, (none,)))
        return int(raw.text, 8)

    def text(value: int | None) -> str:
        return none if value is None else f"{value:04o}"

    schema = _any_of({"type": "string", "pattern": "^0?[0-7]{1,3}$"}, none)
    number = {"type": "integer", "minimum": 0, "maximum": 777}  # what editors see: 0027 is a number to YAML
    return Kind(f"MODE{_bar(none)}", expected, read, text, {"anyOf": [schema, number]})


def _or(word: str) -> str:
    return f", or {word}" if word else ""


def _bar(word: str) -> str:
    return f"|{word}" if word else ""


def _zeros(minimum: float, zero: str) -> tuple[object, ...]:
    return (0, zero) if minimum == 0 or zero else ()


def _any_of(schema: Mapping[str, object], *constants: object) -> Mapping[str, object]:
    allowed = [{"const": constant} for constant in constants if constant != ""]
    return {"anyOf": [schema, *allowed]} if allowed else schema
