"""The measurements: what the client process does to a server, and what the figures are made of.

Knows:     the commands of the client process, footprints, wrk.
Never:     which pattern it measures; how figures are shown.
Runs in:   the command line tool.
Raises:    OperatingSystemError when the client cannot do its work, BootError when the server does not answer at all,
           UsageError when the user's application does not have the route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hybridd.compare import footprint, wrk
from hybridd.compare.client_process import ClientProcess
from hybridd.compare.exchange import Fate
from hybridd.compare.figures import Backlog, Crash, Crowd, Demonstration, Load, Round
from hybridd.compare.percentiles import highest, lowest
from hybridd.compare.server import Server
from hybridd.compare.wishes import Routes, Wishes
from hybridd.errors import BootError, UsageError

ROUND_SECONDS = 0.5
WRK_ROUND_SECONDS = 1.0  # it knows whole seconds only
_WARM_UP_SECONDS = 0.3
_PATIENCE = 5.0

CROWD = 100
_SETTLE_SECONDS, _SETTLE_MOST = 0.4, 8
"""A server has taken the crowd in when it has not grown for so long; not awaited more often than this."""

_FRESH_SECONDS, _FRESH_MOST, _FRESH_PATIENCE = 2.0, 300, 3.0
_BASELINE_SECONDS, _BASELINE_MOST = 0.5, 80

_NAP = 0.1  # seconds that bystanders of a crash sleep
_CRASH_EVERY = 0.005  # seconds between two of them: a worker that is still busy with the last one leaves it to others
_CRASH_DELAY = 0.05  # seconds behind the last one: in the middle of its nap
_CRASH_LINGER = 0.3  # seconds of silence after which no more connections break
_CRASH_SECONDS = 2.0  # what all naps may take one after the other
_FEWEST, _MOST = 4, 20

_FULL_CLIENTS, _FULL_SLEEP = 64, 2.0
_FULL_EVERY = 0.005
"""Seconds between two of them: all at once, some would find the backlog not yet full and be forgotten behind that."""

_FULL_PATIENCE = 0.95
"""Seconds: within the first second, after which the kernel sends a SYN that was dropped again (tcp(7))."""

_ERRORS_FROM = 400
_UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Bench:
    """What an experiment works with; ``cpu`` is the load client's, None when it has none of its own."""

    server: Server
    client: ClientProcess
    wishes: Wishes
    cpu: int | None


def settle(bench: Bench) -> None:
    """Wait until what the last experiment left is worked off: connections are accepted in their order."""
    path, port = bench.wishes.routes.fast, bench.server.port
    bench.client.ask("fresh", _PATIENCE, port=port, path=path, patience=_PATIENCE, seconds=_PATIENCE, most=1)


def prepare_load(bench: Bench) -> None:
    """See that the route is there, and let the server get warm."""
    _probe(bench, bench.wishes.routes.fast, "--path")
    _own_load(bench, _WARM_UP_SECONDS)


def load_round(bench: Bench, seconds: float) -> Round:
    """Ask as fast as answers come."""
    load = _wrk_load if bench.wishes.load == "wrk" else _own_load
    before = footprint.cpu_time(bench.server.session)
    came = load(bench, seconds)
    return to_round(came, footprint.cpu_time(bench.server.session) - before)


def _wrk_load(bench: Bench, seconds: float) -> Mapping[str, Any]:
    wishes = bench.wishes
    return wrk.run(bench.server.port, wishes.routes.fast, wishes.concurrency, max(1, round(seconds)), bench.cpu)


def _own_load(bench: Bench, seconds: float) -> Mapping[str, Any]:
    came: Mapping[str, Any] = bench.client.ask(
        "load",
        seconds,
        port=bench.server.port,
        path=bench.wishes.routes.fast,
        connections=bench.wishes.concurrency,
        seconds=seconds,
    )
    return came


def round_lengths(wishes: Wishes) -> list[float]:
    """Divide the duration into rounds, at least one."""
    duration, each = wishes.duration, WRK_ROUND_SECONDS if wishes.load == "wrk" else ROUND_SECONDS
    count = max(1, round(duration / each))
    return [duration / count] * count


def to_round(came: Mapping[str, Any], cpu: float) -> Round:
    """Return a round from what the client says and the CPU seconds that the server used."""
    return Round(
        requests=came["requests"],
        failures=came["failures"],
        seconds=came["seconds"],
        p50=came["p50"],
        p99=came["p99"],
        cpu=cpu,
        client_cpu=came["client_cpu"],
    )


def summary(rounds: Sequence[Round]) -> Load:
    """Return the best of each figure."""
    fastest = max(rounds, key=lambda one: one.requests / one.seconds)
    return Load(
        rate=highest(one.requests / one.seconds for one in rounds) or 0.0,
        p50=lowest(one.p50 for one in rounds),
        p99=lowest(one.p99 for one in rounds),
        cpu=lowest(one.cpu / one.requests for one in rounds if one.requests),
        failures=sum(one.failures for one in rounds),
        client_cpu=fastest.client_cpu,
    )


def demonstrate(bench: Bench) -> Demonstration:
    """Let some clients ask at once for what sleeps."""
    wishes = bench.wishes
    path = wishes.routes.sleeping(wishes.sleep)
    ended = _burst(bench, [(0.0, path)] * wishes.clients, wishes.sleep * wishes.clients + _PATIENCE)
    wrong = next((one["status"] for one in ended if one["status"] >= _ERRORS_FROM), None)
    if wrong and wishes.routes.own and wrong != _UNAVAILABLE:
        raise UsageError(f"--sleep-path {path}: the application answers {wrong}")
    answered = [one["ended"] for one in ended if one["ended"] is not None and one["status"] < _ERRORS_FROM]
    return Demonstration(wishes.clients, wishes.sleep, len(answered), highest(answered))


