"""Figures as people read them.

Never:     measures or compares.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

NOTHING = "-"
_TEN, _HUNDRED = 9.95, 99.5
_MIB = 1024 * 1024


def seconds_text(seconds: float | None) -> str:
    """Return a time with two or three digits: ``180 µs``, ``4.2 ms``, ``3.02 s``."""
    if seconds is None:
        return NOTHING
    if seconds >= 1:
        return f"{seconds:.2f} s"
    milliseconds = seconds * 1000
    if milliseconds >= 1:
        return f"{milliseconds:.0f} ms" if milliseconds >= _TEN else f"{milliseconds:.1f} ms"
    return f"{seconds * 1_000_000:.0f} µs"


def microseconds_text(seconds: float | None) -> str:
    """Return a cost per request in microseconds."""
    if seconds is None:
        return NOTHING
    microseconds = seconds * 1_000_000
    return f"{microseconds:,.0f} µs" if microseconds >= _HUNDRED else f"{microseconds:.1f} µs"


def count_text(count: float | None) -> str:
    """Return a whole number."""
    return NOTHING if count is None else f"{count:,.0f}"


def mebibytes_text(size: float | None) -> str:
    """Return bytes as MiB."""
    return NOTHING if size is None else f"{size / _MIB:,.1f} MiB"


def times_text(factor: float) -> str:
    """Return a factor with two digits."""
    return f"{factor:.0f}" if factor >= _TEN else f"{factor:.1f}"


def counted(count: int, one: str, several: str = "") -> str:
    """Return ``1 client`` or ``3 clients``."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
