"""Control groups: where ours is, in either version, and what it says about memory.

A container may or may not have a cgroup namespace, so the path in ``/proc/self/cgroup`` may be one that is not
mounted here; ``/proc/self/mountinfo`` tells which part of the hierarchy is: cgroups(7), proc(5).

Knows:     the texts of /proc and /sys/fs/cgroup; the parsing is pure.
Never:     writes there.
Runs in:   the master.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath


@dataclass(frozen=True, slots=True)
class Group:
    """One control group: ``version`` 1 or 2, its directory, and that of the topmost group that can be seen."""

    version: int
    directory: PurePosixPath
    top: PurePosixPath

    def ancestry(self) -> tuple[PurePosixPath, ...]:
        """Return the directories of this group and of those around it, innermost first."""
        parents = [self.directory, *self.directory.parents]
        return tuple(parents[: parents.index(self.top) + 1])


def locate(cgroups: str, mounts: str, controller: str) -> Group | None:
    """Find the group that ``controller`` (``cpu``, ``memory``) is managed in, None when it is in none.

    Args:
        cgroups: the text of /proc/self/cgroup, lines ``id:controllers:path``.
        mounts: the text of /proc/self/mountinfo.
        controller: as the kernel names it.
    """
    unified: str | None = None
    for line in cgroups.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return _mounted(mounts, path, version=1, controller=controller)
        if number == "0" and not controllers:
            unified = path
    return None if unified is None else _mounted(mounts, unified, version=2, controller="")


def oom_kills(text: str) -> int | None:
    """Return how many processes the kernel has killed: ``oom_kill`` of memory.events or (v1) memory.oom_control."""
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == "oom_kill" and value.isdecimal():
            return int(value)
    return None


def own_group(controller: str) -> Group | None:
    """Return the group of this process, None when it cannot be known."""
    cgroups, mounts = read_text("/proc/self/cgroup"), read_text("/proc/self/mountinfo")
    return locate(cgroups, mounts, controller)


def read_oom_kills() -> int | None:
    """Return the counter of our own group; it rises when one of us is killed.  None when there is none to read."""
    counter = _oom_counter()
    return None if counter is None else oom_kills(read_text(counter))


@cache
def _oom_counter() -> PurePosixPath | None:
    """Return the file: nobody moves to another group, and the table of mounts may be long."""
    group = own_group("memory")
    if group is None:
        return None
    return group.directory / ("memory.events" if group.version == 2 else "memory.oom_control")  # noqa: PLR2004 - v2


def read_text(path: str | PurePosixPath) -> str:
    """Return a file's text, empty when it cannot be read."""
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def _mounted(mounts: str, path: str, *, version: int, controller: str) -> Group | None:
    """Translate a path of the hierarchy into a directory, by the first mount of that hierarchy."""
    kind = "cgroup2" if version == 2 else "cgroup"  # noqa: PLR2004 - cgroup v2
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        left, right = fields.split(), rest.split()
        if len(left) < 5 or len(right) < 3 or right[0] != kind:  # noqa: PLR2004 - mountinfo's fixed fields
            continue
        if controller and controller not in right[2].split(","):
            continue
        root, point = PurePosixPath(left[3]), PurePosixPath(left[4])
        inside = PurePosixPath(path)
        # A path outside of what is mounted here (no cgroup namespace): the mount point itself is our group.
        below = inside.relative_to(root) if inside.is_relative_to(root) else PurePosixPath()
        return Group(version, point / below, point) if ".." not in below.parts else Group(version, point, point)
    return None
