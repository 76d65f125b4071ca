"""Durations, sizes and numbers as people write them, and back to canonical text.

Knows:     the grammar ``500ms 30s 1m30s``, ``512B 16KiB 64MiB``, whole numbers; what people write instead.
Never:     where a text comes from, which setting it is for.
Runs in:   every process; pure functions.
Raises:    ValueError whose text is what was probably meant (empty when unclear).
"""

from __future__ import annotations

import re

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

# Largest unit first: that is the order in which a duration must name them.
DURATION_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}  # milliseconds
SIZE_UNITS = {"TiB": 1024 * GIB, "GiB": GIB, "MiB": MIB, "KiB": KIB, "B": 1}

MILLION = 1_000_000
SAID_IN_SECONDS = 120  # below, people say 60s and 90s, not 1m and 1m30s
# Bounds the work of int(); no sensible value needs more digits.
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,6})?"
DURATION_PATTERN = rf"(?:{_NUMBER}(?:d|h|ms|m|s))+"
SIZE_PATTERN = rf"{_NUMBER}(?:TiB|GiB|MiB|KiB|B)"

_DURATION_PART = re.compile(rf"({_NUMBER})(d|h|ms|m|s)")
_DURATION = re.compile(DURATION_PATTERN)
_SIZE = re.compile(rf"({_NUMBER})(TiB|GiB|MiB|KiB|B)")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,2}(?:_[0-9]{3})+|[1-9][0-9]{0,17})")
_BARE = re.compile(_NUMBER)
_CLOCK = re.compile(r"([0-9]{1,4}):([0-5]?[0-9])")

_WORDS_FOR_DURATIONS = {
    "msec": "ms", "millisecond": "ms", "milliseconds": "ms",
    "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "min": "m", "mins": "m", "minute": "m", "minutes": "m",
    "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "day": "d", "days": "d",
}  # fmt: skip
_WORDS_FOR_SIZES = {"": "B", "b": "B"} | {
    word: f"{letter.upper()}iB" for letter in "kmgt" for word in (letter, f"{letter}b", f"{letter}ib")
}
_FOREIGN = re.compile(rf"({_NUMBER})\s*([A-Za-z]*)")


def parse_duration(text: str) -> float:
    """Return seconds; units from large to small, each at most once: ``1m30s``; a bare ``0`` needs no unit."""
    if text == "0":
        return 0.0
    if not _DURATION.fullmatch(text):
        raise ValueError(_meant_duration(text))
    parts = _DURATION_PART.findall(text)
    order = list(DURATION_UNITS)
    ranks = [order.index(unit) for _, unit in parts]
    if ranks != sorted(set(ranks)):
        raise ValueError
    microseconds = sum(_millionths(number) * DURATION_UNITS[unit] // 1000 for number, unit in parts)
    return microseconds / MILLION


def _millionths(number: str) -> int:
    """Return a decimal number as a whole number of millionths: sums and products stay exact."""
    whole, _, decimals = number.partition(".")
    return int(whole + decimals.ljust(6, "0"))


def _meant_duration(text: str) -> str:
    if _BARE.fullmatch(text):
        return f"{text}s"
    if clock := _CLOCK.fullmatch(text):
        return f"{int(clock[1])}m{int(clock[2])}s"
    if (foreign := _FOREIGN.fullmatch(text)) and (unit := _duration_unit(foreign[2])):
        return f"{foreign[1]}{unit}"
    return ""


def _duration_unit(word: str) -> str:
    lowered = word.lower()
    return lowered if lowered in DURATION_UNITS else _WORDS_FOR_DURATIONS.get(lowered, "")


def format_duration(seconds: float) -> str:
    """Return the usual text, which :func:`parse_duration` reads back as ``seconds`` (to the microsecond)."""
    rest = round(seconds * MILLION)
    if 0 < rest < MILLION:
        return f"{_decimal(rest, 1000)}ms"
    if rest < SAID_IN_SECONDS * MILLION:
        return f"{_decimal(rest, MILLION)}s"
    parts = []
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, DURATION_UNITS[unit] * 1000)
        if count:
            parts.append(f"{count}{unit}")
    if rest:
        parts.append(f"{_decimal(rest, MILLION)}s")
    return "".join(parts)


def _decimal(value: int, divisor: int) -> str:
    return f"{value / divisor:.6f}".rstrip("0").rstrip(".")


def parse_size(text: str) -> int:
    """Return bytes; one number and one binary unit: ``64MiB``; a bare ``0`` needs no unit."""
    if text == "0":
        return 0
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(_meant_size(text))
    size, rest = divmod(_millionths(match[1]) * SIZE_UNITS[match[2]], MILLION)
    if rest:
        raise ValueError
    return size


def _meant_size(text: str) -> str:
    if text.isascii() and text.isdecimal() and _BARE.fullmatch(text):
        return format_size(int(text))
    # kB and MB mean 1000 to some and 1024 to others: refused, with the unit that means one thing.
    foreign = _FOREIGN.fullmatch(text)
    unit = _WORDS_FOR_SIZES.get(foreign[2].lower(), "") if foreign else ""
    if not foreign or not unit or (unit == "B" and "." in foreign[1]):
        return ""
    return f"{foreign[1]}{unit}"


def format_size(size: int) -> str:
    """Return the text with the largest unit that divides ``size`` exactly."""
    for unit, factor in SIZE_UNITS.items():
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"


def parse_integer(text: str) -> int:
    """Return the whole number; ``10_000`` is one, ``010`` (octal or ten?), ``0x10`` and ``1e3`` are not."""
    if _INTEGER.fullmatch(text):
        return int(text)
    stripped = text.replace("_", "").replace(",", "").lstrip("0")
    raise ValueError(stripped if _INTEGER.fullmatch(stripped) else "")
