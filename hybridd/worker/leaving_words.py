"""The words of the scoreboard's header that name the listeners which a newer generation does without.

Each listener has a number (net/listener.py), and so a bit in one of these words: what is true of it is one fact in one
word, whatever becomes of the others.

Knows:     numbers and bits.
Never:     listeners, generations.
Runs in:   the master, which writes; workers read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_BITS: Final = 64
NAMES: Final = tuple(f"leaving_listeners_{index}" for index in range(16))
MOST: Final = len(NAMES) * _BITS - 1
"""The highest number; 0 is nobody's."""


def write(words: memoryview, numbers: Iterable[int]) -> None:
    """Name these listeners and no others."""
    bits = sum(1 << number for number in frozenset(numbers))
    for index in range(len(words)):
        words[index] = bits >> index * _BITS & (1 << _BITS) - 1


def names(words: memoryview, number: int) -> bool:
    """Tell whether the listener with this number is named."""
    return bool(words[number // _BITS] >> number % _BITS & 1)
