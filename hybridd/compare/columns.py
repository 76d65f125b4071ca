"""The columns of a comparison: what each shows of a row, and what it means.  Table, page and charts come from here.

Knows:     figures.
Never:     how a table or a chart is drawn.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from hybridd.compare.figures import Row
from hybridd.compare.quantities import NOTHING, count_text, mebibytes_text, microseconds_text, seconds_text

LIMITED = "*"

_AS_GOOD = 1.1
"""Figures that differ by less are called the same: measurements vary by that much."""


class Better(Enum):
    """Which way is better."""

    HIGHER = "longer is better"
    LOWER = "shorter is better"


@dataclass(frozen=True, slots=True)
class Column:
    """One measured quantity.

    Attributes:
        heading: two lines for the table's head.
        title, meaning: of its chart, and what it is.
        value: the figure of a row, None when there is none; the length of its bar.
        shown: the figure in words.
        of_client: whether the load client can be the limit of it.
    """

    key: str
    heading: tuple[str, str]
    title: str
    meaning: str
    better: Better
    value: Callable[[Row], float | None]
    shown: Callable[[Row], str]
    of_client: bool = False


def leaders(column: Column, rows: Sequence[Row]) -> frozenset[str]:
    """Return the patterns that are best or as good; none where the client was the limit, or nobody is worse."""
    if column.of_client and any(row.load is not None and row.load.limited for row in rows):
        return frozenset()
    values = {row.pattern.name: value for row in rows if (value := column.value(row)) is not None}
    if not values:
        return frozenset()
    if column.better is Better.HIGHER:
        found = frozenset(name for name, value in values.items() if value * _AS_GOOD >= max(values.values()))
    else:
        found = frozenset(name for name, value in values.items() if value <= min(values.values()) * _AS_GOOD)
    return found if len(found) < len(values) else frozenset()


def _load(key: str, text: Callable[[float | None], str]) -> tuple[Callable[[Row], float | None], Callable[[Row], str]]:
    """Return value and text of a figure of the load, marked where the client was the limit."""

    def value(row: Row) -> float | None:
        return None if row.load is None else getattr(row.load, key)

    def shown(row: Row) -> str:
        mark = LIMITED if row.load is not None and row.load.limited and key != "cpu" else ""
        return f"{text(value(row))}{mark}"

    return value, shown


def _fresh(row: Row) -> float | None:
    crowd = row.crowd
    if crowd is None or not (crowd.answered or crowd.unanswered):
        return None
    return crowd.patience if crowd.unanswered else crowd.p99


def _fresh_shown(row: Row) -> str:
    crowd = row.crowd
    if crowd is None:
        return NOTHING
    if crowd.unanswered:
        return f"> {crowd.patience:g} s"
    return seconds_text(crowd.p99) if crowd.answered else "refused"


def _demonstration(row: Row) -> float | None:
    return None if row.demonstration is None else row.demonstration.seconds


def _demonstration_shown(row: Row) -> str:
    shown = row.demonstration
    if shown is None:
        return NOTHING
    lost = shown.clients - shown.answered
    return seconds_text(shown.seconds) if not lost else f"{lost} of {shown.clients} lost"


def _crowd(key: str) -> Callable[[Row], float | None]:
    return lambda row: None if row.crowd is None else getattr(row.crowd, key)


def _counted(value: Callable[[Row], float | None]) -> Callable[[Row], str]:
    return lambda row: count_text(value(row))


def _crash(row: Row) -> float | None:
    return None if row.crash is None else row.crash.broken


def _crash_shown(row: Row) -> str:
    return NOTHING if row.crash is None else f"{row.crash.broken} of {row.crash.connections}"


def backlog_parts(row: Row) -> list[tuple[str, int]]:
    """Return what clients of a full server saw, name → how many, none left out."""
    found = row.backlog
    if found is None:
        return []
    return [
        ("answered", found.answered),
        ("503", found.turned_away),
        ("waiting", found.waiting),
        ("not connected", found.silent),
        ("refused", found.refused),
    ]


COLUMNS = (
    Column(
        "rate",
        ("requests/s", "1 worker"),
        "Requests per second",
        "answers per second of one worker, the best round; keep-alive where the pattern has it",
        Better.HIGHER,
        *_load("rate", count_text),
        of_client=True,
    ),
    Column(
        "p50",
        ("p50", ""),
        "Latency, half of the requests",
        "half of the requests under load are answered within this time, connecting included",
        Better.LOWER,
        *_load("p50", seconds_text),
        of_client=True,
    ),
    Column(
        "p99",
        ("p99", ""),
        "Latency, 99 of 100 requests",
        "99 of 100 requests under load are answered within this time, connecting included",
        Better.LOWER,
        *_load("p99", seconds_text),
        of_client=True,
    ),
    Column(
        "cpu",
        ("CPU per", "request"),
        "CPU time per request",
        "CPU time of all processes of the server per request, user and system, the best round",
        Better.LOWER,
        *_load("cpu", microseconds_text),
    ),
    Column(
        "demonstration",
        ("sleeping", "handlers"),
        "The classic demonstration",
        "some clients ask at once, each handler sleeps: the time until the last has its answer",
        Better.LOWER,
        _demonstration,
        _demonstration_shown,
    ),
    Column(
        "fresh",
        ("p99 beside", "slow clients"),
        "A fresh client among slow ones",
        "p99 of clients that come while 100 connections send a request one byte at a time",
        Better.LOWER,
        _fresh,
        _fresh_shown,
    ),
    Column(
        "memory",
        ("memory per", "100 open"),
        "Memory for 100 open connections",
        "what the server's PSS grew by when 100 connections with half a request came; those that wait in the backlog"
        " cost it nothing",
        Better.LOWER,
        _crowd("memory"),
        lambda row: mebibytes_text(_crowd("memory")(row)),
    ),
    Column(
        "processes",
        ("proc.", ""),
        "Processes for 100 open connections",
        "processes that came with those 100 connections",
        Better.LOWER,
        _crowd("processes"),
        _counted(_crowd("processes")),
    ),
    Column(
        "threads",
        ("threads", ""),
        "Threads for 100 open connections",
        "threads that came with those 100 connections, those that every process has not counted",
        Better.LOWER,
        _crowd("threads"),
        _counted(_crowd("threads")),
    ),
    Column(
        "crash",
        ("lost in", "a crash"),
        "What one crash costs",
        "connections that failed when one handler killed its process, that handler's own among them",
        Better.LOWER,
        _crash,
        _crash_shown,
    ),
)

BACKLOG_TITLE = "What clients see when the backlog is full"
BACKLOG_MEANING = (
    "clients that come at once to a server with room for 8 connections per worker, 8 more in the backlog, and handlers"
    " that sleep"
)
