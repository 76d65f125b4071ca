"""Rows of a comparison, made up: as far as possible what the patterns promise."""

from __future__ import annotations

import pytest

from hybridd.compare.figures import Backlog, Comparison, Crash, Crowd, Demonstration, Load, Row
from hybridd.compare.patterns import PATTERNS

MIB = 1024 * 1024

# rate, p50, p99, cpu, demonstration, fresh p99 (0: nobody), memory, processes, threads, broken, backlog
PROMISED = {
    "serial": (4100, 0.0038, 0.0051, 98e-6, 3.02, 0, 0, 0, 0, 1, (0, 0, 10, 54, 0)),
    "process": (610, 0.025, 0.041, 1400e-6, 1.03, 0.021, 95 * MIB, 100, 0, 1, (0, 0, 17, 47, 0)),
    "thread": (9800, 0.0014, 0.0093, 91e-6, 1.01, 0.0042, 4 * MIB, 0, 100, 21, (0, 0, 13, 51, 0)),
    "prefork": (4200, 0.0037, 0.0049, 97e-6, 1.01, 0, 0, 0, 0, 1, (0, 0, 12, 52, 0)),
    "pool": (10100, 0.0013, 0.0072, 88e-6, 1.01, 0, 2 * MIB, 0, 31, 21, (0, 0, 17, 47, 0)),
    "reactor": (21400, 0.00062, 0.0013, 31e-6, 3.01, 0.0011, MIB // 2, 0, 0, 21, (0, 0, 17, 47, 0)),
    "hybrid": (21900, 0.00061, 0.0012, 30e-6, 1.01, 0.0012, MIB // 2, 0, 0, 7, (0, 4, 33, 27, 0)),
}


def promised(name: str) -> Row:
    """Return the made up row of a pattern."""
    rate, p50, p99, cpu, took, fresh, memory, processes, threads, broken, backlog = PROMISED[name]
    pattern = next(pattern for pattern in PATTERNS if pattern.name == name)
    return Row(
        pattern,
        3 if pattern.several else 1,
        load=Load(rate, p50, p99, cpu, failures=0, client_cpu=0.97 if rate > 20_000 else 0.5),
        demonstration=Demonstration(3, 1.0, 3, took),
        crowd=Crowd(
            100, 0, memory, processes, threads,
            answered=300 if fresh else 0, refused=0, unanswered=0 if fresh else 1,
            p50=fresh / 2 if fresh else None, p99=fresh or None, before=0.001, patience=3.0,
        ),
        crash=Crash(21, broken),
        backlog=Backlog(64, 0.95, *backlog),
    )  # fmt: skip


@pytest.fixture
def rows() -> list[Row]:
    return [promised(name) for name in PROMISED]


@pytest.fixture
def comparison(rows: list[Row]) -> Comparison:
    return Comparison(tuple(rows), {"Python": "3.11.7 (cpython)", "CPUs": "load on 1, servers on 0"})
