"""What /status, /readyz, STATUS= and the metrics say: the master's state in words and figures.

Knows:     the state, the scoreboard, what was last seen of each process.
Never:     decides, writes.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import hybridd
from hybridd.config.listener_words import Words, words_of
from hybridd.config.settings import Config
from hybridd.http.counts import BUCKETS
from hybridd.master.certificates import NONE as NO_CERTIFICATES
from hybridd.master.certificates import Certificates
from hybridd.master.children import TICKETS, Child, Phase
from hybridd.master.deaths import REPLACED, Certificate
from hybridd.master.modes import Mode
from hybridd.master.narrative import cannot_be_made_again, workers
from hybridd.master.state import State
from hybridd.master.tickets import ForkServer
from hybridd.master.vitals import NANOSECOND, Vitals
from hybridd.net.listener import Listener
from hybridd.ops.accept_queue import read_accept_queue
from hybridd.ops.metrics import MasterFacts
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words

REMEMBERED = 100
"""Death certificates that are kept."""


@dataclass(slots=True)
class History:
    """What has happened so far and is reported.

    Attributes:
        restarts: workers that were replaced, by cause; every cause from the start.
        reaped_cpu: slot → CPU seconds of its dead.
        deaths: the newest certificates.
        deaths_total: all of them, by cause.
        reload_successful, reload_timestamp: of the last configuration that was read; seconds since 1970.
    """

    started: float
    reload_timestamp: float
    reload_successful: bool = True
    restarts: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(REPLACED, 0)))
    reaped_cpu: dict[int, float] = field(default_factory=dict)
    deaths: deque[Certificate] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    deaths_total: Counter[str] = field(default_factory=Counter)

    def note_death(self, certificate: Certificate, cpu: float, *, replaced: bool) -> None:
        """Add a death; ``replaced`` when another worker takes the place."""
        self.deaths.append(certificate)
        self.deaths_total[certificate.cause] += 1
        slot = certificate.child.slot
        self.reaped_cpu[slot] = self.reaped_cpu.get(slot, 0.0) + cpu
        if replaced and certificate.cause in REPLACED:
            self.restarts[certificate.cause] += 1


def name_of(state: State, now: float) -> str:
    """Return one word for how hybridd is."""
    if state.mode is Mode.RUNNING and (state.desired.trial or state.desired.fallback):
        return "reloading"
    if state.mode is Mode.RUNNING and degraded_reason(state, now):
        return "degraded"
    return state.mode.value


def sentence(state: State, now: float) -> str:
    """Return one sentence for ``systemctl status``."""
    desired, ready = state.desired, state.count(Phase.READY)
    name = name_of(state, now)
    if state.mode is Mode.STOPPING:
        return f"stopping: {workers(len(state.children))} left"
    text = f"{name}: {ready} of {workers(desired.workers)} ready"
    if desired.generation:
        text += f", generation {desired.generation}"
    if desired.trial and desired.generation:
        text += f", {desired.trial} is on trial"
    if desired.fallback:
        text += f" replaces {desired.fallback}"
    if why := degraded_reason(state, now):
        text += f"; {why}"
    result = state.last_reload
    if result is not None and result.refused:
        text += f"; last reload refused: {result.reason}"
    if state.last_upgrade is not None and not state.last_upgrade.pid:
        text += f"; last upgrade failed: {state.last_upgrade.reason}"
    return text


def reservations(state: State, now: float) -> dict[str, bool]:
    """Return what makes hybridd degraded, and whether it does; the keys are those of the metric."""
    return {"crashes": state.degraded(now), "refused_code": state.desired.stale}


def degraded_reason(state: State, now: float) -> str:
    """Return why hybridd calls itself degraded, empty when it does not."""
    policy = state.policy
    words_for = {
        "crashes": f"{policy.restarts} or more workers crashed within {policy.window:g} s",
        "refused_code": cannot_be_made_again(state),
    }
    return "; ".join(words_for[reason] for reason, holds in reservations(state, now).items() if holds)


def readiness(state: State, now: float) -> tuple[bool, str]:
    """Return whether requests should be sent here, and a line that says why (not)."""
    ready = state.count(Phase.READY)
    if state.mode in {Mode.STOPPING, Mode.STOPPED}:
        return False, "not ready: hybridd is stopping"
    if not ready:
        return False, "not ready: no worker is ready" + (" yet" if state.mode is Mode.STARTING else "")
    text = f"ready: {ready} of {workers(state.desired.workers)}"
    why = degraded_reason(state, now)
    return True, f"{text}; degraded: {why}" if why else text


def facts(state: State, sources: Sources, now: float) -> MasterFacts:
    """Return what the metrics say of the master."""
    history, weights = sources.history, sources.vitals.scales.weights
    return MasterFacts(
        workers={phase.value: state.count(phase) for phase in Phase},
        restarts=history.restarts,
        pids={child.slot: child.pid for child in state.children.values()},
        proportional={child.slot: weights[child.pid] for child in state.children.values() if weights.get(child.pid)},
        reaped_cpu=history.reaped_cpu,
        reload_successful=history.reload_successful,
        reload_timestamp=history.reload_timestamp,
        degraded=reservations(state, now),
        listeners={listener.address: listener.fileno() for listener in sources.listeners() if listener.fileno() >= 0},
        certificates={file: one.not_after for file, one in sources.certificates().found.items()},
    )


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report takes its figures from."""

    scoreboard: Scoreboard
    vitals: Vitals
    history: History
    listeners: Callable[[], Sequence[Listener]]
    admin: Sequence[Listener]
    control: Listener | None
    fork_servers: Callable[[], Sequence[ForkServer]] = tuple
    certificates: Callable[[], Certificates] = lambda: NO_CERTIFICATES


