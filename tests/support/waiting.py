"""Wait for an announced state with a deadline: the one place of the tests where time passes on purpose.

Knows:     a condition to ask again, how long at most, and what to say when it never came true.
Never:     a fixed pause that hopes something has happened by then.
Runs in:   the test process and the load generators.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STEP = 0.01  # seconds between two questions; short against every figure that a test asserts
PATIENCE = 5
"""How many times slower than one that does nothing else a machine may be: what is awaited has so much more time."""


def patient(seconds: float) -> float:
    """Return how long to wait for what takes at most ``seconds`` on a machine that does nothing else."""
    return seconds * PATIENCE


def wait_until(
    condition: Callable[[], T],
    *,
    within: float,
    what: str | Callable[[], str],
    hopeless: Callable[[], str] | None = None,
) -> T:
    """Ask ``condition`` until it answers something true and return that; AssertionError when it does not come true.

    ``within``: seconds on a machine that does nothing else; a busy one gets more (:func:`patient`).  A figure that a
    test is about is measured by the test.  ``hopeless`` may answer a reason to give up early (the process died); ""
    means go on.
    """
    limit = patient(within)
    deadline = time.monotonic() + limit
    while True:
        answer = condition()
        if answer:
            return answer
        reason = hopeless() if hopeless is not None else ""
        late = time.monotonic() >= deadline
        if reason or late:
            sentence = what() if callable(what) else what
            raise AssertionError(f"{sentence}: {reason or f'not within {limit:g} s'}")
        time.sleep(STEP)


def pass_time(seconds: float, *, unless: Callable[[], bool] = lambda: False) -> bool:
    """Let time pass where time itself is the input (a rhythm, a limit to be exceeded); False as soon as ``unless``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if unless():
            return False
        time.sleep(STEP)
    return not unless()
