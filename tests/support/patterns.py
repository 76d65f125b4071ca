"""What the tests of all patterns share: how each is started, and what makes it different for a client.

Knows:     the names, and for each the facts that a test may lean on.
Runs in:   the test process.
"""

from __future__ import annotations

from typing import Any

from hybridd.config.patterns import ONE, PATTERNS
from tests.support.server import merged

NAMES = tuple(PATTERNS)
ONE_AT_A_TIME = ("serial", "reactor")
"""Handlers of different clients never run at once: with n clients that each want s seconds it takes n * s."""

CLOSING = ("serial", "process", "prefork")
"""Every answer closes its connection, unless the operator wants it otherwise."""


def workers_of(pattern: str, several: int = 2) -> int:
    """Return how many workers the tests give a pattern."""
    return 1 if PATTERNS[pattern].workers == ONE else several


def settings(pattern: str, further: dict[str, Any] | None = None, *, several: int = 2) -> dict[str, Any]:
    """Return a configuration for ServerProcess."""
    own = {"pattern": pattern, "workers": workers_of(pattern, several), "application": "service:app"}
    return merged(own, further or {})
