"""The application's own metrics for /metrics: gathered from the files that its processes keep, rendered, bounded.

Whatever it costs (10,000 series in 8 workers: half a second) is spent in a process of its own, which the master forks
for one answer and which may be killed at any time.

Knows:     which names are ours, how much is too much.
Never:     runs or unpickles anything of the application's.
Runs in:   a process of its own (master/gathering.py).
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from hybridd.ops.metrics import TEXT, render
from hybridd.ops.value_merging import Family, Merger, Refusal, cumulated, select
from hybridd.ops.value_readings import Reading, read

OPENMETRICS: Final = "application/openmetrics-text"

RESERVED: Final = ("hybridd_", "process_", "python_")
"""How the names of the master's metrics begin."""

_END: Final = b"# EOF\n"
_NAMED: Final = 20
"""Names that are told to the log."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """One look.

    Attributes:
        body: the families as text, with the end mark if the format has one.
        series: how many samples it has.
        refused: what was left out, by reason.
        named: family or file → the reason; not all, when there are many.
        seconds: how long it took.
        error: why there is nothing, when it could not be done.
    """

    body: bytes = b""
    series: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


def gather(folder: str, *, openmetrics: bool, most: int) -> Gathered:
    """Read the folder, retire the dead, and render what the application has to say; ``most``: series in all.

    Raises:
        OSError: the folder is gone or full.
    """
    began = time.perf_counter()
    reading = read(folder, most)
    metrics, refused, series = _metrics(reading, most)
    registry = CollectorRegistry()
    registry.register(_Ready(metrics))
    _, body = render(registry, OPENMETRICS if openmetrics else TEXT)
    counts = Counter(why.value for why in refused.values()) + Counter(
        {why.value: number for why, number in reading.refused.items()}
    )
    named = {name: why.value for name, why in refused.items()}
    for text in reading.damaged:
        named.setdefault(f"the file {text}", Refusal.DAMAGED.value)
    return Gathered(
        body, series, dict(counts), dict(sorted(named.items())[:_NAMED]), round(time.perf_counter() - began, 6)
    )


def _metrics(reading: Reading, most: int) -> tuple[list[Metric], dict[str, Refusal], int]:
    merger = Merger()
    for name, entries in reading.living:  # first: what a family is, the newest code says
        merger.add(name.prefix, entries, name.owner)
    for prefix, entries in reading.retired.items():
        merger.add(prefix, entries)
    chosen, refused = select((merger.families[name] for name in sorted(merger.families)), most, RESERVED)
    refused |= merger.refused
    metrics, series = [], 0
    for family in chosen:
        try:
            metrics.append(_metric(family))
        except ValueError:
            refused[family.name] = Refusal.INVALID
        else:
            series += len(metrics[-1].samples)
    return metrics, refused, series


def _metric(family: Family) -> Metric:
    metric = Metric(family.name, family.help, family.kind)
    for sample, labels, value in cumulated(family):
        metric.add_sample(sample, dict(labels), value)
    return metric


class _Ready(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def join(ours: bytes, theirs: bytes) -> bytes:
    """Return one text of two in the same format: the end mark of OpenMetrics stands once."""
    return ours.removesuffix(_END) + theirs if theirs else ours


def encode(gathered: Gathered) -> bytes:
    """Return what crosses the pipe to the master: a line of JSON, then the body."""
    said = {
        "series": gathered.series,
        "refused": dict(gathered.refused),
        "named": dict(gathered.named),
        "seconds": gathered.seconds,
        "error": gathered.error,
        "length": len(gathered.body),
    }
    return json.dumps(said).encode() + b"\n" + gathered.body


def decode(data: bytes) -> Gathered | None:
    """Return what crossed the pipe, None for what is not whole: its writer has failed."""
    head, _, body = data.partition(b"\n")
    try:
        said: dict[str, Any] = json.loads(head)
    except ValueError:
        return None
    return Gathered(body, **said) if said.pop("length") == len(body) else None


def failed(error: str) -> Gathered:
    """Return what stands for a look that did not come to its end."""
    return Gathered(refused={Refusal.FAILED.value: 1}, error=error)
