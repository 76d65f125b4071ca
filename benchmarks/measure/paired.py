"""What many noisy rounds say about two servers.

On a machine that others use, a single burst varies by 80 %, always upwards: disturbance costs caches and turns, it
never makes work cheaper.  So the **minimum** over the rounds estimates the undisturbed cost, and the **ratio of
minima** compares two servers.  The quartiles of the ratios *within* a round stand beside it: in a round both were
disturbed alike, more or less; when the ratio of minima lies far outside them, the figure is not to be trusted.

Never:     reads a clock or a file.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """Subject ÷ peer.

    Attributes:
        best: ratio of the best rounds: minima for costs, maxima for rates.
        low, middle, high: quartiles of the ratios within each round.
    """

    best: float
    low: float
    middle: float
    high: float


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the three quartiles; of a single value three times that.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("quartiles of nothing")
    if len(values) == 1:
        return (values[0],) * 3
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def ratio_of_costs(subject: Sequence[float], peer: Sequence[float]) -> Ratio:
    """Compare what is better when lower; the sequences hold one value per round, in the same order.

    Raises:
        ValueError: the rounds do not match, or there are none.
    """
    return _ratio(subject, peer, min(subject), min(peer))


def ratio_of_rates(subject: Sequence[float], peer: Sequence[float]) -> Ratio:
    """Compare what is better when higher; as ``ratio_of_costs``."""
    return _ratio(subject, peer, max(subject), max(peer))


def _ratio(subject: Sequence[float], peer: Sequence[float], best: float, peers_best: float) -> Ratio:
    within = [ours / theirs for ours, theirs in zip(subject, peer, strict=True)]
    return Ratio(best / peers_best, *quartiles(within))
