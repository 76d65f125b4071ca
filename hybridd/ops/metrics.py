"""The metrics: what Prometheus sees, made from the scoreboard, from /proc, and from what the master knows.

Everything is gathered when it is asked for, in the master, from shared memory: no files, no second process, no work in
the workers.  Counters live through every worker's death, because the scoreboard keeps what the dead had counted.
(What the application counts with prometheus_client is another matter: application_metrics.py.)

Knows:     how to gather; the shape of what workers report (a Layout), not its meaning.
Never:     the master's tables (it gets a MasterFacts); waits.
Runs in:   the master.
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

import hybridd
from hybridd.ops.accept_queue import AcceptQueue, read_accept_queue
from hybridd.ops.layout import CounterFamily, GaugeFamily, HistogramFamily
from hybridd.ops.metric_declarations import (
    ACCEPT_QUEUE,
    ACCEPT_QUEUE_LIMIT,
    APPLICATION_DROPPED,
    APPLICATION_SECONDS,
    APPLICATION_SERIES,
    BUILD_INFO,
    CERTIFICATE_EXPIRY,
    COLLECT_DURATION,
    CPU,
    DEGRADED,
    HEARTBEAT,
    OPEN_FDS,
    PROPORTIONAL,
    RELOAD_SUCCESSFUL,
    RELOAD_TIMESTAMP,
    RESIDENT,
    RESTARTS,
    WORKERS,
    Declaration,
    declarations,
)
from hybridd.ops.procfs import Process, read_process
from hybridd.ops.scoreboard import Reading, Scoreboard

NANOSECOND: Final = 1e-9
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_QVALUE: Final = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class MasterFacts:
    """What the master knows at the moment of a scrape.

    Attributes:
        workers: state → number of workers; every state is a key, so that its series always exists.
        restarts: cause → workers replaced because of it since the start; every cause is a key.
        pids: slot → pid of the living workers.
        proportional: slot → bytes of its living worker's proportional set size, as far as they are known.
        reaped_cpu: slot → CPU seconds of its reaped workers (wait4's rusage), so that the total never falls.
        reload_successful: whether the last configuration that was read is the one in force; the first one counts.
        reload_timestamp: when one last was taken into force, seconds since 1970.
        degraded: reason → whether hybridd is degraded because of it; every reason is a key.
        listeners: address → descriptor of a listening socket; those that are not TCP are passed over.
        certificates: file → when the certificate in it ends, seconds since 1970.
    """

    workers: Mapping[str, int]
    restarts: Mapping[str, int]
    pids: Mapping[int, int] = field(default_factory=dict)
    proportional: Mapping[int, int] = field(default_factory=dict)
    reaped_cpu: Mapping[int, float] = field(default_factory=dict)
    reload_successful: bool = True
    reload_timestamp: float = 0.0
    degraded: Mapping[str, bool] = field(default_factory=dict)
    listeners: Mapping[str, int] = field(default_factory=dict)
    certificates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApplicationFigures:
    """About the application's own metrics in this answer: how many series, what was left out by reason, seconds."""

    series: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a scrape reads what neither the scoreboard nor the master knows."""

    process: Callable[[int], Process | None] = read_process
    accept_queue: Callable[[int], AcceptQueue | None] = read_accept_queue
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    stopwatch: Callable[[], float] = time.perf_counter


Families = dict[str, Metric]


class ScoreboardCollector(Collector):
    """Collects all metrics of hybridd; the row layout must have a word ``heartbeat`` (ns, CLOCK_MONOTONIC).

    Attributes:
        application: what is to be said of the application's own metrics in the next answer.
    """

    def __init__(
        self,
        scoreboard: Scoreboard,
        gauges: Sequence[GaugeFamily],
        facts: Callable[[], MasterFacts],
        machine: Machine | None = None,
    ) -> None:
        self.application = ApplicationFigures()
        self._scoreboard = scoreboard
        self._gauges = gauges
        self._facts = facts
        self._machine = machine or Machine()
        self._declarations = declarations(scoreboard.layout, gauges)
        self._heartbeat = scoreboard.layout.word("heartbeat")

    def describe(self) -> list[Metric]:
        """Return every family without samples; the registry reads the names there."""
        return list(self._families().values())

    def collect(self) -> list[Metric]:
        """Gather all figures of this moment."""
        stopwatch = self._machine.stopwatch
        began = stopwatch()
        families, facts, reading = self._families(), self._facts(), self._scoreboard.read()
        self._add_master(families, facts)
        self._add_processes(families, facts, reading)
        self._add_gauges(families, reading)
        self._add_counters(families, reading)
        self._add_application(families)
        _add(families, COLLECT_DURATION, (), stopwatch() - began)
        return list(families.values())

    def _families(self) -> Families:
        return {declared.metric: _family(declared) for declared in self._declarations}

    def _add_master(self, families: Families, facts: MasterFacts) -> None:
        build = (hybridd.__version__, platform.python_version(), platform.python_implementation())
        _add(families, BUILD_INFO, build, 1)
        for state, number in facts.workers.items():
            _add(families, WORKERS, (state,), number)
        for cause, number in facts.restarts.items():
            _add(families, RESTARTS, (cause,), number)
        _add(families, RELOAD_SUCCESSFUL, (), int(facts.reload_successful))
        _add(families, RELOAD_TIMESTAMP, (), facts.reload_timestamp)
        for reason, holds in facts.degraded.items():
            _add(families, DEGRADED, (reason,), int(holds))
        for file, end in facts.certificates.items():
            _add(families, CERTIFICATE_EXPIRY, (file,), end)
        for listener, fd in facts.listeners.items():
            queue = self._machine.accept_queue(fd)
            if queue is not None:
                _add(families, ACCEPT_QUEUE, (listener,), queue.length)
                _add(families, ACCEPT_QUEUE_LIMIT, (listener,), queue.limit)

    def _add_application(self, families: Families) -> None:
        application = self.application
        _add(families, APPLICATION_SERIES, (), application.series)
        for reason in APPLICATION_DROPPED.labels["reason"]:
            _add(families, APPLICATION_DROPPED, (reason,), application.dropped.get(reason, 0))
        _add(families, APPLICATION_SECONDS, (), application.seconds)

    def _add_processes(self, families: Families, facts: MasterFacts, reading: Reading) -> None:
        epoch = self._machine.wall() - self._machine.monotonic()
        for slot in sorted(reading.by_slot):
            label = (str(slot),)
            process = self._machine.process(facts.pids[slot]) if slot in facts.pids else None
            cpu = facts.reaped_cpu.get(slot, 0.0)
            if process is not None:
                cpu += process.stat.cpu_seconds
                _add(families, RESIDENT, label, process.stat.resident_bytes)
                if slot in facts.proportional:
                    _add(families, PROPORTIONAL, label, facts.proportional[slot])
                if process.open_fds is not None:
                    _add(families, OPEN_FDS, label, process.open_fds)
            _add(families, CPU, label, cpu)
            heartbeat = reading.rows[slot][self._heartbeat] if slot in reading.rows else 0
            if heartbeat:  # a booting worker has none: "never" would look like a worker that hangs since 1970
                _add(families, HEARTBEAT, label, round(epoch + heartbeat * NANOSECOND, 3))

    def _add_gauges(self, families: Families, reading: Reading) -> None:
        rows = reading.rows.values()
        for family in self._gauges:
            for label, value in family.values.items():
                total = sum(value(row) for row in rows)
                families[family.metric].add_sample(family.metric, {family.label: label}, total)

    def _add_counters(self, families: Families, reading: Reading) -> None:
        for family in self._scoreboard.layout.counters:
            span = self._scoreboard.layout.span(family.name)
            if isinstance(family, HistogramFamily):
                _add_histogram(families[family.metric], family, reading.totals[span])
            elif family.per_slot:
                for slot, totals in sorted(reading.by_slot.items()):
                    _add_words(families[family.metric], family, totals[span], {"worker": str(slot)})
            else:
                _add_words(families[family.metric], family, reading.totals[span], {})


def make_registry(collector: Collector) -> CollectorRegistry:
    """Return a registry of our own with the collector and ``process_*`` of this process (the master).

    Not the library's global one: whatever the application registers there is none of the master's.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    return registry


def render(registry: CollectorRegistry, accept: str) -> tuple[str, bytes]:
    """Return (content type, body) for the value of an Accept header: OpenMetrics when asked for, else text."""
    if prefers_openmetrics(accept):
        content = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]  # it has no annotations
        return openmetrics.CONTENT_TYPE_LATEST, content
    return TEXT, generate_latest(registry)


