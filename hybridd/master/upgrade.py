"""The hands of an upgrade, in the master that goes: start a successor, give it the word, or end it.

The successor is this command again, as it is found on disk now.  It inherits the listeners and one channel
(handover.py); until it has the word its workers accept nothing, so it may be killed at any moment.

Knows:     fork(2), execve(2), the channel, what is handed over.
Never:     when; that is upgrading.py's.
Runs in:   the master, its only thread; in the forked child until it is another program.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from hybridd.errors import ExitCode
from hybridd.master import events
from hybridd.master.command import Command
from hybridd.master.events import Event
from hybridd.master.handover import CHANNEL, ERRORS, Channel, Role, Say, describe
from hybridd.master.processes import fork
from hybridd.master.signals import SIGNALS
from hybridd.master.state import UpgradeResult
from hybridd.master.successor import EndSuccessor, HandOver, StartSuccessor, UpgradeStep
from hybridd.net.listener import Listener
from hybridd.net.reactor import READ, Reactor
from hybridd.ops.daemonize import highest_open
from hybridd.ops.procfs import children_of
from hybridd.ops.systemd import FIRST_FD

STANDARD_ERROR = 2
LAST_LINES = 20
MOST_WORDS = 64 * 1024  # bytes that are looked at of what a successor wrote to its standard error


class Doors(Protocol):
    """The admin endpoint, the control socket: what only one of two masters may have open."""

    def open(self) -> None:
        """Take connections from now on."""

    def pause(self) -> None:
        """Take none for now."""

    def leave(self) -> None:
        """Stop listening; who waits for an answer gets it."""


@dataclass(slots=True)
class Estate:
    """What is handed over; made anew for each upgrade.

    Attributes:
        workers: (as configured, as wanted now): a successor with the same configuration wants the same number.
    """

    listeners: list[tuple[Role, Listener]]
    workers: tuple[int, int]


@dataclass(slots=True)
class House:
    """What the master that goes has to arrange.

    Attributes:
        estate: what is to be handed over now.
        doors: open while we are in charge.
        tell: takes an event.
        speak_no_more: says to systemd who the main process is, and nothing afterwards.
        keep: says in the PID file that we are still the master.
    """

    command: Command
    estate: Callable[[], Estate]
    doors: Sequence[Doors]
    tell: Callable[[Event], None]
    speak_no_more: Callable[[int], None]
    keep: Callable[[], None]


@dataclass(slots=True)
class _Successor:
    """One that is on its way; ``words`` is its standard error until it can write to the real one."""

    pid: int
    channel: Channel
    words: int
    listeners: list[Listener]
    kept: list[int] = field(default_factory=list)
    failure: str = ""
    deaf: bool = False
    told: bool = False


class Upgrade:
    """See the head of this file."""

    def __init__(self, reactor: Reactor) -> None:
        self.house: House | None = None
        self._reactor = reactor
        self._successor: _Successor | None = None
        self._heir: Channel | None = None  # its end of file tells who took over that we have left

    @property
    def pid(self) -> int:
        """The successor that is on its way and not reaped yet; 0 for none."""
        return self._successor.pid if self._successor else 0

    def carry_out(self, step: UpgradeStep) -> Event:
        """Do what was decided."""
        match step:
            case StartSuccessor():
                return self._start()
            case HandOver(pid=pid):
                return self._give_the_word(pid)
            case EndSuccessor(pid=pid, why=why):
                _kill(pid)
                return events.SuccessorEnded(pid, why)

    def reap(self) -> list[Event]:
        """Return the death of the successor, if it has happened."""
        successor = self._successor
        if successor is None:
            return []
        pid, status = os.waitpid(successor.pid, os.WNOHANG)
        if pid == 0:
            return []
        self._hear(successor)
        if successor.failure:
            reason, _, said = successor.failure.partition("\n")
            return [events.SuccessorDied(pid, reason, said)]
        lines = last_lines(successor.words)
        reason = how_it_ended(os.waitstatus_to_exitcode(status), lines)
        return [events.SuccessorDied(pid, reason, "\n".join(lines[:-1]))]

    def ended(self, result: UpgradeResult) -> None:
        """Move out, or take back what was to be handed over; nothing when it came to nothing before."""
        successor, self._successor = self._successor, None
        if successor is None:
            return
        self._stop_hearing(successor)
        os.close(successor.words)
        if result.pid:
            self._move_out(successor)
        else:
            successor.channel.close()
            if successor.told:
                self._stay()

    def ready(self, mask: int) -> None:
        """Take what the successor says."""
        del mask
        if self._successor is not None:
            self._hear(self._successor)

    def close_in_child(self) -> None:
        """Close the descriptors in a forked child: who waits for our end shall see it when we end."""
        if self._successor is not None:
            self._successor.channel.close()
            os.close(self._successor.words)
        if self._heir is not None:
            self._heir.close()

    def close(self) -> None:
        """Give everything back, at the end."""
        self.close_in_child()

    def _start(self) -> Event:
        house = self._house
        if os.getpid() == 1:
            text = "process 1 cannot be replaced: its end is the end of the container; start a new container instead"
            return events.UpgradeRefused(text)
        estate = house.estate()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel = Channel(ours)
        words = os.memfd_create("hybridd-upgrade")
        channel.say(Say.ESTATE, master=os.getpid(), listeners=describe(estate.listeners), workers=estate.workers)
        listeners = [listener for _, listener in estate.listeners]
        passed = [theirs.fileno(), STANDARD_ERROR, *(listener.fileno() for listener in listeners)]
        names = [CHANNEL, ERRORS, *(role.value for role, _ in estate.listeners)]
        try:
            pid = fork()
        except OSError as error:
            channel.close()
            os.close(words)
            return events.UpgradeRefused(f"a new master cannot be started: {error.strerror or error}")
        else:
            if pid == 0:
                _become(house.command, passed, names, words)
        finally:
            theirs.close()
        self._successor = _Successor(pid, channel, words, listeners)
        self._reactor.register(channel.fileno(), READ, self)
        return events.SuccessorStarted(pid)

    def _hear(self, successor: _Successor) -> None:
        messages = successor.channel.hear()
        if messages is None:
            self._stop_hearing(successor)
        for message in messages or ():
            match message["say"]:
                case Say.READY:
                    successor.kept = message["kept"]
                    self._house.tell(events.SuccessorReady(successor.pid))
                case Say.TAKEN:
                    self._house.tell(events.SuccessorTook(successor.pid, message["workers"]))
                case Say.FAILED:
                    successor.failure = message["text"]

    def _stop_hearing(self, successor: _Successor) -> None:
        if not successor.deaf:
            successor.deaf = True  # its end of file would be reported for ever
            self._reactor.unregister(successor.channel.fileno())

    def _give_the_word(self, pid: int) -> Event:
        for door in self._house.doors:
            door.pause()
        if self._successor is not None:
            self._successor.told = True
            self._successor.channel.say(Say.TAKE)  # if it does not arrive, its death will
        return events.HandingOver(pid)

    def _move_out(self, successor: _Successor) -> None:
        for index in successor.kept:
            successor.listeners[index].give_away()  # first: what is not ours is only closed
        for door in self._house.doors:
            door.leave()
        self._house.speak_no_more(successor.pid)
        successor.channel.say(Say.MAIN)
        self._heir = successor.channel

    def _stay(self) -> None:
        self._house.keep()
        for door in self._house.doors:
            door.open()

    @property
    def _house(self) -> House:
        assert self.house is not None
        return self.house


def _become(command: Command, passed: Sequence[int], names: Sequence[str], words: int) -> NoReturn:
    """Become the successor; in the forked child."""
    try:
        signal.set_wakeup_fd(-1)
        for understood in SIGNALS:
            signal.signal(understood.number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        _arrange_descriptors(passed, words)
        os.chdir(command.directory)
        os.execvpe(command.words[0], command.words, environment_of_successor(os.environ, names, os.getpid()))  # noqa: S606
    except OSError as error:
        what = f" {error.filename}" if error.filename else ""
        os.write(STANDARD_ERROR, f"cannot start{what or f' {command.words[0]}'}: {error.strerror}\n".encode())
    finally:
        os._exit(ExitCode.SYSTEM)  # of this copy of the master nothing else may run


def _arrange_descriptors(passed: Sequence[int], words: int) -> None:
    """Put what is passed on where sd_listen_fds(3) wants it, and close everything else but the standard streams."""
    behind = FIRST_FD + len(passed)
    *moved, errors = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, behind) for fd in (*passed, words)]
    for target, fd in enumerate(moved, FIRST_FD):
        os.dup2(fd, target)
    os.dup2(errors, STANDARD_ERROR)
    os.closerange(behind, highest_open() + 1)


def environment_of_successor(environment: Mapping[str, str], names: Sequence[str], pid: int) -> dict[str, str]:
    """Return the environment in which process ``pid`` finds what it inherits."""
    further = {"LISTEN_PID": str(pid), "LISTEN_FDS": str(len(names)), "LISTEN_FDNAMES": ":".join(names)}
    if "WATCHDOG_PID" in environment:  # sd_watchdog_enabled(3): else it would not feel meant
        further["WATCHDOG_PID"] = str(pid)
    return {**environment, **further}


def _kill(pid: int) -> None:
    """Kill a successor and its workers: stopped first, so that it makes no more of them."""
    os.kill(pid, signal.SIGSTOP)  # it is ours and not reaped, so the number is still its
    for child in children_of(pid):
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)


def last_lines(words: int) -> list[str]:
    """Return the end of what a successor wrote to its standard error."""
    size = os.fstat(words).st_size
    text = os.pread(words, MOST_WORDS, max(0, size - MOST_WORDS)).decode(errors="replace")
    return text.splitlines()[-LAST_LINES:]


def how_it_ended(status: int, said: Sequence[str]) -> str:
    """Return the sentence for a successor that ended without an explanation."""
    how = f"exited with status {status}" if status >= 0 else f"was ended by {signal.Signals(-status).name}"
    return f"the new master {how}" + (f": {said[-1]}" if said else "")
