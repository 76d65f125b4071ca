"""What the words of the scoreboard mean: the one layout of all rows.

The leader thread of a worker writes its row, the master and the other workers read it (rules: ops/scoreboard.py).
Offsets are plain integers, so that the hot path is ``row.words[words.BUSY_SINCE] = now``.  Times are nanoseconds of
CLOCK_MONOTONIC, which all processes of a machine share; 0 says "not now".

Knows:     names, label values, how a fact is packed into a word.
Never:     the clock, memory.
Runs in:   master and workers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from hybridd.http.counts import BUCKETS, HttpCounts
from hybridd.http.outcome import CLASSES, CLOSE_REASONS, HANDSHAKES, METHODS, REJECTIONS
from hybridd.ops.layout import Cells, CounterFamily, GaugeFamily, HistogramFamily, Layout
from hybridd.ops.scoreboard import Row
from hybridd.worker import handshake_words, leaving_words

LOGS: Final = ("error", "access")
_MILLISECOND: Final = 1_000_000  # of nanoseconds
CALL_CELLS: Final = 64  # calls in flight that a death certificate can name; there may be more calls than that

LAYOUT: Final = Layout(
    header=(
        "master_pid",
        "generation",  # the newest one
        *leaving_words.NAMES,
    ),
    gauges=(
        "pid",
        "state",  # WorkerState and generation, see pack_state
        "heartbeat",  # when the loop last beat (once per second)
        "asleep",  # 1: in select with the listener armed; else when it was woken from that, until its turn has ended
        "busy_since",  # when the turn began that has not ended; 0 while in select
        "oldest_call",  # when the oldest call that still runs began
        "accepting",  # 1 while the listeners are registered
        "connections",  # open ones
        "connections_reading",  # of these: a head or body is arriving
        "connections_active",  # of these: a complete request is not yet wholly answered
        "calls_running",
        "calls_queued",
        "threads",  # calls that may run at once
        "load",  # what the accept gate compares, see pack_load
    ),
    counters=(
        CounterFamily(
            "connections_accepted", "hybridd_connections_accepted_total", "Connections accepted.", per_slot=True
        ),
        CounterFamily(
            "connections_closed",
            "hybridd_connections_closed_total",
            "Connections closed, by what ended them.",
            {"reason": CLOSE_REASONS},
        ),
        CounterFamily(
            "http_requests",
            "hybridd_http_requests_total",
            "HTTP requests answered, by method and class of the status code.",
            {"method": METHODS, "code": CLASSES},
        ),
        CounterFamily(
            "http_rejected",
            "hybridd_http_requests_rejected_total",
            "HTTP requests refused by the server itself, by reason.",
            {"reason": REJECTIONS},
        ),
        HistogramFamily(
            "http_duration",
            "hybridd_http_request_duration_seconds",
            "Time from the first byte of a request to the last byte of its answer.",
            BUCKETS,
        ),
        HistogramFamily(
            "http_queue_wait",
            "hybridd_http_queue_wait_seconds",
            "Time a complete request waited for a handler.",
            BUCKETS,
        ),
        handshake_words.FAMILY,
        CounterFamily("network_receive", "hybridd_network_receive_bytes_total", "Bytes received from clients."),
        CounterFamily("network_transmit", "hybridd_network_transmit_bytes_total", "Bytes sent to clients."),
        CounterFamily(
            "handoffs",
            "hybridd_handoffs_total",
            "Calls that blocked while they led, so that another thread took the reactor over.",
        ),
        CounterFamily(
            "loop_stall",
            "hybridd_worker_loop_stall_seconds_total",
            "Time in which the worker's loop stood still, 0.1 s or more at a time: a C call kept the interpreter lock,"
            " a handler ran on the loop for so long, or the machine had no CPU for it.",
            per_slot=True,
            unit=1e-9,
        ),
        CounterFamily(
            "loop_stalls",
            "hybridd_worker_loop_stalls_total",
            "How often the worker's loop stood still for 0.1 s or more.",
            per_slot=True,
        ),
        CounterFamily(
            "log_dropped",
            "hybridd_log_lines_dropped_total",
            "Log lines of workers dropped because nobody read them in time.",
            {"log": LOGS},
        ),
    ),
    cells=(
        Cells("boot_error", 1, 2048),  # why the application could not boot
        Cells("calls", CALL_CELLS, 128),  # calls in flight, see write_call
    ),
)

# Header (writer: master).
MASTER_PID: Final = LAYOUT.header_word("master_pid")
NEWEST_GENERATION: Final = LAYOUT.header_word("generation")
_LEAVING: Final = LAYOUT.header_word(leaving_words.NAMES[0])
LEAVING_LISTENERS: Final = slice(_LEAVING, _LEAVING + len(leaving_words.NAMES))

# Gauges (writer: the worker's leader).
PID: Final = LAYOUT.word("pid")
STATE: Final = LAYOUT.word("state")
HEARTBEAT: Final = LAYOUT.word("heartbeat")
ASLEEP: Final = LAYOUT.word("asleep")
BUSY_SINCE: Final = LAYOUT.word("busy_since")
OLDEST_CALL: Final = LAYOUT.word("oldest_call")
ACCEPTING: Final = LAYOUT.word("accepting")
CONNECTIONS: Final = LAYOUT.word("connections")
CONNECTIONS_READING: Final = LAYOUT.word("connections_reading")
CONNECTIONS_ACTIVE: Final = LAYOUT.word("connections_active")
CALLS_RUNNING: Final = LAYOUT.word("calls_running")
CALLS_QUEUED: Final = LAYOUT.word("calls_queued")
THREADS: Final = LAYOUT.word("threads")
LOAD: Final = LAYOUT.word("load")

# Counters: the offset of a family's first word; within it the order is that of the label values.
CONNECTIONS_ACCEPTED: Final = LAYOUT.start("connections_accepted")
CONNECTIONS_CLOSED: Final = LAYOUT.start("connections_closed")
TLS_HANDSHAKES: Final = LAYOUT.start("tls_handshakes")
NETWORK_RECEIVE: Final = LAYOUT.start("network_receive")
NETWORK_TRANSMIT: Final = LAYOUT.start("network_transmit")
HANDOFFS: Final = LAYOUT.start("handoffs")
LOOP_STALL: Final = LAYOUT.start("loop_stall")
LOOP_STALLS: Final = LAYOUT.start("loop_stalls")
LOG_DROPPED: Final = LAYOUT.start("log_dropped")

# Text cells.
BOOT_ERROR: Final = LAYOUT.cells("boot_error")
CALLS: Final = LAYOUT.cells("calls")


class WorkerState(IntEnum):
    """What a worker says of itself; an unused row is EMPTY because it is zero."""

    EMPTY = 0
    BOOTING = 1
    READY = 2
    DRAINING = 3


class CallState(IntEnum):
    """What a call in flight does."""

    QUEUED = 1
    RUNNING = 2
    SUSPENDED = 3  # its client is behind
    SETTLED = 0  # its client has its answer, or has gone; the application has not come to its end


@dataclass(frozen=True, slots=True)
class CallInFlight:
    """One call cell, read.

    Attributes:
        since: how long it does what it does now: nanoseconds of CLOCK_MONOTONIC, as is ``begun``.
        begun: when the first byte of its request came; of millisecond precision.
    """

    state: CallState
    since: int
    begun: int
    request_id: str
    method: str
    path: str


def pack_state(state: WorkerState, generation: int) -> int:
    """Return the word ``state``: both in one, so that nobody reads READY of another generation."""
    return generation << 8 | state


def unpack_state(word: int) -> tuple[WorkerState, int]:
    """Return (state, generation) of the word ``state``."""
    return WorkerState(word & 0xFF), word >> 8


def pack_load(calls: int, connections: int) -> int:
    """Return the word ``load``: calls (running and queued) first, then connections; a larger one is a busier worker."""
    return calls << 32 | min(connections, 0xFFFFFFFF)


def store_http(row: Row, counts: HttpCounts) -> None:
    """Store all that the HTTP protocols counted; about 1.4 µs, once per turn in which something happened."""
    duration, queue_wait = counts.duration, counts.queue_wait
    # One block, in the order of the layout: every word gets its new value by one memcpy.
    row.store(
        CONNECTIONS_CLOSED,
        [
            *counts.closed,
            *counts.requests,
            *counts.rejected,
            *duration.counts,
            duration.sum_ns,
            *queue_wait.counts,
            queue_wait.sum_ns,
        ],
    )
    if counts.handshakes is not None:
        row.store(TLS_HANDSHAKES, counts.handshakes)
    words = row.words
    words[CONNECTIONS] = counts.open
    words[CONNECTIONS_READING] = counts.reading
    words[CONNECTIONS_ACTIVE] = counts.active


def load_http(values: Sequence[int], counts: HttpCounts) -> None:
    """Undo ``store_http``, but for the gauges: take the counters out of a row's values."""
    at = CONNECTIONS_CLOSED
    for target in (counts.closed, counts.requests, counts.rejected):
        target[:] = values[at : at + len(target)]
        at += len(target)
    for histogram in (counts.duration, counts.queue_wait):
        stop = at + len(histogram.counts)
        histogram.counts[:] = values[at:stop]
        histogram.seconds = values[stop] / 1e9
        at = stop + 1
    counts.handshakes = list(values[TLS_HANDSHAKES : TLS_HANDSHAKES + len(HANDSHAKES)])


