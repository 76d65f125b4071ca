"""Statistics of noisy measurements.

A machine that others use too disturbs upwards only: disturbance costs turns and caches, it never makes work cheaper.
So the best of several rounds estimates the undisturbed figure, and two servers are compared by their best rounds.

Never:     reads a clock or a file.
Runs in:   the command line tool and the client process; pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` (0 to 1) of the sorted values do not exceed; None of none."""
    if not ordered:
        return None
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def lowest(values: Iterable[float | None]) -> float | None:
    """Return the lowest of those values that are known."""
    return min((value for value in values if value is not None), default=None)


def highest(values: Iterable[float | None]) -> float | None:
    """Return the highest of those values that are known."""
    return max((value for value in values if value is not None), default=None)


def ratio(value: float | None, best: float | None) -> float | None:
    """Return how many times ``best`` a value is; None when one is unknown or there is nothing to divide by."""
    return value / best if value is not None and best else None
