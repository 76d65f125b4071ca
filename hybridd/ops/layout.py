"""The shape of a scoreboard row: named words, families of counters, histograms, text cells.

A row is gauges first, then every counter and histogram in one run (so that a writer stores them with few block
stores), then text cells, padded to whole pages: rows share no cache line, and what is never written costs no memory.

Knows:     names and offsets.
Never:     values, memory.
Runs in:   wherever the scoreboard is; computed once at import.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

_WORDS_PER_PAGE = mmap.PAGESIZE // 8


@dataclass(frozen=True, slots=True)
class CounterFamily:
    """Counters of one metric: one word for each combination of label values, the last label varying fastest.

    ``per_slot``: the metric is also labelled with the worker's slot.  ``unit``: what one stands for (1e-9: ns).
    """

    name: str
    metric: str
    help: str
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    per_slot: bool = False
    unit: float = 1

    @property
    def words(self) -> int:
        """How many words the family takes."""
        return prod(len(values) for values in self.labels.values())

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """Yield the label values of each word, in the order of the words."""
        return product(*self.labels.values())


@dataclass(frozen=True, slots=True)
class HistogramFamily:
    """A histogram of seconds: a word per bucket (not cumulative; the last is +Inf), then the sum in nanoseconds.

    There is no word for the count: it is the sum of the buckets, so that a scrape always agrees with itself.
    """

    name: str
    metric: str
    help: str
    bounds: tuple[float, ...]

    @property
    def words(self) -> int:
        """How many words the family takes."""
        return len(self.bounds) + 2


@dataclass(frozen=True, slots=True)
class GaugeFamily:
    """A gauge metric derived from the words of the live rows: for each label value a function of one row, summed."""

    metric: str
    help: str
    label: str
    values: Mapping[str, Callable[[Sequence[int]], int]]


@dataclass(frozen=True, slots=True)
class Cells:
    """``count`` text cells of ``size`` bytes each (a multiple of 8; the first 8 are the mark)."""

    name: str
    count: int
    size: int


@dataclass(frozen=True, slots=True)
class CellBlock:
    """Where a group of text cells lies in a row."""

    first: int
    words_each: int
    count: int

    @property
    def capacity(self) -> int:
        """Bytes of text that fit; one more is the NUL that ends it."""
        return (self.words_each - 1) * 8 - 1

    def word(self, index: int) -> int:
        """Return the offset of a cell's mark; IndexError when there is no such cell."""
        if not 0 <= index < self.count:
            raise IndexError(f"text cell {index} of {self.count}")
        return self.first + index * self.words_each


class Layout:
    """Offsets of everything in a row, from the declarations of what a row has."""

    def __init__(
        self,
        *,
        header: Sequence[str],
        gauges: Sequence[str],
        counters: Sequence[CounterFamily | HistogramFamily],
        cells: Sequence[Cells] = (),
    ) -> None:
        self.counters = tuple(counters)
        self._header = {name: 1 + index for index, name in enumerate(header)}  # word 0 is the scoreboard's own
        self._words = {name: index for index, name in enumerate(gauges)}
        self._spans: dict[str, slice] = {}
        self._cells: dict[str, CellBlock] = {}
        at = self.counters_start = len(self._words)
        for family in counters:
            self._spans[family.name] = slice(at, at + family.words)
            at += family.words
        self.counters_stop = at
        for group in cells:
            self._cells[group.name] = CellBlock(at, group.size // 8, group.count)
            at += group.count * (group.size // 8)
        self.row_words = _whole_pages(at)
        self.header_words = _whole_pages(1 + len(self._header))
        names = [*self._words, *self._spans, *self._cells]
        if len(names) != len(set(names)):
            raise ValueError("a name is declared twice in a row's layout")

    def header_word(self, name: str) -> int:
        """Return the offset of a word of the header."""
        return self._header[name]

    def word(self, name: str) -> int:
        """Return the offset of a gauge word."""
        return self._words[name]

    def span(self, name: str) -> slice:
        """Return where a family's words are."""
        return self._spans[name]

    def start(self, name: str) -> int:
        """Return the offset of a family's first word."""
        start: int = self._spans[name].start
        return start

    def cells(self, name: str) -> CellBlock:
        """Return where a group of text cells is."""
        return self._cells[name]


def _whole_pages(words: int) -> int:
    return -(-words // _WORDS_PER_PAGE) * _WORDS_PER_PAGE
