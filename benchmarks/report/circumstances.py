"""Where and with what was measured: machine, system, versions, date.

Knows:     /proc/cpuinfo, /proc/meminfo.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load import wrk
from benchmarks.measure.placement import Placement
from benchmarks.peers.catalogue import SUBJECT
from benchmarks.peers.environments import Installed

Facts = list[tuple[str, str]]


def gather(installed: Sequence[Installed], placement: Placement, subject: str) -> Facts:
    """Return name and value of each fact; ``subject`` is what there is to say of it besides its version."""
    now = dt.datetime.now(dt.UTC)
    several = ", ".join(map(str, placement.several))
    return [
        ("date", now.strftime("%Y-%m-%d %H:%M UTC")),
        ("machine", f"{_cpu_model()}, {os.cpu_count()} CPUs, {_memory()}"),
        ("system", f"Linux {platform.release()}, Python {platform.python_version()}"),
        ("CPUs", f"load {placement.load}; one worker {placement.single}; several workers {several}"),
        ("load", wrk.version()),
        *((one.peer.name, _versions(one) + (f", {subject}" if one.peer.name == SUBJECT else "")) for one in installed),
    ]


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    kibibytes = int(Path("/proc/meminfo").read_text().split()[1])
    return f"{kibibytes / 1_048_576:.0f} GiB"


def _versions(installed: Installed) -> str:
    telling = {"gevent": "gevent" in installed.peer.name, "uvloop": True, "httptools": True}
    others = [name for name in installed.peer.packages[1:] if telling.get(name)]
    return ", ".join([installed.version, *(f"{name} {installed.versions.get(name, '?')}" for name in others)])
