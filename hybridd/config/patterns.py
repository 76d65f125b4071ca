"""The classic architectures of servers: what each is made of.

A pattern is a name for two settings, ``workers`` and ``dispatch``; a dispatch may bring further defaults.  All of them
are defaults and nothing more: whoever sets ``workers``, ``dispatch`` or a timeout gets that, with any pattern.

Knows:     names of settings and values.
Never:     how a dispatch works (hybridd/worker/arrangement.py).
Runs in:   wherever a configuration is loaded; pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ONE, PER_CPU = 1, 0  # values of ``workers``


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Where the work of a connection runs: what happens to one that was accepted, and defaults by key."""

    meaning: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    handlers_hold_loop: bool = False
    """Nobody can look at the clock while a handler runs."""
    descriptors: int = 1
    """Open files that a connection costs its worker."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A named pair."""

    workers: int
    dispatch: str


_ONE_REQUEST = {"timeouts.keep_alive": 0.0}

DISPATCHES: Final[Mapping[str, Dispatch]] = {
    "serial": Dispatch(
        "is served to its end by the worker's only thread; the next one waits",
        # One idle client would hold everybody: 3 clients with requests of 0.2 s took 6.6 s with keep-alive.
        {"timeouts.handshake": 2.0, "timeouts.head": 2.0, "timeouts.linger": 0.5, **_ONE_REQUEST},
        handlers_hold_loop=True,
    ),
    "fork": Dispatch("gets a process of its own", _ONE_REQUEST),
    "thread": Dispatch("gets a thread of its own", descriptors=2),  # its socket, and what wakes its thread
    # Sixteen idle clients with sixteen threads to wait for them, and nobody is served.
    "pool": Dispatch(
        "is served to its end by one of a bounded pool of threads", {"timeouts.keep_alive": 5.0}, descriptors=2
    ),
    "reactor": Dispatch(
        "is multiplexed by an event loop; handlers run on the loop and must not block", handlers_hold_loop=True
    ),
    "hybrid": Dispatch("is multiplexed by an event loop; handlers run on it and are handed off when they block"),
}

PATTERNS: Final[Mapping[str, Pattern]] = {
    "serial": Pattern(ONE, "serial"),
    "process": Pattern(ONE, "fork"),
    "thread": Pattern(ONE, "thread"),
    "prefork": Pattern(PER_CPU, "serial"),
    "pool": Pattern(ONE, "pool"),
    "reactor": Pattern(ONE, "reactor"),
    "hybrid": Pattern(PER_CPU, "hybrid"),
}

DEFAULT: Final = "hybrid"

WORKER_CLASSES: Final = {"sync": "prefork", "gthread": DEFAULT, "gevent": DEFAULT, "eventlet": DEFAULT}
"""What gunicorn calls it, and what does here what that is chosen for."""


def implied(pattern: str, dispatch: str | None) -> Iterator[tuple[str, Any, str]]:
    """Yield what a pattern, with a ``dispatch`` set beside it or None, makes the default: key, value, whose wish it is.

    What every setting's own default says anyway is left out.
    """
    chosen = PATTERNS[pattern]
    if chosen.workers != PER_CPU:
        yield "workers", chosen.workers, f"pattern {pattern}"
    if dispatch is None and chosen.dispatch != PATTERNS[DEFAULT].dispatch:
        yield "dispatch", chosen.dispatch, f"pattern {pattern}"
    wish = f"pattern {pattern}" if dispatch is None else f"dispatch {dispatch}"
    for key, value in DISPATCHES[dispatch or chosen.dispatch].defaults.items():
        yield key, value, wish


def name_of(workers: int, dispatch: str) -> str | None:
    """Return the pattern that a pair is, if it has a name; ``workers`` as configured, 0 for one per CPU."""
    pair = Pattern(ONE if workers == ONE else PER_CPU, dispatch)
    return next((name for name, pattern in PATTERNS.items() if pattern == pair), None)
