"""Memory of processes."""

from __future__ import annotations

import pytest

from benchmarks.measure.memory import ALL, ANONYMOUS, parse

ROLLUP = """562d7c301000-7fff67867000 ---p 00000000 00:00 0                          [rollup]
Rss:                1652 kB
Pss:                 371 kB
Pss_Dirty:           112 kB
Pss_Anon:             98 kB
"""


def test_pss_is_in_bytes_and_not_one_of_its_parts():
    assert parse(ROLLUP, ALL) == 371 * 1024
    assert parse(ROLLUP, ANONYMOUS) == 98 * 1024


def test_without_it_there_is_no_answer():
    with pytest.raises(ValueError, match="Pss"):
        parse("Rss: 1 kB\nPss_Dirty: 1 kB\n", ALL)