def running_since(row: Row) -> float:
    """Return when the Call in the first cell began to run (monotonic seconds); 0.0 when none does."""
    mark = row.words[CALLS.word(0)]
    return (mark >> 2) / 1e9 if mark & 3 == CallState.RUNNING else 0.0


def write_call(
    row: Row, index: int, state: CallState, since: int, begun: int, *, request_id: str, method: str, path: str
) -> None:
    """Say what a call in flight is: ``index`` < CALL_CELLS, times in nanoseconds; the path is cut to what fits."""
    text = f"{request_id[:40]}\t{method[:16]}\t{begun // _MILLISECOND:x}\t{path}"
    row.write_cell(CALLS, index, since << 2 | state, text.encode("latin-1", "replace").replace(b"\0", b"?"))


def clear_call(row: Row, index: int) -> None:
    """Say that the call of this cell is over."""
    row.clear_cell(CALLS, index)


def read_calls(row: Row) -> list[CallInFlight]:
    """Return the calls in flight, oldest first."""
    found = []
    for index in range(CALLS.count):
        cell = row.read_cell(CALLS, index)
        if cell is not None:
            mark, text = cell
            request_id, method, begun, path = text.decode("latin-1").split("\t", 3)
            times = mark >> 2, int(begun, 16) * _MILLISECOND
            found.append(CallInFlight(CallState(mark & 3), *times, request_id, method, path))
    return sorted(found, key=lambda call: call.since)


