"""The master's mode: one table of every mode and every event, and for each event that is ignored a sentence why.

The sentence is what the log says and what a control verb answers.

Knows:     the events by their type.
Never:     workers; what an accepted event does to them is fold.py's and lifecycle.py's.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, get_args

from hybridd.master import events, preloading
from hybridd.master.events import Event


class Mode(Enum):
    """What the master is at."""

    STARTING = "starting"  # until the first generation is complete
    WAITING = "waiting"  # complete, but the master before us (upgrade.py) still serves
    RUNNING = "running"
    UPGRADING = "upgrading"  # a successor is on its way; back to RUNNING when it fails
    STOPPING = "stopping"  # until the last worker has left
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Go:
    """The event is taken; the mode afterwards."""

    to: Mode


@dataclass(frozen=True, slots=True)
class Ignore:
    """The event changes nothing; why."""

    because: str


Cell = Go | Ignore

EVENTS: Final[tuple[type[Event], ...]] = get_args(Event)

_STAY_STARTING = Go(Mode.STARTING)
_STAY = Go(Mode.RUNNING)
_STOP = Go(Mode.STOPPING)
_STOPS = Ignore("ignored: hybridd is stopping")
_LATE = Ignore("ignored: too late, hybridd is stopping and the new generation will not be used")
_GONE = Ignore("ignored: hybridd has stopped")
_TOO_EARLY = Ignore("refused: hybridd is still starting; upgrade it when it is ready")
_NOT_OURS = Ignore("refused: this master has not taken over yet; ask the one that serves")
_UPGRADES = Ignore("refused: an upgrade is on its way; ask again when it has ended")
_NO_SUCCESSOR = Ignore("ignored: there is no successor")
_NO_PREDECESSOR = Ignore("ignored: there is no other master whose place could be taken")
_TOO_LATE = Ignore("ignored: hybridd is stopping and nobody takes its place")
_ONCE = Ignore("ignored: this happens once, at the start")
_STILL = Ignore("ignored: workers are wanted, so the loop goes on")

_OF_SUCCESSORS: Final[tuple[type[Event], ...]] = (
    events.SuccessorStarted,
    events.SuccessorReady,
    events.HandingOver,
    events.SuccessorTook,
    events.SuccessorEnded,
    events.SuccessorDied,
)

_OF_WORKERS: Final[tuple[type[Event], ...]] = (
    events.ConfigurationRead,
    events.ConfigurationRefused,
    events.Spawned,
    events.SpawnFailed,
    preloading.Born,
    preloading.Preloaded,
    preloading.ForkServerLost,
    events.BecameReady,
    events.BeganToLeave,
    events.SeemsHung,
    events.Recovered,
    events.Marked,
    events.Died,
    events.Signalled,
    events.Retired,
    events.Revived,
    events.Promoted,
    events.Committed,
)

TABLE: Final[Mapping[Mode, Mapping[type[Event], Cell]]] = {
    Mode.STARTING: {
        events.StopAsked: _STOP,
        events.QuitAsked: _STOP,
        events.ReloadAsked: _STAY_STARTING,  # remembered: runs when the first generation is trusted
        events.ScaleAsked: _STAY_STARTING,
        events.RestartAsked: _STAY_STARTING,
        events.ReopenAsked: _STAY_STARTING,
        events.UpgradeAsked: _TOO_EARLY,
        events.UpgradeRefused: _NO_SUCCESSOR,
        **dict.fromkeys(_OF_SUCCESSORS, _NO_SUCCESSOR),
        events.TookOver: _NO_PREDECESSOR,
        events.ConfigurationRead: _STAY_STARTING,
        events.ConfigurationRefused: _STAY_STARTING,
        events.Spawned: _STAY_STARTING,
        events.SpawnFailed: _STAY_STARTING,
        preloading.Born: _STAY_STARTING,
        preloading.Preloaded: _STAY_STARTING,
        preloading.ForkServerLost: _STAY_STARTING,
        events.BecameReady: _STAY_STARTING,
        events.BeganToLeave: _STAY_STARTING,
        events.SeemsHung: _STAY_STARTING,
        events.Recovered: _STAY_STARTING,
        events.Marked: _STAY_STARTING,
        events.Died: _STAY_STARTING,
        events.Signalled: _STAY_STARTING,
        events.Retired: _STAY_STARTING,
        events.Revived: _STAY_STARTING,
        events.Promoted: _STAY_STARTING,
        events.Committed: _STAY_STARTING,
        events.FleetComplete: _STAY,
        events.FleetHeld: Go(Mode.WAITING),
        events.GaveUp: _STOP,
        events.Left: _STILL,
    },
    Mode.WAITING: {
        events.StopAsked: _STOP,
        events.QuitAsked: _STOP,
        events.ReloadAsked: _NOT_OURS,
        events.ScaleAsked: _NOT_OURS,
        events.RestartAsked: _NOT_OURS,
        events.ReopenAsked: Go(Mode.WAITING),
        events.UpgradeAsked: _NOT_OURS,
        events.UpgradeRefused: _NO_SUCCESSOR,
        **dict.fromkeys(_OF_SUCCESSORS, _NO_SUCCESSOR),
        events.TookOver: Go(Mode.RUNNING),
        **dict.fromkeys(_OF_WORKERS, Go(Mode.WAITING)),
        events.FleetComplete: _ONCE,
        events.FleetHeld: _ONCE,
        events.GaveUp: Ignore("ignored: a generation that was complete is never given up"),
        events.Left: _STILL,
    },
    Mode.RUNNING: {
        events.StopAsked: _STOP,
        events.QuitAsked: _STOP,
        events.ReloadAsked: _STAY,
        events.ScaleAsked: _STAY,
        events.RestartAsked: _STAY,
        events.ReopenAsked: _STAY,
        events.UpgradeAsked: _STAY,  # remembered: runs when no reload is on its way
        events.UpgradeRefused: _STAY,
        **dict.fromkeys(_OF_SUCCESSORS, _NO_SUCCESSOR),
        events.SuccessorStarted: Go(Mode.UPGRADING),
        events.TookOver: _NO_PREDECESSOR,
        events.ConfigurationRead: _STAY,
        events.ConfigurationRefused: _STAY,
        events.Spawned: _STAY,
        events.SpawnFailed: _STAY,
        preloading.Born: _STAY,
        preloading.Preloaded: _STAY,
        preloading.ForkServerLost: _STAY,
        events.BecameReady: _STAY,
        events.BeganToLeave: _STAY,
        events.SeemsHung: _STAY,
        events.Recovered: _STAY,
        events.Marked: _STAY,
        events.Died: _STAY,
        events.Signalled: _STAY,
        events.Retired: _STAY,
        events.Revived: _STAY,
        events.Promoted: _STAY,
        events.Committed: _STAY,
        events.FleetComplete: _ONCE,
        events.FleetHeld: _ONCE,
        events.GaveUp: Ignore("ignored: a generation that served before is never given up"),
        events.Left: _STILL,
    },
    Mode.UPGRADING: {
        events.StopAsked: _STOP,
        events.QuitAsked: _STOP,
        events.ReloadAsked: _UPGRADES,
        events.ScaleAsked: _UPGRADES,
        events.RestartAsked: _UPGRADES,
        events.ReopenAsked: Go(Mode.UPGRADING),
        events.UpgradeAsked: _UPGRADES,
        events.UpgradeRefused: Ignore("ignored: a successor is on its way"),
        events.SuccessorStarted: Ignore("ignored: a successor is on its way"),
        events.SuccessorReady: Go(Mode.UPGRADING),
        events.HandingOver: Go(Mode.UPGRADING),
        events.SuccessorTook: _STOP,
        events.SuccessorEnded: Go(Mode.UPGRADING),
        events.SuccessorDied: _STAY,
        events.TookOver: _NO_PREDECESSOR,
        **dict.fromkeys(_OF_WORKERS, Go(Mode.UPGRADING)),
        events.FleetComplete: _ONCE,
        events.FleetHeld: _ONCE,
        events.GaveUp: Ignore("ignored: a generation that served before is never given up"),
        events.Left: _STILL,
    },
    Mode.STOPPING: {
        events.StopAsked: _STOP,  # again: hurry
        events.QuitAsked: _STOP,
        events.ReloadAsked: _STOPS,
        events.ScaleAsked: _STOPS,
        events.RestartAsked: _STOPS,
        events.ReopenAsked: _STOP,
        events.UpgradeAsked: _STOPS,
        events.UpgradeRefused: _TOO_LATE,
        events.SuccessorStarted: _STOP,  # it is ended at once
        events.SuccessorReady: _TOO_LATE,
        events.HandingOver: _TOO_LATE,
        events.SuccessorTook: _TOO_LATE,
        events.SuccessorEnded: _STOP,
        events.SuccessorDied: _STOP,
        events.TookOver: _TOO_LATE,
        events.ConfigurationRead: _LATE,
        events.ConfigurationRefused: _LATE,
        events.Spawned: _STOP,  # forked in the turn in which the stop came
        events.SpawnFailed: Ignore("ignored: no worker is wanted, hybridd is stopping"),
        preloading.Born: _STOP,
        preloading.Preloaded: _LATE,
        preloading.ForkServerLost: _LATE,
        events.BecameReady: _STOP,
        events.BeganToLeave: _STOP,
        events.SeemsHung: Ignore("ignored: hybridd is stopping and every worker has a deadline"),
        events.Recovered: Ignore("ignored: hybridd is stopping and every worker has a deadline"),
        events.Marked: Ignore("ignored: every worker leaves, hybridd is stopping"),
        events.Died: _STOP,
        events.Signalled: _STOP,
        events.Retired: _STOP,
        events.Revived: _STOP,
        events.Promoted: _LATE,
        events.Committed: _LATE,
        events.FleetComplete: _ONCE,
        events.FleetHeld: _ONCE,
        events.GaveUp: Ignore("ignored: hybridd is stopping already"),
        events.Left: Go(Mode.STOPPED),
    },
    Mode.STOPPED: dict.fromkeys(EVENTS, _GONE),
}


def cell(mode: Mode, event: Event) -> Cell:
    """Return what ``event`` means in ``mode``."""
    return TABLE[mode][type(event)]
