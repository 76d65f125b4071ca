"""Decide what to do about an upgrade: when it may begin, when the successor gets the word, when it is given up.

Knows:     what is wanted (Desired), the successor as far as it is known, the time it is given.
Never:     the operating system, the clock, logging, configuration.
Runs in:   the master, its only thread.
Returns:   actions for upgrade.py, as a part of lifecycle.plan.
"""

from __future__ import annotations

from hybridd.master.desired import Desired, Stop
from hybridd.master.successor import EndSuccessor, HandOver, Stage, StartSuccessor, UpgradeStep

LATE = {
    Stage.BOOTING: "it was not ready in time (twice timeouts.boot, and reload.settle)",
    Stage.TAKING: "it did not take over when it was told to",
    Stage.ENDED: "it did not end",
}


def upgrade(desired: Desired, now: float) -> list[UpgradeStep]:
    """Return the next step of an upgrade, if it is time for one."""
    successor = desired.successor
    if successor is None:
        waits = desired.stop or desired.trial or desired.fallback or desired.reload_asked
        return [StartSuccessor()] if desired.upgrade_asked and not waits else []
    late = successor.deadline <= now
    if desired.stop is not Stop.NO and (late or successor.stage is not Stage.ENDED):
        return [EndSuccessor(successor.pid, "hybridd stops")]
    if successor.stage is Stage.READY:
        return [HandOver(successor.pid)]
    return [EndSuccessor(successor.pid, LATE[successor.stage])] if late else []