def write_boot_error(row: Row, reason: str) -> None:
    """Leave the reason why the application cannot boot; the end of a long one is kept, it names the error."""
    text = reason.encode("utf-8", "backslashreplace").replace(b"\0", b"?")
    row.write_cell(BOOT_ERROR, 0, 1, text[-BOOT_ERROR.capacity :])


def read_boot_error(row: Row) -> str:
    """Return the reason that a worker left, or an empty text."""
    cell = row.read_cell(BOOT_ERROR, 0)
    return "" if cell is None else cell[1].decode("utf-8", "replace")


def _word(offset: int) -> Callable[[Sequence[int]], int]:
    return lambda words: words[offset]


GAUGES: Final = (
    GaugeFamily(
        "hybridd_connections",
        "Open connections, by what they do.",
        "state",
        {
            "reading": _word(CONNECTIONS_READING),
            "active": _word(CONNECTIONS_ACTIVE),
            # Between two requests.  Three words need not be of the same moment: never below 0.
            "idle": lambda words: max(0, words[CONNECTIONS] - words[CONNECTIONS_READING] - words[CONNECTIONS_ACTIVE]),
        },
    ),
    GaugeFamily(
        "hybridd_handler_slots",
        "Calls that may run at once, by whether one does.",
        "state",
        {
            "busy": _word(CALLS_RUNNING),
            "free": lambda words: max(0, words[THREADS] - words[CALLS_RUNNING]),
        },
    ),
)
"""Metrics made from the gauge words of all live rows; with the counter families of LAYOUT all that workers report."""
