"""The names of the metrics, their types, labels and meanings: declared once, for /metrics and for docs/metrics.md.

Those that workers count are declared with their words in the scoreboard (a Layout); here are those of the master.

Knows:     names.
Never:     values.
Runs in:   the master.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hybridd.ops.layout import GaugeFamily, HistogramFamily, Layout
from hybridd.ops.value_merging import Refusal


@dataclass(frozen=True, slots=True)
class Declaration:
    """One metric: its name as exposed, ``gauge``, ``counter`` or ``histogram``, and its labels with their values.

    An empty tuple of values means that they come with what exists (slots, listeners).
    """

    metric: str
    kind: str
    help: str
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)


SLOT: Final[Mapping[str, Sequence[str]]] = {"worker": ()}

BUILD_INFO: Final = Declaration(
    "hybridd_build_info",
    "gauge",
    "Always 1; the labels say what runs.",
    {"version": (), "python": (), "implementation": ()},
)
WORKERS: Final = Declaration("hybridd_workers", "gauge", "Worker processes, by state.", {"state": ()})
RESTARTS: Final = Declaration(
    "hybridd_worker_restarts_total", "counter", "Workers that were replaced, by cause.", {"cause": ()}
)
RESIDENT: Final = Declaration(
    "hybridd_worker_resident_memory_bytes", "gauge", "Resident memory of the worker, shared pages included.", SLOT
)
PROPORTIONAL: Final = Declaration(
    "hybridd_worker_proportional_memory_bytes",
    "gauge",
    "Memory of the worker where a page that n processes share counts 1/n (PSS), as last looked at: every 10 s or less"
    " often.",
    SLOT,
)
CPU: Final = Declaration(
    "hybridd_worker_cpu_seconds_total", "counter", "CPU time of all processes that this worker slot has had.", SLOT
)
HEARTBEAT: Final = Declaration(
    "hybridd_worker_heartbeat_timestamp_seconds", "gauge", "When the worker's loop last turned, since 1970.", SLOT
)
OPEN_FDS: Final = Declaration("hybridd_worker_open_fds", "gauge", "Open file descriptors of the worker.", SLOT)
ACCEPT_QUEUE: Final = Declaration(
    "hybridd_listener_accept_queue",
    "gauge",
    "Connections in the kernel's queue that no worker has accepted yet (TCP).",
    {"listener": ()},
)
ACCEPT_QUEUE_LIMIT: Final = Declaration(
    "hybridd_listener_accept_queue_limit",
    "gauge",
    "Connections that fit into that queue; further ones are dropped by the kernel (TCP).",
    {"listener": ()},
)
RELOAD_SUCCESSFUL: Final = Declaration(
    "hybridd_config_last_reload_successful", "gauge", "1 when the last configuration that was read is in force."
)
DEGRADED: Final = Declaration(
    "hybridd_degraded",
    "gauge",
    "1 while hybridd serves with a reservation: crashes, many workers died lately; refused_code, what is on disk now"
    " was refused, so the generation that serves cannot be re-created.",
    {"reason": ("crashes", "refused_code")},
)
RELOAD_TIMESTAMP: Final = Declaration(
    "hybridd_config_last_reload_success_timestamp_seconds", "gauge", "When a configuration last came into force."
)
APPLICATION_SERIES: Final = Declaration(
    "hybridd_application_metrics_series", "gauge", "Series of the application's own metrics in this answer."
)
APPLICATION_DROPPED: Final = Declaration(
    "hybridd_application_metrics_dropped",
    "gauge",
    "Families (with damaged_file and file_too_large: files) of the application that this answer does not have, or not"
    " whole; failed: all of them. The log names each once.",
    {"reason": tuple(refusal.value for refusal in Refusal)},
)
APPLICATION_SECONDS: Final = Declaration(
    "hybridd_application_metrics_collect_duration_seconds",
    "gauge",
    "How long a process beside the master took to gather and add up the application's own metrics for this answer.",
)
CERTIFICATE_EXPIRY: Final = Declaration(
    "hybridd_tls_certificate_expiry_timestamp_seconds",
    "gauge",
    "When the certificate in this file, as it was read last, ends, since 1970.",
    {"certificate": ()},
)
COLLECT_DURATION: Final = Declaration(
    "hybridd_metrics_collect_duration_seconds", "gauge", "How long this scrape took to gather its figures."
)
OF_MASTER: Final = (
    BUILD_INFO,
    WORKERS,
    RESTARTS,
    RESIDENT,
    PROPORTIONAL,
    CPU,
    HEARTBEAT,
    OPEN_FDS,
    ACCEPT_QUEUE,
    ACCEPT_QUEUE_LIMIT,
    RELOAD_SUCCESSFUL,
    RELOAD_TIMESTAMP,
    DEGRADED,
    APPLICATION_SERIES,
    APPLICATION_DROPPED,
    APPLICATION_SECONDS,
    CERTIFICATE_EXPIRY,
    COLLECT_DURATION,
)


def declarations(layout: Layout, gauges: Iterable[GaugeFamily]) -> tuple[Declaration, ...]:
    """Return every metric of ours, in the order of the page."""
    of_workers = [
        Declaration(family.metric, "gauge", family.help, {family.label: tuple(family.values)}) for family in gauges
    ]
    for family in layout.counters:
        if isinstance(family, HistogramFamily):
            of_workers.append(Declaration(family.metric, "histogram", family.help))
        else:
            labels = {**SLOT, **family.labels} if family.per_slot else family.labels
            of_workers.append(Declaration(family.metric, "counter", family.help, labels))
    return (*OF_MASTER[:-1], *of_workers, OF_MASTER[-1])
