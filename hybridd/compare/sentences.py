"""One sentence about each pattern, made from its figures and those of the others.

Knows:     figures.
Never:     the names of patterns: what is said follows from what was measured, whatever a pattern promises.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from hybridd.compare.figures import Backlog, Crash, Crowd, Demonstration, Row
from hybridd.compare.percentiles import ratio
from hybridd.compare.quantities import counted, microseconds_text, seconds_text, times_text

_NOTICED = 2.0
"""How many times as long a fresh client must wait before it is said to notice the slow ones ..."""

_UNNOTICED_SECONDS = 0.02
"""... when it waits longer than this."""

_SAME = 1.1


def sentence(row: Row, rows: Sequence[Row]) -> str:
    """Return one sentence about ``row``, one of ``rows``."""
    clauses = [
        *([] if row.demonstration is None else [_demonstration(row.demonstration)]),
        *([] if row.crowd is None else [_crowd(row.crowd), *_open_cost(row.crowd)]),
        *([] if row.crash is None else [_crash(row.crash)]),
        *([] if row.backlog is None else [f"when it is full, {full(row.backlog)}"]),
        *_cost(row, rows),
    ]
    if row.problem:
        clauses.append(f"not all was measured: {row.problem}")
    text = "; ".join(clauses) or "nothing was measured"
    return f"{text[0].upper()}{text[1:]}."


def full(backlog: Backlog) -> str:
    """Return what the clients of a full server see."""
    parts = (
        ("answered", backlog.answered),
        ("turned away by a 503", backlog.turned_away),
        ("connected but not answered", backlog.waiting),
        ("not connected", backlog.silent),
        ("refused", backlog.refused),
    )
    seen = ", ".join(f"{count} {'is' if count == 1 else 'are'} {what}" for what, count in parts if count)
    return f"of {backlog.clients} clients {seen}"


def _demonstration(shown: Demonstration) -> str:
    lost = shown.clients - shown.answered
    who = f"{counted(shown.clients, 'client')} that each wait {shown.sleep:g} s"
    if shown.seconds is None or lost:
        return f"{lost} of {who} got no answer"
    at_once = ceil(shown.clients / max(1, round(shown.seconds / shown.sleep)))
    time = seconds_text(shown.seconds)
    if at_once >= shown.clients:
        return f"{who} are served at once, in {time}"
    if at_once == 1:
        return f"{who} are served one after the other, in {time}"
    return f"{who} are served {at_once} at a time, in {time}"


def _crowd(crowd: Crowd) -> str:
    slow = f"{crowd.size} slow clients"
    if not crowd.answered:
        how = "nobody else is answered" if crowd.unanswered else "everybody else is refused"
        return f"while {slow} trickle, {how}{f' within {crowd.patience:g} s' if crowd.unanswered else ''}"
    failed = crowd.refused + crowd.unanswered
    if failed:
        came = crowd.answered + failed
        return f"while {slow} trickle, {failed} of {came} fresh ones are not answered within {crowd.patience:g} s"
    longer = ratio(crowd.p99, crowd.before) or 1.0
    if longer < _NOTICED or (crowd.p99 or 0.0) < _UNNOTICED_SECONDS:
        return f"{slow} are not noticed (p99 {seconds_text(crowd.p99)})"
    return f"{slow} make the others wait {times_text(longer)} times as long (p99 {seconds_text(crowd.p99)})"


def _open_cost(crowd: Crowd) -> list[str]:
    """Return what many open connections take, when it is more than memory."""
    for count, one in ((crowd.processes, "process"), (crowd.threads, "thread")):
        if 2 * count >= crowd.size:
            return [f"an open connection costs a {one}"]
    taken = [
        counted(count, *names)
        for count, names in ((crowd.processes, ("process", "processes")), (crowd.threads, ("thread",)))
        if count
    ]
    return [f"{crowd.size} open connections take {' and '.join(taken)}"] if taken else []


def _crash(crash: Crash) -> str:
    if crash.broken <= 1:
        return "a crash costs its own connection only" if crash.broken else "a crash broke no connection"
    if crash.broken == crash.connections:
        return f"a crash costs all {crash.connections} connections"
    return f"a crash costs {crash.broken} of {crash.connections} connections"


def _cost(row: Row, rows: Sequence[Row]) -> list[str]:
    """Return what a request costs beside the cheapest; nothing when there is nothing to compare with."""
    costs = [(one.load.cpu, one.pattern.name) for one in rows if one.load is not None and one.load.cpu]
    if row.load is None or not row.load.cpu:
        return []
    text = f"a request costs {microseconds_text(row.load.cpu)} of CPU"
    cheapest, name = min(costs, default=(row.load.cpu, row.pattern.name))
    times = row.load.cpu / cheapest
    if len(costs) > 1 and name == row.pattern.name:
        text += ", the least of all"
    elif len(costs) > 1 and times <= _SAME:
        text += f", as little as {name}"
    elif len(costs) > 1:
        text += f", {times_text(times)} times that of {name}"
    if row.load.failures:
        text += f", and {counted(row.load.failures, 'request')} failed under load"
    return [text]
