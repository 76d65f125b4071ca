"""What the master knows of its workers, and what it may do to them: values only.

A child goes through phases, each with a deadline; past it the next harsher step is due (lifecycle.NEXT_STEP):

    BOOTING ─ready→ PROBATION ─promoted→ READY ─hung→ HUNG
       │              │                  ↑ ↓ ↑        │
       │              │                RETIRED (by a reload, which may be undone)
       └──────────────┴──────────────────┴────────────┴──→ DRAINING → QUITTING
                 (too late)  └→ ABORTED → KILLED ←─────────────┘

Knows:     nothing but these words.
Never:     the operating system, the clock.
Runs in:   the master, its only thread; tests make children by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from math import inf

from hybridd.master.successor import UpgradeStep

TICKETS = 2**22
"""The first number of a worker that is asked for and not yet born: no pid is that great (proc(5), pid_max)."""


class Phase(Enum):
    """Where a worker is in its life, in the order in which it only advances (HUNG and RETIRED may return to READY)."""

    BOOTING = "booting"  # forked, the application is being loaded
    PROBATION = "probation"  # the first of its generation is ready, and watched for a while before it is trusted
    READY = "ready"  # it serves
    RETIRED = "retired"  # it accepts nothing more, but stays until the generation that replaces it has settled
    HUNG = "hung"  # its loop does not turn; a replacement is made first
    DRAINING = "draining"  # asked to finish what it does and to leave
    QUITTING = "quitting"  # asked to leave at once
    ABORTED = "aborted"  # told to write its stacks and die
    KILLED = "killed"  # not asked any more


LIVE = frozenset({Phase.BOOTING, Phase.PROBATION, Phase.READY})
"""A worker that serves or will; what is not live holds its slot but no place among the wanted workers."""


class Why(StrEnum):
    """Why the master ends a worker; NONE while it does not."""

    NONE = ""
    STOP = "stop"  # hybridd stops
    UPGRADE = "upgrade"  # another master has taken our place, and its workers accept
    RELOAD = "reload"  # its generation is outdated
    REFUSED = "refused"  # its generation was tried and given up
    SCALE = "scale"  # more workers than wanted
    LEFT = "left"  # it began to leave by itself: somebody else sent it a signal
    RECYCLE = "recycle"  # it has served, grown or lived enough
    RESTART = "restart"  # the operator wants it replaced
    STUCK = "stuck"  # one of its handlers does not come back
    BOOT = "boot"  # it did not become ready in time
    HUNG = "hung"  # its loop did not turn

    @property
    def is_fault(self) -> bool:
        """Whether a worker that ends for this reason counts as crashed."""
        return self in {Why.NONE, Why.BOOT, Why.HUNG}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a worker may take, in seconds; each worker keeps that of the configuration it was started with."""

    boot: float = 60.0
    graceful: float = 30.0
    settle: float = 2.0
    leave: float = 2.0
    """Beyond ``graceful``: the worker keeps that deadline itself and needs a moment to cut what is left."""
    quit: float = 3.0
    abort: float = 2.0
    """From SIGABRT to SIGKILL: faulthandler writes the stacks within milliseconds, a core dump may take longer."""
    kill: float = 5.0
    """Until SIGKILL is sent again; a process in uninterruptible sleep dies when it wakes."""


@dataclass(frozen=True, slots=True)
class Child:
    """One worker process.

    ``pid`` is the number of its ticket (fork_servers.py) until it is born.
    ``since`` is when the phase began, ``deadline`` when the next harsher step is due; ``served_since`` is when it first
    was ready, None before.  ``marked`` is why it is to be replaced, as soon as another one can take its place.
    """

    slot: int
    pid: int
    generation: int
    phase: Phase
    born: float
    since: float
    deadline: float = inf
    patience: Patience = Patience()
    served_since: float | None = None
    why: Why = Why.NONE
    marked: Why = Why.NONE

    def __str__(self) -> str:
        number = "none" if self.pid >= TICKETS else self.pid
        return f"worker={self.slot} gen={self.generation} pid={number}"

    @property
    def live(self) -> bool:
        """Whether it serves or will."""
        return self.phase in LIVE


@dataclass(frozen=True, slots=True)
class Spawn:
    """Fork a worker; ``canary``: the first of its generation, which nobody depends on yet."""

    slot: int
    generation: int
    canary: bool = False


@dataclass(frozen=True, slots=True)
class Drain:
    """Ask a worker to finish what it does and to leave (SIGTERM)."""

    pid: int
    why: Why


@dataclass(frozen=True, slots=True)
class Quit:
    """Ask a worker to leave at once (SIGQUIT)."""

    pid: int
    why: Why


@dataclass(frozen=True, slots=True)
class Abort:
    """Let a worker write the stacks of all its threads and die (SIGABRT)."""

    pid: int
    why: Why


@dataclass(frozen=True, slots=True)
class Kill:
    """End a worker (SIGKILL)."""

    pid: int
    why: Why


@dataclass(frozen=True, slots=True)
class Retire:
    """Let a worker accept nothing more, finish what it has, and stay."""

    pid: int


@dataclass(frozen=True, slots=True)
class Revive:
    """Let a retired worker accept again."""

    pid: int


@dataclass(frozen=True, slots=True)
class Promote:
    """Let the generation on trial replace the other workers; until it has settled it can be undone."""

    generation: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The generation has settled everywhere: from now on it is the one to go back to."""

    generation: int


@dataclass(frozen=True, slots=True)
class ReadConfiguration:
    """Read the configuration again; the answer is an event."""


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave the loop with this exit code; no worker is left."""

    code: int


Step = Drain | Quit | Abort | Kill
Action = Spawn | Step | Retire | Revive | Promote | Commit | ReadConfiguration | UpgradeStep | Exit