def prefers_openmetrics(accept: str) -> bool:
    """Whether a scraper would rather have OpenMetrics 1.0 than the text format, by its weights (RFC 9110, 12.5.1).

    The library's own ``choose_encoder`` raises for a version that is no number and repeats any version as its own.
    """
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        pairs = dict(parameter.partition("=")[::2] for parameter in parameters)
        if kind in weights and (kind == "text/plain" or pairs.get("version", "1.0.0") == "1.0.0"):
            weights[kind] = max(weights[kind], _weight(pairs.get("q", "1")))
    return 0 < weights["application/openmetrics-text"] >= weights["text/plain"]


def _weight(text: str) -> float:
    return float(text) if _QVALUE.fullmatch(text) else 0.0


def _family(declared: Declaration) -> Metric:
    return Metric(declared.metric.removesuffix("_total"), declared.help, declared.kind)


def _add(families: Families, declared: Declaration, labels: Sequence[str], value: float) -> None:
    names = declared.labels
    families[declared.metric].add_sample(declared.metric, dict(zip(names, labels, strict=True)), value)


def _add_words(into: Metric, family: CounterFamily, words: Sequence[int], first: Mapping[str, str]) -> None:
    for values, count in zip(family.combinations(), words, strict=True):
        labels = {**first, **dict(zip(family.labels, values, strict=True))}
        into.add_sample(family.metric, labels, count * family.unit)


def _add_histogram(into: Metric, family: HistogramFamily, words: Sequence[int]) -> None:
    *counts, sum_ns = words
    bounds = [*(str(bound) for bound in family.bounds), "+Inf"]
    for bound, count in zip(bounds, accumulate(counts), strict=True):
        into.add_sample(f"{family.metric}_bucket", {"le": bound}, count)
    into.add_sample(f"{family.metric}_count", {}, sum(counts))
    into.add_sample(f"{family.metric}_sum", {}, sum_ns * NANOSECOND)
