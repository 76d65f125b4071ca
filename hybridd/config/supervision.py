"""How workers are replaced, stopped and judged: the sections ``reload``, ``recycle``, ``shutdown`` and ``crash``.

Knows:     kinds of values.
Never:     files, the environment, the machine.
Runs in:   every process; values only.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config.bounds import DAY, HOUR, MINUTE
from hybridd.config.conversion import GIB, MIB
from hybridd.config.declaration import setting
from hybridd.config.quantities import duration, integer, size
from hybridd.config.words import choice

# The scoreboard has 1,024 rows, and during a reload an old and a new worker stand side by side.
MOST_WORKERS = 512


@dataclass(frozen=True, slots=True)
class Reload:
    """What a new generation of workers must show."""

    settle: float = setting(
        2.0,
        duration(0.0, HOUR, "2s"),
        "How long the first worker of a new generation must live before it gets connections and the others follow; and"
        " then all of them, before the old ones, which wait for it, leave.",
    )
    surge: int = setting(
        1,
        integer(1, MOST_WORKERS),
        "How many workers beyond the wanted number are started at a time to replace the old ones.",
    )


@dataclass(frozen=True, slots=True)
class Recycle:
    """When healthy workers are replaced; another one serves before they go, and never while workers crash."""

    max_requests: int = setting(
        0,
        integer(1, 2**40, zero="off"),
        "After how many requests a worker is replaced.",
        also="max_requests",
    )
    max_requests_jitter: int = setting(
        0,
        integer(0, 2**40),
        "Up to how many requests more, different for each worker, so that they do not all reach the limit together.",
        also="max_requests_jitter",
    )
    max_age: float = setting(
        0.0,
        duration(1.0, 365 * DAY, "12h", zero="off"),
        "After how long a worker is replaced; up to a tenth of it earlier, different for each worker.",
        also="max_worker_lifetime",
    )
    max_rss: int = setting(
        0,
        size(MIB, 1024 * GIB, "512MiB", zero="off"),
        "How much memory a worker may have before it is replaced; looked at once per second.",
        also="workers_max_rss reload_on_rss",
    )
    memory: str = setting(
        "rss",
        choice("rss", "pss"),
        "What recycle.max_rss means. rss: all resident pages; pss: pages that are shared with other processes count in"
        " part, which is right with preload; dear to know, so each worker is looked at every 10 s or less often.",
    )
    max_unavailable: int = setting(
        1,
        integer(1, MOST_WORKERS),
        "How many workers are replaced at a time, by recycling or hybridd worker restart.",
    )


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How connections end when hybridd stops."""

    drain_delay: float = setting(
        0.0,
        duration(0.0, HOUR, "5s"),
        "How long to go on serving, not ready any more, before the stop begins; gives load balancers time to notice.",
    )
    idle_grace: float = setting(
        2.0,
        duration(0.0, HOUR, "2s"),
        "How long an idle connection stays open during a stop, for a request that is on its way.",
    )
    linger: float = setting(
        0.3,
        duration(0.0, MINUTE, "300ms"),
        "How long a listener that takes no new connections is still emptied before it is closed.",
    )


@dataclass(frozen=True, slots=True)
class Crash:
    """When workers that keep dying are a state of its own."""

    restarts: int = setting(
        10,
        integer(1, 100_000),
        "How many workers may die within crash.window before hybridd calls itself degraded.",
    )
    window: float = setting(
        60.0,
        duration(1.0, DAY, "60s"),
        "The time in which crash.restarts are counted.",
    )
    backoff_max: float = setting(
        30.0,
        duration(0.1, HOUR, "30s"),
        "The longest wait before a worker that dies again and again is started again.",
    )
