"""Death certificates: for every worker that ended, what of, after what life, and what it was doing.

Knows:     the child as the master saw it, its wait status, its last row.
Never:     guesses: OOM is said only when the kernel's counter has grown.
Runs in:   the master, after reaping and before the row is used again.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from hybridd.master.children import Child, Phase, Why
from hybridd.ops.signal_names import signal_name

LAST_LINES = 12
"""Of a traceback, for who asked for a reload; the log has it all."""

NAMED_CALLS = 5
"""Calls in flight that the log line names; the record has them all."""


class Cause(StrEnum):
    """What a worker died of; label values of ``hybridd_worker_restarts_total`` (those in REPLACED)."""

    EXIT = "exit"  # it ended by itself
    SIGNAL = "signal"  # somebody else's signal, or a fault (SIGSEGV)
    OOM = "oom"  # the kernel killed it, its control group had no memory left
    BOOT = "boot"  # it could not boot, or not in time
    HUNG = "hung"  # its loop did not turn
    STUCK = "stuck"  # one of its handlers did not come back
    DEADLINE = "deadline"  # asked to leave, it took too long
    ASKED = "asked"  # it was sent TERM by somebody else, and left as it should
    RELOAD = "reload"
    RECYCLE = "recycle"
    RESTART = "restart"
    REFUSED = "refused"
    SCALE = "scale"
    STOP = "stop"
    UPGRADE = "upgrade"


REPLACED = (
    Cause.EXIT,
    Cause.SIGNAL,
    Cause.OOM,
    Cause.BOOT,
    Cause.HUNG,
    Cause.STUCK,
    Cause.DEADLINE,
    Cause.ASKED,
    Cause.RELOAD,
    Cause.RECYCLE,
    Cause.RESTART,
)
"""After such a death another worker takes the place."""

PLANNED = frozenset(
    {
        *(Cause.ASKED, Cause.RELOAD, Cause.REFUSED, Cause.SCALE, Cause.STOP, Cause.UPGRADE, Cause.RECYCLE),
        Cause.RESTART,
    }
)
"""Such a death is no news to worry about."""

_ASKED = {
    Why.RELOAD: Cause.RELOAD,
    Why.RECYCLE: Cause.RECYCLE,
    Why.RESTART: Cause.RESTART,
    Why.REFUSED: Cause.REFUSED,
    Why.SCALE: Cause.SCALE,
    Why.STOP: Cause.STOP,
    Why.UPGRADE: Cause.UPGRADE,
    Why.LEFT: Cause.ASKED,
}


@dataclass(frozen=True, slots=True)
class Remains:
    """What was left of a worker.

    Attributes:
        status: as of ``os.waitstatus_to_exitcode``: negative is a signal.
        oom: the kernel's counter of processes killed for lack of memory has grown.
        resident, peak: bytes, the last that was seen and the most ever.
        boot_error: what it said before it gave up.
        calls: those in flight, oldest first, as text.
        stacks: where its threads stood, as it wrote that itself when it failed or was cut.
    """

    status: int
    oom: bool = False
    requests: int = 0
    connections: int = 0
    resident: int = 0
    peak: int = 0
    boot_error: str = ""
    calls: Sequence[str] = ()
    stacks: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One death."""

    child: Child
    cause: Cause
    at: float
    remains: Remains

    @property
    def from_outside(self) -> bool:
        """Whether somebody killed a worker that was well: SIGKILL cannot come from its own code, nor from a fault."""
        killed = self.remains.status == -signal.SIGKILL
        return killed and self.cause is Cause.SIGNAL and self.child.served_since is not None

    @property
    def reason(self) -> str:
        """How it ended and what it said about it, for who asked for a reload."""
        said = last_line(self.remains.boot_error)
        return f"{self.sentence}: {said}" if said else self.sentence

    @property
    def sentence(self) -> str:
        """How it ended, for the log: what the worker said about it stands there already, in its own words."""
        text = f"{self.child} {how(self.cause, self.child, self.remains.status)}"
        if self.remains.calls:
            named = ", ".join(self.remains.calls[:NAMED_CALLS])
            more = len(self.remains.calls) - NAMED_CALLS
            text += f"; in flight: {named}" + (f" and {more} more" if more > 0 else "")
        return text

    @property
    def fields(self) -> dict[str, object]:
        """The structured part of the record."""
        remains = self.remains
        found: dict[str, object] = {
            "cause": self.cause,
            "status": remains.status,
            "uptime": round(self.at - self.child.born, 3),
            "requests": remains.requests,
            "connections": remains.connections,
            "rss": remains.resident,
            "peak_rss": remains.peak,
        }
        if remains.calls:
            found["calls"] = ", ".join(remains.calls)
        return found


def certify(child: Child, remains: Remains, now: float) -> Certificate:
    """Return the certificate of a worker that was reaped at ``now``."""
    return Certificate(child, cause_of(child, remains), now, remains)


def cause_of(child: Child, remains: Remains) -> Cause:
    """Return what a worker died of."""
    if child.why is Why.HUNG:
        return Cause.HUNG
    if child.why is Why.BOOT:
        return Cause.BOOT
    if child.why is Why.STUCK:
        return Cause.STUCK
    if child.why in _ASKED:
        overdue = child.phase in {Phase.ABORTED, Phase.KILLED} and child.served_since is not None
        return Cause.DEADLINE if overdue else _ASKED[child.why]
    if remains.status < 0:
        return Cause.OOM if remains.oom and remains.status == -signal.SIGKILL else Cause.SIGNAL
    return Cause.EXIT if child.served_since is not None else Cause.BOOT


def how(cause: Cause, child: Child, status: int) -> str:
    """Return the words for an end."""
    ending = f"was killed by {signal_name(-status)}" if status < 0 else f"exited with status {status}"
    late = f"did not become ready within {child.patience.boot:g} s (timeouts.boot) and {ending}"
    words = {
        Cause.OOM: f"{ending}: its control group is out of memory",
        Cause.BOOT: late if child.why is Why.BOOT else f"could not boot and {ending}",
        Cause.HUNG: f"did not turn its loop any more (timeouts.worker) and {ending}",
        Cause.STUCK: f"had a handler that did not come back (timeouts.stuck) and {ending}",
        Cause.DEADLINE: f"was asked to leave ({child.why}), took longer than timeouts.graceful and {ending}",
        Cause.ASKED: f"was sent a signal by somebody else and {ending}",
    }
    return words.get(cause, f"{ending} as asked ({cause})" if cause in PLANNED else ending)


def last_lines(text: str, most: int = LAST_LINES) -> str:
    """Return the end of what a worker said, as far as it is more than the one line that ``reason`` has."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-most:]) if len(lines) > 1 else ""


def last_line(text: str) -> str:
    """Return the line of a traceback that names the error."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
