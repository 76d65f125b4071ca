"""What was measured: values, in seconds and bytes.

Knows:     nothing.
Never:     how anything was measured or will be shown.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybridd.compare.patterns import Pattern

CLIENT_LIMIT = 0.9
"""The share of its CPU above which the load client is the limit."""


@dataclass(frozen=True, slots=True)
class Round:
    """One burst of load; ``cpu`` is what the server used, ``client_cpu`` the share of its CPU that the client used."""

    requests: int
    failures: int
    seconds: float
    p50: float | None
    p99: float | None
    cpu: float
    client_cpu: float


@dataclass(frozen=True, slots=True)
class Load:
    """The best of several rounds, one worker.

    Attributes:
        rate: answers per second.
        cpu: CPU seconds per request, of all processes of the server.
        failures: of all rounds.
        client_cpu: of the round with the highest rate.
    """

    rate: float
    p50: float | None
    p99: float | None
    cpu: float | None
    failures: int
    client_cpu: float

    @property
    def limited(self) -> bool:
        """Whether the client was the limit, and the server could do more."""
        return self.client_cpu > CLIENT_LIMIT


@dataclass(frozen=True, slots=True)
class Demonstration:
    """``clients`` ask at once, each handler sleeps ``sleep``; after ``seconds`` the last of the ``answered`` was."""

    clients: int
    sleep: float
    answered: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Crowd:
    """What connections that trickle a request cost, and what they do to fresh clients.

    Attributes:
        size: how many trickle.
        returned: how often one was thrown out and came back.
        memory, processes, threads: what the server grew by.
        answered, refused, unanswered: fresh clients; the first that is not answered within ``patience`` is the last.
        before: a fresh client's p99 without the crowd.
    """

    size: int
    returned: int
    memory: int
    processes: int
    threads: int
    answered: int
    refused: int
    unanswered: int
    p50: float | None
    p99: float | None
    before: float | None
    patience: float


@dataclass(frozen=True, slots=True)
class Crash:
    """A handler killed its process: ``broken`` of ``connections`` failed, that handler's own among them."""

    connections: int
    broken: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """``clients`` at once on a server with little room, whose handlers sleep; what each saw within ``patience``.

    Attributes:
        answered: a whole answer below 500.
        turned_away: 503.
        waiting: connected, nothing yet.
        silent: not connected: the backlog is full and the kernel drops the SYN.
        refused: a reset.
    """

    clients: int
    patience: float
    answered: int
    turned_away: int
    waiting: int
    silent: int
    refused: int


@dataclass(frozen=True, slots=True)
class Row:
    """One pattern; what could not be measured is None, and ``problem`` says why when something went wrong."""

    pattern: Pattern
    workers: int
    load: Load | None = None
    demonstration: Demonstration | None = None
    crowd: Crowd | None = None
    crash: Crash | None = None
    backlog: Backlog | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole: rows in the order of measuring, and the circumstances (name → text)."""

    rows: tuple[Row, ...]
    circumstances: Mapping[str, str]
    complete: bool = True
