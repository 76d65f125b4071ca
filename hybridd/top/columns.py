"""The columns of the table of workers: what each shows, how it sorts, and which go first when the window is narrow.

Never:     draws.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from hybridd.config.conversion import MIB
from hybridd.top.figures import Worker

NOTHING: Final = "-"
GAP: Final = 2

_TEN, _HUNDRED = 9.95, 99.5
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: what to sort by.
        falling: whether the largest stands on top when it is sorted by this.
        worth: the least worthy go first when there is no room.
    """

    heading: str
    cell: Callable[[Worker], str]
    key: Callable[[Worker], Any]
    worth: int
    falling: bool = True


def rate_text(rate: float | None) -> str:
    """Return for example 0.3, 42, 12,345."""
    if rate is None:
        return NOTHING
    return f"{rate:.1f}" if 0 < rate < _TEN else f"{rate:,.0f}"


def latency_text(bound: float | None) -> str:
    """Return the bound of a bucket: ≤5ms, ≤2.5s; infinity is >10s, the last of them (http/counts.py)."""
    if bound is None:
        return NOTHING
    if bound == inf:
        return ">10s"
    return f"≤{bound:g}s" if bound >= 1 else f"≤{bound * 1000:g}ms"


def mean_text(seconds: float | None) -> str:
    """Return an exact time with two digits: 0.21ms, 4.2ms, 42ms, 3.0s."""
    if seconds is None:
        return NOTHING
    milliseconds = seconds * 1000
    if milliseconds >= 1000:  # noqa: PLR2004 - a second
        return f"{seconds:.1f}s"
    return f"{milliseconds:.0f}ms" if milliseconds >= _TEN else f"{milliseconds:.2g}ms"


def size_text(size: int | None) -> str:
    """Return bytes as MiB."""
    if size is None:
        return NOTHING
    return f"{size / MIB:.0f}M" if size >= _TEN * MIB else f"{size / MIB:.1f}M"


def share_text(share: float | None) -> str:
    """Return 100 for a whole CPU."""
    if share is None:
        return NOTHING
    return f"{share * 100:.1f}" if share * 100 < _HUNDRED else f"{share * 100:.0f}"


def age_text(seconds: float) -> str:
    """Return for example 4.2s, 12s, 3m04s, 2h05m, 3d04h."""
    if seconds < _TEN:
        return f"{seconds:.1f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole // _MINUTE % 60:02}m"
    return f"{whole // _DAY}d{whole // _HOUR % 24:02}h"


def _state(worker: Worker) -> str:
    return f"{worker.state} ({worker.why})" if worker.why else worker.state


def _or_least(value: float | None) -> float:
    return -1.0 if value is None else value


COLUMNS: Final = (
    Column("slot", lambda w: str(w.slot), lambda w: w.slot, 99, falling=False),
    Column("pid", lambda w: str(w.pid or NOTHING), lambda w: w.pid, 90, falling=False),
    Column("gen", lambda w: str(w.generation), lambda w: w.generation, 60),
    Column("state", _state, lambda w: w.state, 98, falling=False),
    Column("run", lambda w: str(w.running), lambda w: w.running, 95),
    Column("queue", lambda w: str(w.queued), lambda w: w.queued, 94),
    Column("conn", lambda w: str(w.connections), lambda w: w.connections, 80),
    Column("new/s", lambda w: rate_text(w.pace.connections), lambda w: _or_least(w.pace.connections), 30),
    Column("req/s", lambda w: rate_text(w.pace.requests), lambda w: _or_least(w.pace.requests), 96),
    Column("mean", lambda w: mean_text(w.pace.mean), lambda w: _or_least(w.pace.mean), 40),
    Column("p50", lambda w: latency_text(w.pace.p50), lambda w: _or_least(w.pace.p50), 70),
    Column("p99", lambda w: latency_text(w.pace.p99), lambda w: _or_least(w.pace.p99), 85),
    Column("rss", lambda w: size_text(w.rss), lambda w: _or_least(w.rss), 75),
    Column("pss", lambda w: size_text(w.pss), lambda w: _or_least(w.pss), 35),
    Column("cpu%", lambda w: share_text(w.pace.cpu), lambda w: _or_least(w.pace.cpu), 92),
    Column("age", lambda w: age_text(w.age), lambda w: w.age, 65),
)

BY_HEADING: Final = {column.heading: column for column in COLUMNS}


def shown(workers: Sequence[Worker]) -> tuple[Column, ...]:
    """Return the columns that have something to show: PSS only where the server tells it."""
    told = any(worker.pss is not None for worker in workers)
    return tuple(column for column in COLUMNS if told or column.heading != "pss")


def ordered(workers: Sequence[Worker], heading: str, *, turned: bool) -> list[Worker]:
    """Return the workers by a column, by slot where that is equal; ``turned``: the other way round."""
    column = BY_HEADING[heading]
    by_slot = sorted(workers, key=lambda worker: (worker.slot, worker.pid))
    return sorted(by_slot, key=column.key, reverse=column.falling is not turned)


def table(workers: Sequence[Worker], width: int, marked: str = "", mark: str = "") -> list[str]:
    """Return the heading and a line per worker, as many columns as ``width`` holds.

    ``mark`` stands behind the heading of the column ``marked``, which always stays.
    """
    columns = list(shown(workers))
    texts = {
        column.heading: [
            column.heading + (mark if column.heading == marked else ""),
            *(column.cell(worker) for worker in workers),
        ]
        for column in columns
    }
    widths = {heading: max(map(len, cells)) for heading, cells in texts.items()}
    while len(columns) > 1 and sum(widths[column.heading] + GAP for column in columns) - GAP > width:
        columns.remove(min(columns, key=lambda column: (column.heading == marked, column.worth)))
    return [
        (" " * GAP).join(texts[column.heading][row].rjust(widths[column.heading]) for column in columns)
        for row in range(len(workers) + 1)
    ]
