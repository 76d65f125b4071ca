"""What the machine makes of a configuration: ``auto`` becomes a number, wishes beyond a limit are cut to it.

Knows:     settings and the machine's figures.
Never:     the machine itself (``Machine`` is given).
Runs in:   the master, at its start and for each reload.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hybridd.config.patterns import DISPATCHES
from hybridd.config.settings import Config
from hybridd.ops.limits import connections_that_fit


@dataclass(frozen=True, slots=True)
class Machine:
    """CPUs we may use, open files a process may have, the system's limit on a backlog (None: unknown)."""

    cpus: int
    open_files: int
    somaxconn: int | None


def fit(config: Config, machine: Machine) -> Config:
    """Return the configuration as this machine can have it."""
    workers = config.workers or machine.cpus
    connections = min(config.limits.connections, _room(config, machine))
    return replace(config, workers=workers, limits=replace(config.limits, connections=connections))


def shortcomings(config: Config, machine: Machine) -> Iterator[str]:
    """Yield a sentence for each wish that this machine does not grant."""
    room = _room(config, machine)
    if room < config.limits.connections:
        yield (
            f"limits.connections is lowered from {config.limits.connections} to {room}: a worker may have only"
            f" {machine.open_files} open files (ulimit -Hn, LimitNOFILE=)"
        )
    if machine.somaxconn is not None and machine.somaxconn < config.backlog:
        yield (
            f"backlog is {config.backlog}, but the system cuts it to {machine.somaxconn}"
            f" (sysctl net.core.somaxconn={config.backlog})"
        )


def _room(config: Config, machine: Machine) -> int:
    room = connections_that_fit(machine.open_files, listeners=len(config.listen), threads=config.threads)
    return max(1, room // DISPATCHES[config.dispatch].descriptors)
