"""Memory of processes: PSS, where a page that n processes share counts 1/n for each.

Knows:     /proc/PID/smaps_rollup (proc(5)); figures there are in KiB.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def parse_pss(text: str) -> int:
    """Return the proportional set size in bytes.

    Raises:
        ValueError: there is no such line.
    """
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no Pss line in smaps_rollup")


def read_pss(pids: Iterable[int]) -> int:
    """Return the sum over processes, in bytes; those that have gone are left out."""
    total = 0
    for pid in pids:
        try:
            total += parse_pss(Path(f"/proc/{pid}/smaps_rollup").read_text())
        except (OSError, ValueError):
            continue
    return total
