"""What can happen to the master, as values: what the operator wants, what the workers did, what came of its actions.

Knows:     the words of children.py.
Never:     how an event was noticed.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.master import preloading
from hybridd.master.children import Patience, Step, Why
from hybridd.master.crash_policy import CrashPolicy


@dataclass(frozen=True, slots=True)
class StopAsked:
    """The operator wants a graceful stop; asked again, a quick one."""


@dataclass(frozen=True, slots=True)
class QuitAsked:
    """The operator wants a quick stop."""


@dataclass(frozen=True, slots=True)
class ReloadAsked:
    """The operator wants the newest configuration and code."""


@dataclass(frozen=True, slots=True)
class ScaleAsked:
    """The operator wants ``by`` workers more (or fewer)."""

    by: int


@dataclass(frozen=True, slots=True)
class RestartAsked:
    """The operator wants the worker in ``slot`` replaced."""

    slot: int


@dataclass(frozen=True, slots=True)
class ReopenAsked:
    """The operator has moved the log files away."""


@dataclass(frozen=True, slots=True)
class UpgradeAsked:
    """The operator has installed another hybridd."""


@dataclass(frozen=True, slots=True)
class ConfigurationRead:
    """A reload's configuration is valid and can be applied: ``generation`` goes on trial with it.

    ``patience`` is for its workers; the rest is for the master, once the generation is trusted.  ``workers`` is the new
    number when the setting was changed, else None: what TTIN and TTOU did stays.  ``surge`` is how many workers a
    reload may start beyond the wanted number, ``unavailable`` how many may be recycled at a time.
    """

    generation: int
    patience: Patience
    policy: CrashPolicy
    drain_delay: float = 0.0
    workers: int | None = None
    surge: int = 1
    unavailable: int = 1


@dataclass(frozen=True, slots=True)
class ConfigurationRefused:
    """A reload's configuration is wrong or cannot be applied; nothing changes."""

    reason: str


@dataclass(frozen=True, slots=True)
class Spawned:
    """A worker was forked."""

    slot: int
    pid: int
    generation: int


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """The operating system refused to fork; ``ticket`` is what the worker was called if it was asked for before."""

    slot: int
    generation: int
    reason: str
    ticket: int = 0


@dataclass(frozen=True, slots=True)
class BecameReady:
    """A worker says that its application is loaded and its loop turns."""

    pid: int


@dataclass(frozen=True, slots=True)
class BeganToLeave:
    """A worker says that it drains, though the master did not ask it to."""

    pid: int


@dataclass(frozen=True, slots=True)
class SeemsHung:
    """A ready worker's loop does not turn (health.py)."""

    pid: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """A hung worker's loop turns again."""

    pid: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A worker is to be replaced, without hurry: by its own limits (recycling), or for a handler that is stuck."""

    pid: int
    why: Why
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Died:
    """A worker was reaped.

    ``exited``: it left by itself, so the same will happen again; else a signal ended it, which may be an accident.
    ``reason`` is for the operator: how it died, and what it said about it.
    ``said`` is the end of what it said, a traceback for example.
    ``from_outside``: somebody killed it while it was well; that says nothing about how workers start.
    """

    pid: int
    exited: bool
    reason: str
    from_outside: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class Signalled:
    """A worker was sent the signal of a step."""

    step: Step


@dataclass(frozen=True, slots=True)
class Retired:
    """A worker was told to accept nothing more."""

    pid: int


@dataclass(frozen=True, slots=True)
class Revived:
    """A retired worker was told to accept again."""

    pid: int


@dataclass(frozen=True, slots=True)
class Promoted:
    """The generation on trial replaces the others."""

    generation: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The newest generation has settled."""

    generation: int


@dataclass(frozen=True, slots=True)
class FleetComplete:
    """For the first time there are as many ready workers as wanted, or as there can be; follows from other events."""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The first generation cannot boot, there is nothing to go back to; follows from other events."""

    code: int


@dataclass(frozen=True, slots=True)
class UpgradeRefused:
    """A successor could not even be started."""

    reason: str


@dataclass(frozen=True, slots=True)
class SuccessorStarted:
    """The process that is to take our place was forked."""

    pid: int


@dataclass(frozen=True, slots=True)
class SuccessorReady:
    """The successor says that its workers are ready; they wait."""

    pid: int


@dataclass(frozen=True, slots=True)
class HandingOver:
    """The successor was given the word."""

    pid: int


@dataclass(frozen=True, slots=True)
class SuccessorTook:
    """The successor says that it serves, with so many workers."""

    pid: int
    workers: int


@dataclass(frozen=True, slots=True)
class SuccessorEnded:
    """The successor was sent the signal that kills it."""

    pid: int
    why: str


@dataclass(frozen=True, slots=True)
class SuccessorDied:
    """The successor was reaped before it had taken over; ``reason`` and ``said`` as in Died."""

    pid: int
    reason: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class FleetHeld:
    """In a successor, instead of FleetComplete: its workers are ready and wait; follows from other events."""


@dataclass(frozen=True, slots=True)
class TookOver:
    """In a successor: the master before it has given the word."""


@dataclass(frozen=True, slots=True)
class Left:
    """No worker is left and the loop ends."""


UpgradeEvent = (
    UpgradeAsked
    | UpgradeRefused
    | SuccessorStarted
    | SuccessorReady
    | HandingOver
    | SuccessorTook
    | SuccessorEnded
    | SuccessorDied
    | TookOver
)

Event = (
    StopAsked
    | QuitAsked
    | ReloadAsked
    | ScaleAsked
    | RestartAsked
    | ReopenAsked
    | ConfigurationRead
    | ConfigurationRefused
    | Spawned
    | SpawnFailed
    | preloading.Born
    | preloading.Preloaded
    | preloading.ForkServerLost
    | BecameReady
    | BeganToLeave
    | SeemsHung
    | Recovered
    | Marked
    | Died
    | Signalled
    | Retired
    | Revived
    | Promoted
    | Committed
    | FleetComplete
    | GaveUp
    | FleetHeld
    | Left
    | UpgradeEvent
)