def crowd(bench: Bench) -> Crowd:
    """Let slow clients come, look what they cost, and let fresh clients come among them."""
    path, port, client = bench.wishes.routes.fast, bench.server.port, bench.client
    fresh: dict[str, Any] = {"port": port, "path": path, "patience": _FRESH_PATIENCE}
    alone = client.ask("fresh", _BASELINE_SECONDS, **fresh, seconds=_BASELINE_SECONDS, most=_BASELINE_MOST)
    before = footprint.measure(bench.server.session)
    client.ask("gather", 0.0, port=port, size=CROWD)
    after, returned = _settled(bench)
    among = client.ask("fresh", _FRESH_SECONDS, **fresh, seconds=_FRESH_SECONDS, most=_FRESH_MOST)
    client.ask("disperse", 0.0)
    return Crowd(
        size=CROWD,
        returned=returned,
        memory=max(0, after.memory - before.memory),
        processes=max(0, after.processes - before.processes),
        threads=max(0, (after.threads - after.processes) - (before.threads - before.processes)),
        answered=among["answered"],
        refused=among["refused"],
        unanswered=among["unanswered"],
        p50=among["p50"],
        p99=among["p99"],
        before=alone["p99"],
        patience=_FRESH_PATIENCE,
    )


def _settled(bench: Bench) -> tuple[footprint.Footprint, int]:
    """Return what the server takes when it has taken in who came, and how many were thrown out meanwhile."""
    after = footprint.measure(bench.server.session)
    returned = 0
    for _ in range(_SETTLE_MOST):
        returned = bench.client.ask("trickle", _SETTLE_SECONDS, seconds=_SETTLE_SECONDS)["returned"]
        before, after = after, footprint.measure(bench.server.session)
        if after.processes <= before.processes and after.threads <= before.threads:
            break
    return after, returned


def crash(bench: Bench) -> Crash:
    """Let clients wait for answers, or keep their connections open after them, while one handler kills its process."""
    routes = bench.wishes.routes
    nap = routes.nap(_NAP, bench.wishes.sleep)
    bystanders = bystanders_for(nap)
    requests = crash_requests(routes, nap, bystanders)
    ended = _burst(bench, requests, nap * bystanders + _PATIENCE, _CRASH_LINGER)
    return Crash(len(ended), sum(one["fate"] not in {Fate.KEPT, Fate.CLOSED} for one in ended))


def crash_requests(routes: Routes, nap: float, bystanders: int) -> list[tuple[float, str]]:
    """Return who comes when.

    The one that crashes comes in the middle of the others and waits until all are there: the last one would go to the
    worker that has the fewest.  When its route cannot wait it has to be the last.
    """
    requests = [(number * _CRASH_EVERY, routes.sleeping(nap)) for number in range(bystanders + 1)]
    place = bystanders // 2 if "{}" in routes.crash else bystanders
    wait = (bystanders - place) * _CRASH_EVERY + _CRASH_DELAY
    came = requests[place][0] + (0.0 if "{}" in routes.crash else wait)
    requests[place] = (came, routes.crashing(wait))
    return requests


def bystanders_for(nap: float) -> int:
    """Return how many clients shall be there: even one after the other they should not take long."""
    return min(_MOST, max(_FEWEST, int(_CRASH_SECONDS / nap) if nap else _MOST))


def fill_backlog(bench: Bench) -> Backlog:
    """Let more clients come than there is room for."""
    path = bench.wishes.routes.sleeping(_FULL_SLEEP)
    requests = [(number * _FULL_EVERY, path) for number in range(_FULL_CLIENTS)]
    return to_backlog(_burst(bench, requests, _FULL_PATIENCE), _FULL_PATIENCE)


def to_backlog(ended: Sequence[Mapping[str, Any]], patience: float) -> Backlog:
    """Return what clients saw."""
    statuses = [one["status"] for one in ended if one["ended"] is not None]
    fates = [one["fate"] for one in ended if one["ended"] is None]
    return Backlog(
        clients=len(ended),
        patience=patience,
        answered=sum(status < _UNAVAILABLE for status in statuses),
        turned_away=sum(status >= _UNAVAILABLE for status in statuses),
        waiting=fates.count(Fate.WAITING),
        silent=fates.count(Fate.CONNECTING),
        refused=fates.count(Fate.REFUSED) + fates.count(Fate.BROKEN),
    )


def _probe(bench: Bench, path: str, option: str) -> None:
    (ended,) = _burst(bench, [(0.0, path)], _PATIENCE)
    if ended["ended"] is None:
        raise BootError(f"GET {path} is not answered within {_PATIENCE:g} s")
    if ended["status"] >= _ERRORS_FROM:
        raise UsageError(f"{option} {path}: the application answers {ended['status']}")


def _burst(
    bench: Bench, requests: Sequence[tuple[float, str]], patience: float, linger: float = 0.0
) -> list[dict[str, Any]]:
    ended: list[dict[str, Any]] = bench.client.ask(
        "burst", patience, port=bench.server.port, requests=list(requests), patience=patience, linger=linger
    )
    return ended


EXPERIMENTS: Mapping[str, tuple[str, Callable[[Bench], Any]]] = {
    "demonstration": ("handlers that sleep", demonstrate),
    "crowd": ("slow clients", crowd),
    "crash": ("a crash", crash),
    "backlog": ("a full backlog", fill_backlog),
}
"""Field of Row → what the progress bar calls it, and what measures it."""
