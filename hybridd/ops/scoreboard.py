"""The scoreboard: shared memory in which workers say how they are, and which the master reads.

Rules:
  1. One writer per word.  The header is written by the master; a row by the leader thread of the worker in that slot.
     Pool threads, a leader that lost its lead and the monitor never write.  While a slot has no process, its row is the
     master's (it folds and zeroes it after reaping and before the slot is used again).
  2. One fact per word; facts that must agree share a word.
  3. Counters only grow, by whole stores of their new value.
  4. No locks and no pointers: a writer may be killed at any instruction, and nothing needs repair.
  5. A reader takes every word as gossip: each word is whole, two words need not be of the same moment.
Why a word is never torn: an aligned 8 byte ``memoryview`` store ends in one 8 byte ``memcpy``, a single instruction on
x86-64 and arm64.  (``struct.pack_into`` must not be used here: it zeroes its target first, a reader would see that.)

Knows:     the shape of a row (a Layout), nothing about what the words mean.
Never:     the clock, processes, the operating system beyond one anonymous mapping made before the first fork.
Runs in:   master and workers.
"""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from hybridd.ops.layout import CellBlock, Layout

WORD: Final = 8  # bytes
ROWS: Final = 1024  # the default capacity; rows never used cost address space only
ROWS_USED: Final = 0  # the header word in which the scoreboard itself keeps the highest slot ever used, plus one


class Row:
    """One worker's row.  ``row.words[offset] = value`` is the whole writer's interface; 27 ns."""

    __slots__ = ("layout", "text", "words")

    def __init__(self, layout: Layout, words: memoryview) -> None:
        self.layout = layout
        self.words = words
        self.text = words.cast("B")

    def store(self, offset: int, values: Sequence[int]) -> None:
        """Store consecutive words at once: 65 ns for an ``array("Q")``, about 10 ns per word for a list."""
        block = values if isinstance(values, array) else array("Q", values)
        self.words[offset : offset + len(block)] = block

    def read(self) -> list[int]:
        """Return the gauges and counters of the row as they are now, indexed like ``words``."""
        return self.words[: self.layout.counters_stop].tolist()

    def write_cell(self, cells: CellBlock, index: int, mark: int, text: bytes) -> None:
        """Fill one text cell.  ``mark`` is not 0 and is stored last: a reader never takes half a text for whole.

        The text is cut to ``cells.capacity`` bytes and must not contain NUL, which ends it.
        """
        words, word = self.words, cells.word(index)
        words[word] = 0
        start = (word + 1) * WORD
        text = text[: cells.capacity]
        self.text[start : start + len(text) + 1] = text + b"\0"
        words[word] = mark

    def clear_cell(self, cells: CellBlock, index: int) -> None:
        """Make one text cell empty."""
        self.words[cells.word(index)] = 0

    def read_cell(self, cells: CellBlock, index: int) -> tuple[int, bytes] | None:
        """Return (mark, text) of a cell, or None when it is empty or was being written."""
        word = cells.word(index)
        mark = self.words[word]
        if mark == 0:
            return None
        start = (word + 1) * WORD
        text = bytes(self.text[start : start + cells.capacity])
        if self.words[word] != mark:
            return None
        return mark, text.partition(b"\0")[0]

    def zero(self) -> None:
        """Forget everything; only while no process has the slot."""
        self.text[:] = bytes(len(self.text))


@dataclass(slots=True)
class Reading:
    """What a scrape works on: the rows in use, and the totals over all lives since the start.

    ``rows`` maps slot → gauges and counters as in ``Row.read``.  ``totals`` is indexed like ``words`` too (gauge words
    are 0 there).  ``by_slot`` maps slot → totals of that slot; it keeps the slots that were used once.
    """

    rows: dict[int, list[int]]
    totals: list[int]
    by_slot: dict[int, list[int]]


@dataclass(slots=True)
class _Retired:
    """Counters of the dead: the sum over all slots, and each slot's own for the families labelled by it."""

    totals: list[int]
    by_slot: dict[int, list[int]] = field(default_factory=dict)


class Scoreboard:
    """The mapping, and in the master the accumulator of dead workers' counters."""

    def __init__(self, layout: Layout, memory: memoryview, rows: int) -> None:
        """Lay ``rows`` rows over ``memory`` (words); see ``create``."""
        self.layout = layout
        self.capacity = rows
        self.header = memory[: layout.header_words]
        self._memory = memory
        self._rows: dict[int, Row] = {}
        self._in_use: set[int] = set()
        self._retired = _Retired([0] * layout.counters_stop)

    @classmethod
    def create(cls, layout: Layout, rows: int = ROWS) -> Self:
        """Map anonymous memory that children forked from now on share."""
        size = (layout.header_words + rows * layout.row_words) * WORD
        return cls(layout, memoryview(mmap.mmap(-1, size)).cast("Q"), rows)

    @property
    def rows_used(self) -> int:
        """How many rows, from slot 0, were ever used: who looks at the others need not look further."""
        return self.header[ROWS_USED]

    def row(self, slot: int) -> Row:
        """Return the row of a slot; IndexError beyond the capacity."""
        row = self._rows.get(slot)
        if row is None:
            if not 0 <= slot < self.capacity:
                raise IndexError(f"slot {slot} is beyond the scoreboard's {self.capacity} rows")
            start = self.layout.header_words + slot * self.layout.row_words
            row = self._rows[slot] = Row(self.layout, self._memory[start : start + self.layout.row_words])
        return row

    def claim(self, slot: int) -> Row:
        """Take a slot into use (master, before the fork).  ValueError when it is taken."""
        if slot in self._in_use:
            raise ValueError(f"slot {slot} is in use")
        row = self.row(slot)
        self._in_use.add(slot)
        self.header[ROWS_USED] = max(self.header[ROWS_USED], slot + 1)
        self._retired.by_slot.setdefault(slot, [0] * self.layout.counters_stop)
        return row

    def fold(self, slot: int) -> list[int]:
        """Add a reaped worker's counters to the retired ones, zero its row and free the slot (master).

        Returns the row's last gauges and counters, for the death certificate; its text cells must be read before.
        Folding a slot that is not in use changes nothing, so that no life is counted twice.
        """
        row = self.row(slot)
        last = row.read()
        if slot in self._in_use:
            start = self.layout.counters_start
            for retired in (self._retired.totals, self._retired.by_slot[slot]):
                for offset in range(start, len(last)):
                    retired[offset] += last[offset]
            row.zero()
            self._in_use.discard(slot)
        return last

    def read(self) -> Reading:
        """Return retired plus live counters, and the live rows (master)."""
        start, stop = self.layout.counters_start, self.layout.counters_stop
        totals = self._retired.totals.copy()
        by_slot = {slot: retired.copy() for slot, retired in self._retired.by_slot.items()}
        rows = {slot: self.row(slot).read() for slot in sorted(self._in_use)}
        for slot, words in rows.items():
            own = by_slot[slot]
            for offset in range(start, stop):
                value = words[offset]
                if value:
                    totals[offset] += value
                    own[offset] += value
        return Reading(rows, totals, by_slot)
