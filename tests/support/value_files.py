"""Files as the processes of an application keep them, written by prometheus_client itself.

Knows:     the library's own writer.
Runs in:   the test process.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prometheus_client.mmap_dict import MmapedDict, mmap_key

BOUNDS = ("0.1", "1.0", "+Inf")


class Process:
    """What one process has to say; ``pid`` need not be one."""

    def __init__(self, folder: Path, pid: int | str) -> None:
        self._folder = folder
        self._pid = pid

    def file(self, prefix: str) -> Path:
        """Where it keeps its metrics of one kind."""
        return self._folder / f"{prefix}_{self._pid}.db"

    def say(self, prefix: str, values: Mapping[str, float], *, timestamp: float = 0.0, **labels: str) -> Process:
        """Write samples (by name) of one series."""
        into: Any = MmapedDict(str(self.file(prefix)))  # type: ignore[no-untyped-call]
        for sample, value in values.items():
            family = sample
            for suffix in ("_total", "_bucket", "_sum", "_count"):
                family = family.removesuffix(suffix)
            into.write_value(mmap_key(family, sample, list(labels), list(labels.values()), "Help."), value, timestamp)
        into.close()
        return self

    def count(self, value: float, name: str = "jobs", **labels: str) -> Process:
        """Write a counter."""
        return self.say("counter", {f"{name}_total": value}, timestamp=0.0, **labels)

    def level(self, mode: str, value: float, timestamp: float = 0.0, name: str = "level") -> Process:
        """Write a gauge."""
        return self.say(f"gauge_{mode}", {name: value}, timestamp=timestamp)

    def observe(self, buckets: Mapping[str, float], total: float, name: str = "time") -> Process:
        """Write a histogram: observations by bucket."""
        for bound, value in buckets.items():
            self.say("histogram", {f"{name}_bucket": value}, le=bound)
        return self.say("histogram", {f"{name}_sum": total})
