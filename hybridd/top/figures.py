"""Two looks at a running hybridd, and what they say together: rates, latencies, shares of a CPU, totals.

A worker is the same one when its pid is; one that is new since the first look has done all that it has done since then.

Knows:     the shape of /status; fields that an older hybridd does not have are unknown here.
Never:     asks, reads a clock: a look has its time with it, ``uptime`` of the master.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

Look = Mapping[str, Any]
"""/status as it was answered."""

MEDIAN, NEARLY_ALL = 0.5, 0.99

STILL = 0.1
"""Seconds of one turn from which on a loop is said to stand still, as in the metrics."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What was done between two looks; None is unknown (there was no look before) or of nothing.

    ``p50`` and ``p99`` are upper bounds of the histogram's buckets in seconds, infinity beyond the last one; ``mean``
    is exact.  ``requests`` and ``connections`` are those per second; ``cpu`` is 1.0 for a whole CPU.
    """

    requests: float | None = None
    connections: float | None = None
    mean: float | None = None
    p50: float | None = None
    p99: float | None = None
    cpu: float | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker as it is now, and its pace."""

    slot: int
    pid: int
    generation: int
    state: str
    why: str
    age: float
    connections: int
    running: int
    queued: int
    rss: int | None
    pss: int | None
    pace: Pace


LOOP = "on loop"


@dataclass(frozen=True, slots=True)
class Call:
    """One Call in flight; ``age`` in seconds since it runs, or waits.

    One whose state is LOOP is only inferred: a turn of the loop does not end, and nobody could say which Call it runs.
    """

    slot: int
    pid: int
    state: str
    age: float
    method: str
    path: str
    request: str


@dataclass(frozen=True, slots=True)
class Totals:
    """All workers together; ``backlog`` are connections that nobody has accepted yet."""

    connections: int
    running: int
    queued: int
    rss: int | None
    pss: int | None
    backlog: int | None
    backlog_limit: int | None
    pace: Pace


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is shown of a running hybridd; ``calls`` oldest first."""

    version: str
    pid: int
    state: str
    status: str
    uptime: float
    application: str
    wanted: int
    workers: tuple[Worker, ...]
    calls: tuple[Call, ...]
    totals: Totals


@dataclass(frozen=True, slots=True)
class _Done:
    """What a worker has done so far, or between two looks."""

    requests: int
    connections: int
    durations: tuple[int, ...]
    duration_sum: float
    cpu: float

    def since(self, before: _Done) -> _Done:
        return _Done(
            self.requests - before.requests,
            self.connections - before.connections,
            tuple(now - then for now, then in zip(self.durations, before.durations, strict=True)),
            self.duration_sum - before.duration_sum,
            self.cpu - before.cpu,
        )


def picture(before: Look | None, now: Look) -> Picture:
    """Return what a look shows; ``before`` is the one before it, None or of another master for none."""
    if before is not None and (before["pid"] != now["pid"] or before["uptime"] >= now["uptime"]):
        before = None
    seconds = now["uptime"] - before["uptime"] if before is not None else 0.0
    earlier = {_who(one): _done(one) for one in before["workers"]} if before is not None else {}
    bounds = now.get("duration_bounds", ())
    steps = {_who(one): _step(earlier.get(_who(one)), _done(one)) for one in now["workers"]}
    workers = tuple(_worker(one, _pace([steps[_who(one)]], seconds, bounds)) for one in now["workers"])
    calls = tuple(sorted(_calls(now["workers"]), key=lambda call: -call.age))
    return Picture(
        version=now["version"],
        pid=now["pid"],
        state=now["state"],
        status=now["status"],
        uptime=now["uptime"],
        application=now["application"],
        wanted=now["workers_wanted"],
        workers=workers,
        calls=calls,
        totals=_totals(workers, calls, now["listeners"], _pace(list(steps.values()), seconds, bounds)),
    )


def quantile(counts: Sequence[int], bounds: Sequence[float], share: float) -> float | None:
    """Return the bound that at least ``share`` of what is counted does not exceed; None when nothing is counted."""
    total = sum(counts)
    if not total:
        return None
    reached = 0
    for count, bound in zip(counts, (*bounds, inf), strict=True):
        reached += count
        if reached >= share * total:
            return bound
    raise AssertionError("the last bucket reaches everything")


def _who(worker: Mapping[str, Any]) -> tuple[int, int]:
    return worker["slot"], worker["pid"]  # several may have no pid yet


def _done(worker: Mapping[str, Any]) -> _Done:
    return _Done(
        worker["requests"],
        worker.get("accepted", 0),
        tuple(worker.get("durations", ())),
        worker.get("duration_sum", 0.0),
        worker["cpu_seconds"] or 0.0,
    )


def _step(before: _Done | None, now: _Done) -> _Done:
    return now if before is None else now.since(before)


def _pace(steps: Sequence[_Done], seconds: float, bounds: Sequence[float]) -> Pace:
    """Return the pace of some workers together."""
    if not seconds:
        return Pace()
    durations = [sum(counts) for counts in zip(*(step.durations for step in steps), strict=True)]
    timed = sum(durations)
    return Pace(
        requests=sum(step.requests for step in steps) / seconds,
        connections=sum(step.connections for step in steps) / seconds,
        mean=sum(step.duration_sum for step in steps) / timed if timed else None,
        p50=quantile(durations, bounds, MEDIAN),
        p99=quantile(durations, bounds, NEARLY_ALL),
        cpu=sum(step.cpu for step in steps) / seconds,
    )


def _worker(one: Mapping[str, Any], pace: Pace) -> Worker:
    return Worker(
        slot=one["slot"],
        pid=one["pid"],
        generation=one["generation"],
        state=one["state"],
        why=one["why"] or "",
        age=one["uptime"],
        connections=one["connections"],
        running=one["calls_running"],
        queued=one["calls_queued"],
        rss=one["rss"],
        pss=one.get("pss"),
        pace=pace,
    )


def _calls(workers: Iterable[Mapping[str, Any]]) -> Iterable[Call]:
    for worker in workers:
        for call in worker.get("calls", ()):
            yield Call(
                worker["slot"],
                worker["pid"],
                call["state"],
                call["age"],
                call["method"],
                call["path"],
                call["request"],
            )
        still = worker.get("busy_for") or 0.0
        if still >= STILL and not any(call["state"] == "running" for call in worker.get("calls", ())):
            yield Call(worker["slot"], worker["pid"], LOOP, still, "", "", "")


def _totals(
    workers: Sequence[Worker], calls: Sequence[Call], listeners: Iterable[Mapping[str, Any]], pace: Pace
) -> Totals:
    queues = [one for one in listeners if one.get("accept_queue") is not None]
    named = sum(call.state in {"running", LOOP} for call in calls)
    return Totals(
        connections=sum(worker.connections for worker in workers),
        running=max(sum(worker.running for worker in workers), named),  # a loop that stands still does not count
        queued=sum(worker.queued for worker in workers),
        rss=_known(worker.rss for worker in workers),
        pss=_whole(worker.pss for worker in workers),
        backlog=_known(one["accept_queue"] for one in queues),
        backlog_limit=_known(one["accept_queue_limit"] for one in queues),
        pace=pace,
    )


def _known(sizes: Iterable[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _whole(sizes: Iterable[int | None]) -> int | None:
    """Return the sum if all are known: part of it would look like little memory."""
    found = list(sizes)
    return _known(found) if None not in found else None
