"""What is to be compared, and how: the options of the command as values.

Knows:     what the routes of the built-in demonstration are.
Never:     the command line.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.compare.patterns import PATTERNS, Pattern

BUILT_IN = "hybridd.compare.demonstration:application"


@dataclass(frozen=True, slots=True)
class Routes:
    """Paths of the application; one that it does not have is empty, and what needs it is not measured.

    Attributes:
        fast: answers at once.
        sleep: sleeps, then answers; ``{}`` in it is replaced by the seconds.
        crash: kills its process; ``{}`` in it is replaced by the seconds that it sleeps before.
        own: whether the application is the user's and not the built-in one.
    """

    fast: str = "/"
    sleep: str = "/sleep?seconds={}"
    crash: str = "/crash?seconds={}"
    own: bool = False

    def sleeping(self, seconds: float) -> str:
        """Return the path that sleeps ``seconds``, or as long as the user's sleeps."""
        return self.sleep.replace("{}", f"{seconds:g}")

    def crashing(self, seconds: float) -> str:
        """Return the path that crashes after ``seconds``, or at once when it cannot be told."""
        return self.crash.replace("{}", f"{seconds:g}")

    def nap(self, seconds: float, otherwise: float) -> float:
        """Return how long ``sleeping(seconds)`` sleeps; ``otherwise`` when the path is fixed."""
        return seconds if "{}" in self.sleep else otherwise


@dataclass(frozen=True, slots=True)
class Wishes:
    """Seconds, counts, and what every server gets on its command line.

    Attributes:
        arguments: of ``hybridd run``: application, files, settings.
        duration: of the load on each pattern.
        concurrency: connections of the load.
        sleep, clients: of the demonstration.
        workers: of the patterns that have several.
        load: ``own`` or ``wrk``.
    """

    arguments: tuple[str, ...] = (BUILT_IN,)
    patterns: tuple[Pattern, ...] = PATTERNS
    routes: Routes = Routes()
    duration: float = 4.0
    concurrency: int = 16
    sleep: float = 1.0
    clients: int = 3
    workers: int = 3
    load: str = "own"


@dataclass(frozen=True, slots=True)
class Visit:
    """One start of a server, and what is measured on it."""

    workers: int
    experiments: tuple[str, ...]
    settings: tuple[str, ...] = ()


# Load is measured on one worker: what several do together depends on how many CPUs are left for them, and the load
# client would be the limit.  Everything else is measured on the pattern as it is meant.
UNDER_LOAD = Visit(1, ("load",))

# A server that is soon full: 8 connections in each worker (4 of them at work) and 8 in the backlog.
LITTLE_ROOM = (
    *("--backlog", "8", "--threads", "4"),
    *("--set", "limits.connections=8", "--set", "limits.queue=4"),
)


def visits(pattern: Pattern, wishes: Wishes) -> list[Visit]:
    """Return the servers to start for a pattern when its turn comes, and what is measured on each."""
    workers = wishes.workers if pattern.several else 1
    others = tuple(name for name in ("demonstration", "crash") if possible(name, wishes.routes))
    found = [Visit(workers, ("crowd", *others))]  # the crowd comes to a server that has not grown yet, the crash last
    if possible("backlog", wishes.routes):
        found.append(Visit(workers, ("backlog",), LITTLE_ROOM))
    return found


def possible(experiment: str, routes: Routes) -> bool:
    """Tell whether the application has the routes that an experiment needs."""
    match experiment:
        case "demonstration" | "backlog":
            return bool(routes.sleep)
        case "crash":
            return bool(routes.sleep and routes.crash)
        case _:
            return True


def missing(routes: Routes) -> str:
    """Return what is not measured for want of a route, and the options that name one; empty when all can be."""
    parts = []
    if not routes.sleep:
        parts.append("the demonstration and the full backlog need --sleep-path")
    if not (routes.sleep and routes.crash):
        parts.append(f"the cost of a crash needs {'' if routes.sleep else '--sleep-path and '}--crash-path")
    return "; ".join(parts)


def server_arguments(pattern: Pattern, visit: Visit, wishes: Wishes) -> list[str]:
    """Return what ``hybridd run`` gets."""
    return [*wishes.arguments, "--pattern", pattern.name, "--workers", str(visit.workers), *visit.settings]


def expected_seconds(experiment: str, pattern: Pattern, wishes: Wishes) -> float:
    """Return about how long an experiment takes, its part of a server's start included; for the progress bar."""
    match experiment:
        case "load":
            return wishes.duration + 1.5
        case "demonstration":
            return wishes.sleep * (wishes.clients if pattern.name in {"serial", "reactor"} else 1) + 0.5
        case "crowd":
            return 4.5
        case _:
            return 2.5


def total_seconds(wishes: Wishes) -> float:
    """Return about how long everything takes."""
    return sum(
        expected_seconds(name, pattern, wishes)
        for pattern in wishes.patterns
        for visit in (UNDER_LOAD, *visits(pattern, wishes))
        for name in visit.experiments
    )
