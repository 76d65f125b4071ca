"""How long and how much anything may be: the sections ``timeouts`` and ``limits`` of the settings.

Knows:     kinds of values.
Never:     files, the environment, the machine.
Runs in:   every process; values only.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config.conversion import GIB, KIB, MIB
from hybridd.config.declaration import setting
from hybridd.config.quantities import duration, integer, size
from hybridd.config.words import choice

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long anything may take."""

    head: float = setting(
        15.0,
        duration(0.1, HOUR, "15s"),
        "How long a client may take to send a request line and its headers, in all. Then 408. With dispatch serial 2s,"
        " because everybody waits meanwhile.",
        also="client_header_timeout header_timeout",
    )
    handshake: float = setting(
        10.0,
        duration(0.1, HOUR, "10s"),
        "How long a new connection may take until its protocol begins, in all: its PROXY header and its TLS handshake,"
        " where the listener has them. Then it is cut. With dispatch serial 2s.",
        also="ssl_handshake_timeout proxy_protocol_timeout",
    )

    body: float = setting(
        30.0,
        duration(0.1, HOUR, "30s"),
        "How long a request body may make no progress; see also limits.body_rate. Then 408.",
        also="client_body_timeout",
    )
    keep_alive: float = setting(
        75.0,
        duration(0.1, DAY, "75s", zero="off"),
        "How long an idle connection stays open for the next request; off: every answer closes its connection. With"
        " dispatch serial and fork off, with pool 5s. Behind a load balancer it must be longer than the load balancer's"
        " own idle timeout, which is often 60s.",
        flags="--keep-alive",
        also="keepalive keepalive_timeout keep_alive_timeout",
    )
    write: float = setting(
        30.0,
        duration(0.1, HOUR, "30s"),
        "How long a client may read nothing of an answer that waits for it, or less than limits.response_rate allows."
        " Then the connection is cut.",
        also="send_timeout write_timeout",
    )
    queue: float = setting(
        10.0,
        duration(0.1, HOUR, "10s"),
        "How long a request may wait for a thread. Then 503 with Retry-After.",
    )
    handler: float = setting(
        0.0,
        duration(0.1, DAY, "60s", zero="off"),
        "How long the application may take for one request. Then 504, while its thread finishes.",
    )
    stuck: float = setting(
        0.0,
        duration(0.1, DAY, "5m", zero="off"),
        "How long the application may work on one request before its worker is replaced: another one first, then what"
        " still runs has timeouts.graceful. A thread cannot be stopped, so this is how a handler that hangs ends.",
        also="harakiri",
    )
    linger: float = setting(
        5.0,
        duration(0.0, MINUTE, "5s"),
        "How long a connection that we close before its client does is still read, so that the client sees the answer."
        " With dispatch serial 500ms.",
    )
    graceful: float = setting(
        30.0,
        duration(0.0, DAY, "30s"),
        "How long a worker may finish its requests when it is stopped or replaced. Then it is killed.",
        flags="--graceful-timeout",
        also="shutdown_timeout",
    )
    boot: float = setting(
        60.0,
        duration(0.1, DAY, "60s"),
        "How long a worker may take to load the application.",
    )
    worker: float = setting(
        30.0,
        duration(2.0, DAY, "30s"),
        "How long a worker may show no sign of life; it shows one every second. Then the stacks of its threads are"
        " logged, and it is replaced.",
        flags="--timeout -t",
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """How much anything may be."""

    request_line: int = setting(
        8 * KIB,
        size(64, MIB, "8KiB"),
        "The longest request line. Then 414.",
        also="limit_request_line",
    )
    headers: int = setting(
        100,
        integer(1, 10_000),
        "The most header fields in a request. Then 431.",
        also="limit_request_fields",
    )
    header_bytes: int = setting(
        32 * KIB,
        size(256, 16 * MIB, "32KiB"),
        "The most bytes of header fields in a request. Then 431.",
    )
    underscores: str = setting(
        "drop",
        choice("drop", "refuse"),
        "What becomes of header fields with an underscore in their name, which an application could not tell from those"
        " with a hyphen: drop (they do not reach it) or refuse (400).",
        also="header_map underscores_in_headers",
    )
    body: int = setting(
        64 * MIB,
        size(1, 1024 * GIB, "64MiB"),
        "The longest request body. Then 413.",
        also="client_max_body_size max_body_size max_request_body_size",
    )
    body_memory: int = setting(
        256 * KIB,
        size(0, GIB, "256KiB"),
        "How much of a request body is kept in memory; a longer one goes to a temporary file.",
    )
    body_rate: int = setting(
        512,
        size(1, GIB, "512B"),
        "The fewest bytes per second of a request body, on average, after a start of timeouts.body.",
    )
    connections: int = setting(
        10_000,
        integer(1, 1_000_000),
        "The most connections of one worker; further ones wait in the backlog.",
        also="worker_connections max_connections limit_concurrency",
    )
    address_connections: int = setting(
        0,
        integer(0, 1_000_000),
        "The most connections of one address, over all workers; 0: no limit. A further one is closed at once. A /64 of"
        " IPv6 is one address. Trusted proxies and unix sockets are not"
        " limited; of clients behind them, those whom a PROXY header names (dispatch hybrid, reactor and serial).",
    )
    address_rate: int = setting(
        0,
        integer(0, 1_000_000),
        "The most new connections per second of one address, over all workers, as address_connections; 0: no limit.",
    )
    connection_threads: int = setting(
        1000,
        integer(1, 100_000),
        "The most connections of one worker with dispatch thread, each of which has a thread; further ones wait in the"
        " backlog.",
    )
    connection_processes: int = setting(
        256,
        integer(1, 10_000),
        "The most connections of one worker with dispatch fork, each of which has a process; further ones wait in the"
        " backlog.",
        also="max_children max_request_workers",
    )
    queue: int = setting(
        1024,
        integer(1, 1_000_000),
        "The most requests of one worker that wait for a thread. Then 503 with Retry-After.",
    )
    response_rate: int = setting(
        512,
        size(0, GIB, "512B"),
        "The fewest bytes per second that a client must take of an answer that waits for it, on average over each"
        " timeouts.write; 0: one byte is enough.",
    )
    spool: int = setting(
        GIB,
        size(MIB, 1024 * GIB, "1GiB"),
        "How much of the disk the temporary files of one worker may take, those of request bodies and of answers."
        " Then 503 for a body, and an answer waits for its client. With dispatch fork: of one connection.",
    )
    response_memory: int = setting(
        256 * KIB,
        size(4 * KIB, GIB, "256KiB"),
        "How far an answer may run ahead of its client in memory.",
    )
    response_spool: int = setting(
        16 * MIB,
        size(4 * KIB, 1024 * GIB, "16MiB"),
        "How far an answer may run ahead of its client in all: in memory, then in a temporary file. Then the"
        " application waits.",
    )
    application_series: int = setting(
        20_000,
        integer(0, 10_000_000),
        "The most series of the application's own metrics on /metrics. Beyond that its largest families are left out.",
    )
