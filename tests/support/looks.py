"""Looks at a hybridd that there is not: /status as `hybridd top` gets it, with as much in it as a test says.

Runs in:   the test process; pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hybridd.http.counts import BUCKETS

BOUNDS = (0.005, 0.01, 10.0)


def worker(slot: int = 0, **further: Any) -> dict[str, Any]:
    """Return what a look says of one worker."""
    return {
        "slot": slot,
        "pid": 100 + slot,
        "generation": 1,
        "state": "ready",
        "why": None,
        "uptime": 60.0,
        "rss": 20 << 20,
        "cpu_seconds": 1.0,
        "connections": 0,
        "accepted": 0,
        "calls_running": 0,
        "calls_queued": 0,
        "requests": 0,
        "durations": [0, 0, 0, 0],
        "duration_sum": 0.0,
        "calls": [],
        **further,
    }


def call(path: str = "/", age: float = 1.0, **further: Any) -> dict[str, Any]:
    """Return what a look says of one Call in flight."""
    return {"state": "running", "age": age, "method": "GET", "path": path, "request": "7f", **further}


def look(workers: Sequence[dict[str, Any]], uptime: float = 60.0, **further: Any) -> dict[str, Any]:
    """Return a whole look."""
    return {
        "version": "1.0",
        "pid": 7,
        "state": "running",
        "status": "running: all ready",
        "uptime": uptime,
        "application": "shop:app",
        "workers_wanted": len(workers),
        "workers": list(workers),
        "duration_bounds": BOUNDS,
        "listeners": [{"accept_queue": 1, "accept_queue_limit": 9}, {"accept_queue": None}],
        **further,
    }


def busy_look(seconds: float) -> dict[str, Any]:
    """Return a look at an example with something to see, ``seconds`` into it."""
    calls = [
        call("/reports/2026", 12.0 + seconds, request="8c1f02d4-9"),
        call("/search", 0.2, request="8c1f02d4-31", state="suspended"),
        call("/orders", 0.1, request="41aa97e0-7", method="POST"),
    ]
    return look(
        [
            _busy(0, seconds, rate=2190, cpu=0.31, connections=180, calls=calls[:2]),
            _busy(1, seconds, rate=2240, cpu=0.33, connections=181, calls=calls[2:]),
            _busy(2, seconds, rate=2204, cpu=0.32, connections=180),
            _busy(
                3, seconds, rate=1, cpu=0.02, connections=4, state="draining", why="recycle", uptime=41210.0 + seconds
            ),
            _busy(4, seconds, rate=1980, cpu=0.3, connections=166, uptime=3.2 + seconds),
        ],
        uptime=93784.0 + seconds,
        pid=4711,
        version="0.1.0",
        application="shop.wsgi:application",
        status="running: 4 of 4 workers ready, generation 3",
        duration_bounds=BUCKETS,
        listeners=[{"accept_queue": 0, "accept_queue_limit": 2048}],
    )


def _busy(slot: int, seconds: float, *, rate: int, cpu: float, **further: Any) -> dict[str, Any]:
    done = int(rate * seconds)
    slow = done // 60
    return worker(
        slot,
        **{
            "pid": 4715 + slot,
            "generation": 3,
            "uptime": 93780.0 + seconds,
            "rss": (41 + slot) << 20,
            "requests": done,
            "accepted": int(slot * 2 * seconds),
            "cpu_seconds": cpu * seconds,
            "durations": [done - slow, 0, 0, slow, *[0] * (len(BUCKETS) - 3)],
            "duration_sum": done * 0.0009,
            "calls_running": sum(one["state"] == "running" for one in further.get("calls", ())),
            **further,
        },
    )
