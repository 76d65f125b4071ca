"""Memory of processes: PSS, where a page that n processes share counts 1/n for each.

PSS of a file's pages (the interpreter, libraries) also changes when strangers start or end that map the same file: by
half a MiB, where several people work on one machine.  For the growth of a server count its anonymous part alone: the
heap, shared between the processes of one tree only.

Knows:     /proc/PID/smaps_rollup (proc(5)); figures there are in KiB.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

ALL, ANONYMOUS = "Pss", "Pss_Anon"


def parse(text: str, name: str) -> int:
    """Return the line ``name`` in bytes.

    Raises:
        ValueError: there is no such line.
    """
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no {name} line in smaps_rollup")


def read_pss(pids: Iterable[int], name: str = ALL) -> int:
    """Return the sum over processes, in bytes; those that have gone are left out."""
    total = 0
    for pid in pids:
        try:
            total += parse(Path(f"/proc/{pid}/smaps_rollup").read_text(), name)
        except (OSError, ValueError):
            continue
    return total
