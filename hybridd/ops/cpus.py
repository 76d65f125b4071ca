"""How many CPUs we may use: what ``workers: auto`` means.

``os.cpu_count()`` counts the machine's; a container has fewer, by affinity (cpuset) or by quota (cgroup).

Knows:     the affinity mask, the quotas of our control group and of those around it.
Never:     how many workers are wise.
Runs in:   the master, and ``hybridd check``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import ceil

from hybridd.ops.cgroup import Group, own_group, read_text


def available_cpus() -> int:
    """Return the number of CPUs that we may use at the same time, at least 1."""
    group = own_group("cpu")
    return cpus(len(os.sched_getaffinity(0)), [] if group is None else read_quotas(group))


def cpus(affinity: int, quotas: Iterable[float]) -> int:
    """Return the CPUs by affinity and quotas (in CPUs): the smallest counts, a part of a CPU as a whole one."""
    return max(1, min([affinity, *(ceil(quota) for quota in quotas)]))


def quota_v2(cpu_max: str) -> float | None:
    """Return the quota of a cpu.max, ``150000 100000`` is 1.5 CPUs; None for ``max`` and what is unknown."""
    quota, _, period = cpu_max.strip().partition(" ")
    return _quotient(quota, period)


def quota_v1(quota_us: str, period_us: str) -> float | None:
    """Return the quota of cpu.cfs_quota_us and cpu.cfs_period_us; None for -1, which is no quota."""
    return _quotient(quota_us.strip(), period_us.strip())


def read_quotas(group: Group) -> list[float]:
    """Return the quotas of a group and of every group around it: the kernel enforces them all."""
    found = [
        quota_v1(read_text(directory / "cpu.cfs_quota_us"), read_text(directory / "cpu.cfs_period_us"))
        if group.version == 1
        else quota_v2(read_text(directory / "cpu.max"))
        for directory in group.ancestry()
    ]
    return [quota for quota in found if quota is not None]


def _quotient(quota: str, period: str) -> float | None:
    if not (quota.isdecimal() and period.isdecimal()) or int(period) == 0 or int(quota) == 0:
        return None
    return int(quota) / int(period)
