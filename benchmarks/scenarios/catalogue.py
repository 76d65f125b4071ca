"""The scenarios by key, in the order in which they are run.

Knows:     which function does which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from benchmarks.bench import Bench
from benchmarks.outcome import Outcome
from benchmarks.scenarios import balance, beside, capacity, idle, lifetimes, own_costs, storm, throughput


@dataclass(frozen=True, slots=True)
class Scenario:
    """One experiment; several of one letter belong together (``d`` means ``d-up``, ``d-down`` and ``d-file``)."""

    key: str
    title: str
    run: Callable[[Bench], Outcome]

    def is_meant_by(self, word: str) -> bool:
        """Whether a user who says ``word`` means this one."""
        return word in (self.key, self.key.partition("-")[0])


_THROUGHPUT = {one.key: Scenario(one.key, one.title, partial(throughput.run, one)) for one in throughput.WORKS}

SCENARIOS: Final = (
    _THROUGHPUT["a"],
    _THROUGHPUT["b"],
    Scenario("c", "hello beside 16 blocking clients", beside.run_blocking),
    _THROUGHPUT["d-up"],
    _THROUGHPUT["d-down"],
    _THROUGHPUT["d-file"],
    _THROUGHPUT["e"],
    _THROUGHPUT["f"],
    Scenario("g", "idle connections", idle.run),
    Scenario("h-balance", "400 slowly opened connections on 4 workers", balance.run),
    Scenario("h-storm", "new connections on 4 workers", storm.run),
    Scenario("h-drain", "new connections while a worker drains", storm.run_draining),
    Scenario("i", "8 requests of 1 s on 4 workers with 2 threads each", capacity.run),
    Scenario("j", "start-up, reload, respawn, memory", lifetimes.run),
    Scenario("k", "hello beside 4 computing clients", beside.run_computing),
    Scenario("l", "the access log", own_costs.run_access_log),
    Scenario("m", "one scrape of /metrics, 8 workers", own_costs.run_scrape),
)


class Unknown(Exception):  # noqa: N818 - reads as the sentence it begins
    """There is no such scenario or peer."""


def choose(words: str) -> list[Scenario]:
    """Return the scenarios that ``a,d,h-storm`` means; all when empty.

    Raises:
        Unknown: a word means none.
    """
    wanted = [word.strip() for word in words.split(",") if word.strip()]
    for word in wanted:
        if not any(scenario.is_meant_by(word) for scenario in SCENARIOS):
            raise Unknown(f"no scenario {word!r}; there are {', '.join(one.key for one in SCENARIOS)}")
    return [one for one in SCENARIOS if not wanted or any(map(one.is_meant_by, wanted))]