def report(state: State, config: Config, sources: Sources, now: float, *, stacks: bool = False) -> dict[str, Any]:
    """Return /status; ``stacks``: with those of the dead, which are long."""
    history = sources.history
    children = sorted(state.children.values(), key=lambda child: child.slot)
    return {
        "version": hybridd.__version__,
        "pid": os.getpid(),
        "state": name_of(state, now),
        "status": sentence(state, now),
        "uptime": round(now - history.started, 3),
        "application": config.protocol or config.application or "the built-in welcome application",
        "pattern": config.pattern,
        "dispatch": config.dispatch,
        "threads": config.threads,
        "generation": state.desired.generation,
        "trial": state.desired.trial or None,
        "workers_wanted": state.desired.workers,
        "workers": [_worker(child, sources, now) for child in children],
        "duration_bounds": BUCKETS,
        "fork_servers": [_fork_server(one, sources, now) for one in sources.fork_servers()],
        "listeners": _listeners(sources.listeners(), config),
        "admin": [listener.address for listener in sources.admin],
        "control": sources.control.address if sources.control else None,
        "reload": _reload(state, history, now),
        "upgrade": _upgrade(state, now),
        "degraded": degraded_reason(state, now) or None,
        "deaths": _deaths(history, now, stacks=stacks),
    }


def _fork_server(one: ForkServer, sources: Sources, now: float) -> dict[str, Any]:
    return {
        "pid": one.pid,
        "generation": one.generation,
        "state": one.stage.value,
        "uptime": round(now - one.born, 3),
        "rss": sources.vitals.look(one.pid).resident or None,
    }


def _worker(child: Child, sources: Sources, now: float) -> dict[str, Any]:
    row = sources.scoreboard.row(child.slot)
    values = row.read()
    seen = sources.vitals.look(child.pid)  # now: who asks twice wants to know what was in between
    *durations, duration_sum = values[words.LAYOUT.span("http_duration")]
    return {
        "slot": child.slot,
        "pid": child.pid if child.pid < TICKETS else 0,  # not born yet
        "generation": child.generation,
        "state": child.phase.value,
        "why": child.why or child.marked or None,
        "uptime": round(now - child.born, 3),
        "heartbeat_age": _age(values[words.HEARTBEAT], now),
        "busy_for": _age(values[words.BUSY_SINCE], now),
        "rss": seen.resident or None,
        "pss": sources.vitals.scales.weights.get(child.pid) or None,
        "cpu_seconds": round(seen.cpu, 3) if seen.resident else None,
        "threads": values[words.THREADS],
        "connections": values[words.CONNECTIONS],
        "accepted": values[words.CONNECTIONS_ACCEPTED],
        "calls_running": values[words.CALLS_RUNNING],
        "calls_queued": values[words.CALLS_QUEUED],
        "requests": sum(values[words.LAYOUT.span("http_requests")]),
        "durations": durations,
        "duration_sum": round(duration_sum * NANOSECOND, 6),
        "calls": [_call(call, now) for call in words.read_calls(row)],
    }


def _age(since: int, now: float) -> float | None:
    return round(max(0.0, now - since * NANOSECOND), 3) if since else None


def _call(call: words.CallInFlight, now: float) -> dict[str, Any]:
    return {
        "state": call.state.name.lower(),
        "age": _age(call.since, now) or 0.0,
        "method": call.method,
        "path": call.path.encode("latin-1").decode("utf-8", "replace"),  # WSGI writes bytes as latin-1
        "request": call.request_id,
    }


def _listeners(listeners: Sequence[Listener], config: Config) -> list[dict[str, Any]]:
    said = words_of([listener.name for listener in listeners], config.listen)
    return [_listener(listener, words) for listener, words in zip(listeners, said, strict=True)]


def _listener(listener: Listener, words: Words) -> dict[str, Any]:
    queue = read_accept_queue(listener.fileno()) if listener.fileno() >= 0 else None
    return {
        "name": listener.name,
        "address": listener.address,
        "words": str(words),
        "accept_queue": None if queue is None else queue.length,
        "accept_queue_limit": None if queue is None else queue.limit,
    }


def _reload(state: State, history: History, now: float) -> dict[str, Any]:
    result = state.last_reload
    return {
        "successful": history.reload_successful,
        "timestamp": round(history.reload_timestamp, 3),
        "generation": None if result is None else result.generation,
        "reason": None if result is None else result.reason or None,
        "age": None if result is None else round(now - result.at, 3),
        "pending": state.desired.reload_asked,
    }


def _upgrade(state: State, now: float) -> dict[str, Any]:
    successor, result = state.desired.successor, state.last_upgrade
    return {
        "successor": None if successor is None else {"pid": successor.pid, "state": successor.stage.value},
        "pending": state.desired.upgrade_asked,
        "failure": None if result is None else result.reason or None,
        "age": None if result is None else round(now - result.at, 3),
    }


def _death(certificate: Certificate, now: float, *, stacks: bool = False) -> dict[str, Any]:
    death = {"age": round(now - certificate.at, 3), "what": certificate.reason, **certificate.fields}
    return death | {"stacks": certificate.remains.stacks or None} if stacks else death


def _deaths(history: History, now: float, *, stacks: bool) -> dict[str, Any]:
    last = history.deaths[-1] if history.deaths else None
    by_cause: Mapping[str, int] = history.deaths_total
    return {
        "total": sum(by_cause.values()),
        "by_cause": dict(sorted(by_cause.items())),
        "last": None if last is None else _death(last, now),
        "kept": [_death(certificate, now, stacks=stacks) for certificate in history.deaths],
    }
