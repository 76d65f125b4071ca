"""Have the application's own metrics gathered: by a process of its own, one at a time, which lives for one answer.

So neither a scrape's cost nor a broken file is the master's: what does not come in time is killed, and the answer goes
without it and says so.  Between scrapes the dead are retired when their files have become many.

Knows:     the folder, the process that looks into it, who waits for it.
Never:     what the files say (ops/value_files.py).
Runs in:   the master, its only thread; ``_look`` in the process that it forks.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from hybridd.errors import ExitCode
from hybridd.master.processes import fork
from hybridd.master.vitals import ROUND
from hybridd.net.reactor import READ, Reactor, Timer
from hybridd.ops import value_folder
from hybridd.ops.application_metrics import Gathered, decode, encode, failed, gather
from hybridd.ops.daemonize import highest_open
from hybridd.ops.parent_death import libc, send_at_parents_death
from hybridd.ops.title import Title, metrics_title
from hybridd.ops.value_folder import Hold, Place

_log = logging.getLogger("hybridd.metrics")

WITHIN: Final = 5.0
"""Seconds that a look may take: half of what Prometheus waits for a scrape (scrape_timeout, 10 s)."""

MEMORY: Final = 512 * 1024 * 1024
"""Bytes that a look may take beyond what the master has."""

MANY: Final = 64
"""Files that may come before the dead are retired without a scrape."""

MOST_WARNINGS: Final = 100
_BLOCK: Final = 1 << 20

Deliver = Callable[[Gathered], None]


@dataclass(slots=True)
class Look:
    """A process that gathers: its answer so far, and who waits for it."""

    pid: int
    process: int  # a descriptor of it: as PID 1 the master may have reaped it, and a number is soon another's
    fd: int
    deliver: list[Deliver]
    parts: list[bytes]
    timer: Timer | None = None


class Gathering:
    """See the head of this file.

    Attributes:
        place: where the folder is or will be.
    """

    def __init__(self, reactor: Reactor, place: Place, most: Callable[[], int]) -> None:
        self.place = place
        self._reactor = reactor
        self._most = most
        self._hold: Hold | None = None
        self._look: Look | None = None
        self._waiting: list[tuple[bool, Deliver]] = []
        self._unreaped: set[int] = set()
        self._told: set[tuple[str, str]] = set()
        self._files = 0  # after the last look
        self._reviewed = reactor.now
        if not place.parents:
            _log.info("%s is set: the application's own metrics are left to whoever has set it", value_folder.VARIABLE)
        for path in value_folder.sweep(place.parents):
            _log.info("removed %s, which a hybridd that was killed has left", path)
        reactor.after_turn.append(self.review)

    def ask(self, *, openmetrics: bool, deliver: Deliver) -> None:
        """Deliver what the application has to say from now on; at once when it has nothing."""
        if not self._has_folder():
            deliver(Gathered())
            return
        self._waiting.append((openmetrics, deliver))
        self._next()

    def review(self) -> None:
        """Once per second, as the master's loop turns anyway: is the folder there, have the dead become many?"""
        if self._reactor.now - self._reviewed < ROUND:
            return
        self._reviewed = self._reactor.now
        self._reap()
        if self._has_folder() and self._look is None and self._count() > self._files + MANY:
            self._waiting.append((False, _ignore))
            self._next()

    def close_in_child(self) -> None:
        """Give back, in a forked child, what is the master's."""
        if self._hold is not None:
            self._hold.release()
        if self._look is not None:
            os.close(self._look.fd)
            os.close(self._look.process)

    def close(self) -> None:
        """End the look, and remove the folder unless others use it: the workers of a successor, say."""
        if self._look is not None:
            self._end(self._look)
        if self._has_folder():
            assert self._hold is not None
            self._hold.leave()
        for pid in self._unreaped:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)  # it was killed or has closed its pipe, which is the last thing that it does

    # One look after the other.

    def _next(self) -> None:
        if self._look is not None or not self._waiting:
            return
        openmetrics = self._waiting[0][0]
        mine = [deliver for wanted, deliver in self._waiting if wanted is openmetrics]
        self._waiting = [one for one in self._waiting if one[0] is not openmetrics]
        try:
            look = self._begin(mine, openmetrics=openmetrics)
        except OSError as error:
            self._fail(mine, error.strerror or str(error))
            self._next()
            return
        self._look = look
        look.timer = self._reactor.call_later(WITHIN, self._too_late)
        self._reactor.register(look.fd, READ, self)

    def _begin(self, deliver: list[Deliver], *, openmetrics: bool) -> Look:
        assert self._hold is not None
        path, most, master = self._hold.path, self._most(), os.getpid()
        libc()  # once, that those that we fork need not
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        try:
            pid = fork()
            if pid == 0:
                _look(path, theirs, master, most, openmetrics=openmetrics)
            self._unreaped.add(pid)
            process = os.pidfd_open(pid)
        except OSError:
            os.close(ours)  # a process that is there already ends when it has nobody to say it to
            raise
        finally:
            os.close(theirs)
        os.set_blocking(ours, False)
        return Look(pid, process, ours, deliver, [])

    def ready(self, mask: int) -> None:
        """Take what the process says; its end means that it has said everything."""
        del mask
        look = self._look
        if look is None:
            return
        with suppress(BlockingIOError):
            while part := os.read(look.fd, _BLOCK):
                look.parts.append(part)
            self._finish(look)

    def _finish(self, look: Look) -> None:
        self._end(look)
        gathered = decode(b"".join(look.parts))
        if gathered is None:
            self._fail(look.deliver, "the process that does it has ended before it had said everything")
        elif gathered.error:
            self._fail(look.deliver, gathered.error)
        else:
            self._warn(gathered)
            self._deliver(look.deliver, gathered)
        self._next()

    def _too_late(self) -> None:
        look = self._look
        if look is not None:
            self._end(look)
            self._fail(look.deliver, f"it takes longer than {WITHIN:g} s")
            self._next()

    def _end(self, look: Look) -> None:
        if look.timer is not None:
            look.timer.cancel()
        self._look = None
        self._reactor.unregister(look.fd)
        os.close(look.fd)
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(
                look.process, signal.SIGKILL
            )  # one that has said everything has nothing left to do
        os.close(look.process)
        self._reap()

    def _reap(self) -> None:
        for pid in list(self._unreaped):
            try:
                if os.waitpid(pid, os.WNOHANG)[0]:
                    self._unreaped.discard(pid)
            except ChildProcessError:  # as PID 1 the master reaps everybody (effects.py)
                self._unreaped.discard(pid)

    # What is told.

    def _fail(self, deliver: list[Deliver], why: str) -> None:
        self._tell("the application's own metrics", why, "cannot be gathered: ")
        self._deliver(deliver, failed(why))

    def _deliver(self, deliver: list[Deliver], gathered: Gathered) -> None:
        self._files = self._count()
        for one in deliver:
            one(gathered)

    def _warn(self, gathered: Gathered) -> None:
        for name, reason in gathered.named.items():
            self._tell(name, reason)

    def _tell(self, name: str, why: str, between: str = "is left out of /metrics, or in part: ") -> None:
        if (name, why) not in self._told and len(self._told) < MOST_WARNINGS:
            self._told.add((name, why))
            _log.warning("application metrics: %s %s%s", name[:200], between, why)

    # The folder.

    def _has_folder(self) -> bool:
        """Whether the application uses it; from then on it is held."""
        if self._hold is None and (path := value_folder.find(self.place)):
            self._hold = value_folder.hold(path)
        return self._hold is not None

    def _count(self) -> int:
        assert self._hold is not None
        try:
            return len(os.listdir(self._hold.path))  # noqa: PTH208 - a number
        except OSError:
            return 0


def _ignore(gathered: Gathered) -> None:
    """Nobody asked."""
    del gathered


def _look(path: str, answer: int, master: int, most: int, *, openmetrics: bool) -> None:
    """Gather, say it, and end; in the forked process, all signals blocked."""
    status = ExitCode.UNEXPECTED
    try:
        signal.set_wakeup_fd(-1)
        send_at_parents_death(signal.SIGKILL, master)
        highest = highest_open()
        os.closerange(3, answer)
        os.closerange(answer + 1, highest + 1)
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one number
            limit = int(file.read().split()[0]) * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        os.nice(5)  # requests first
        Title().show(metrics_title())
        try:
            gathered = gather(path, openmetrics=openmetrics, most=most)
        except Exception as error:  # noqa: BLE001  # whatever it is, the master logs it, and only this is lost
            gathered = failed(repr(error))
        data = memoryview(encode(gathered))
        while data:
            data = data[os.write(answer, data) :]
        status = ExitCode.CLEAN
    finally:
        os._exit(status)
