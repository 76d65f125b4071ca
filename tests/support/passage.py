"""Let a test run the Python and the sources of this checkout as another user, wherever they lie.

On a developer's machine both may be below a home directory that is closed to others.  ``passage`` returns the beginning
of a command that opens the way for its own processes only, in a mount namespace: whoever may only pass finds an empty
directory there, and in it what the tests need.

Knows:     directories and mount(8).
Never:     changes a mode, or anything that another process sees.
Runs in:   the test process (it makes a command); the command itself needs root.
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tests.support.tools import require

ROOT = Path(__file__).resolve().parents[2]

NOBODY = 65534
UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def needed() -> list[Path]:
    """Return the directories that hybridd's processes read."""
    return [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), ROOT]


def closed(path: Path) -> Path | None:
    """Return the outermost directory on the way to ``path`` that others may not pass."""
    way = [*reversed(path.parents), path]
    return next((part for part in way if not part.stat().st_mode & 0o001), None)


def passage(folder: Path) -> list[str]:
    """Return what to put before a command; ``folder`` is a place for mount points.  Empty when the way is open."""
    inner = {path: door for path in needed() if (door := closed(path)) is not None}
    if not inner:
        return []
    require("unshare", "util-linux")
    steps = []
    for number, path in enumerate(inner):
        point = folder / f"mount{number}"
        point.mkdir(parents=True)
        steps.append(f"mount --bind {shlex.quote(str(path))} {shlex.quote(str(point))}")
    steps += [f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(str(door))}" for door in sorted(set(inner.values()))]
    for number, path in enumerate(inner):
        way, mounted = shlex.quote(str(path)), shlex.quote(str(folder / f"mount{number}"))
        steps.append(f"mkdir -p {way} && mount --bind {mounted} {way} && umount {mounted}")
    script = " && ".join(steps) + ' && exec "$@"'
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]


def is_root() -> bool:
    """Tell whether tests may become another user."""
    return os.geteuid() == 0
