"""The hands of an upgrade, in the master that goes: start a successor, give it the word, or end it.

The successor is this command again, as it is found on disk now.  It inherits the listeners and one channel
(handover.py); until it has the word its workers accept nothing, so it may be killed at any moment.

Knows:     the channel, what is handed over.
Never:     when; that is upgrading.py's.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from hybridd.master import events
from hybridd.master.birth import STANDARD_ERROR, give_birth, kill, last_lines
from hybridd.master.command import Command
from hybridd.master.events import Event
from hybridd.master.fork_servers import ForkServers
from hybridd.master.handover import CHANNEL, ERRORS, Channel, Role, Say, describe
from hybridd.master.state import UpgradeResult
from hybridd.master.succession import LAST_REQUESTS
from hybridd.master.successor import EndSuccessor, HandOver, StartSuccessor, UpgradeStep
from hybridd.net.listener import Listener
from hybridd.net.reactor import READ, Reactor
from hybridd.ops.procfs import name_of
from hybridd.ops.reparenting import others_adopt

SMALL_INITS = frozenset({"tini", "docker-init", "dumb-init", "catatonit", "podman-init"})
"""They wait for the one child that they have started, and end with it."""


class Doors(Protocol):
    """The admin endpoint, the control socket: what only one of two masters may have open."""

    def open(self) -> None:
        """Take connections from now on."""

    def pause(self, grace: float) -> None:
        """Take none for now; those that there are have ``grace`` seconds for a request."""

    def leave(self) -> None:
        """Stop listening; who waits for an answer gets it."""


@dataclass(slots=True)
class Estate:
    """What is handed over; made anew for each upgrade.

    Attributes:
        workers: (as configured, as wanted now): a successor with the same configuration wants the same number.
        values: the name of the folder with the values of the application's own metrics.
    """

    listeners: list[tuple[Role, Listener]]
    workers: tuple[int, int]
    values: str


@dataclass(slots=True)
class House:
    """What the master that goes has to arrange.

    Attributes:
        estate: what is to be handed over now.
        doors: open while we are in charge.
        tell: takes an event.
        speak_no_more: says to systemd who the main process is, and nothing afterwards.
        let_go: tells the workers which listeners the successor does without, so that they take who waits there.
        keep: says in the PID file that we are still the master.
        fork_servers: they make the workers where preload is on.
    """

    command: Command
    estate: Callable[[], Estate]
    doors: Sequence[Doors]
    tell: Callable[[Event], None]
    speak_no_more: Callable[[int], None]
    let_go: Callable[[Sequence[Listener]], None]
    keep: Callable[[], None]
    fork_servers: ForkServers


@dataclass(slots=True)
class _Successor:
    """One that is on its way.

    Attributes:
        process: a descriptor of the process (pidfd_open(2)): it is not our child, so its number might become another's.
        words: its standard error until it can write to the real one.
        told: it was given the word.
    """

    pid: int
    process: int
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

    def carry_out(self, step: UpgradeStep) -> Event:
        """Do what was decided."""
        match step:
            case StartSuccessor():
                return self._start()
            case HandOver(pid=pid):
                return self._give_the_word(pid)
            case EndSuccessor(pid=pid, why=why):
                if self._successor is not None:
                    kill(pid, self._successor.process)
                return events.SuccessorEnded(pid, why)

    def ended(self, result: UpgradeResult) -> None:
        """Move out, or take back what was to be handed over; nothing when it came to nothing before."""
        successor, self._successor = self._successor, None
        if successor is None:
            return
        self._stop_hearing(successor)
        self._reactor.unregister(successor.process)
        for fd in (successor.process, successor.words):
            os.close(fd)
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
            for fd in (self._successor.process, self._successor.words):
                os.close(fd)
        if self._heir is not None:
            self._heir.close()

    def close(self) -> None:
        """Give everything back, at the end."""
        self.close_in_child()

    def _start(self) -> Event:
        house = self._house
        if obstacle := irreplaceable(os.getpid(), os.getppid(), name_of(1)):
            return events.UpgradeRefused(f"{obstacle}; start a new container instead")
        if any(server.due for server in house.fork_servers.living):
            return events.UpgradeRefused("a worker is being made, whose parent we must become; ask again")
        estate = house.estate()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel = Channel(ours)
        words = os.memfd_create("hybridd-upgrade")
        channel.say(
            Say.ESTATE,
            master=os.getpid(),
            listeners=describe(estate.listeners),
            workers=estate.workers,
            values=estate.values,
        )
        listeners = [listener for _, listener in estate.listeners]
        passed = [theirs.fileno(), STANDARD_ERROR, *(listener.fileno() for listener in listeners)]
        names = [CHANNEL, ERRORS, *(role.value for role, _ in estate.listeners)]
        try:
            pid, process = self._give_birth(passed, names, words)
        except OSError as error:
            channel.close()
            os.close(words)
            return events.UpgradeRefused(f"a new master cannot be started: {error.strerror or error}")
        finally:
            theirs.close()
        self._successor = _Successor(pid, process, channel, words, listeners)
        self._reactor.register(channel.fileno(), READ, self)
        self._reactor.register(process, READ, _Death(self._died))
        return events.SuccessorStarted(pid)

    def _give_birth(self, passed: Sequence[int], names: Sequence[str], words: int) -> tuple[int, int]:
        with others_adopt() if self._house.fork_servers.adopts else nullcontext():
            return give_birth(self._house.command, passed, names, words)

    def _died(self) -> None:
        """Say why, as far as it is known."""
        successor = self._successor
        if successor is None:
            return
        self._hear(successor)
        if successor.failure:
            reason, _, said = successor.failure.partition("\n")
        else:
            lines = last_lines(successor.words)
            reason, said = how_it_ended(lines), "\n".join(lines[:-1])
        self._house.tell(events.SuccessorDied(successor.pid, reason, said))

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
            door.pause(LAST_REQUESTS)
        if self._successor is not None:
            self._successor.told = True
            self._successor.channel.say(Say.TAKE)  # if it does not arrive, its death will
        return events.HandingOver(pid)

    def _move_out(self, successor: _Successor) -> None:
        for index in successor.kept:
            successor.listeners[index].give_away()  # first: what is not ours is only closed
        gone = [listener for index, listener in enumerate(successor.listeners) if index not in successor.kept]
        self._house.let_go(gone)
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


class _Death:
    """A descriptor of a process is readable when that has ended, and stays so."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._told = False

    def ready(self, mask: int) -> None:
        del mask
        if not self._told:
            self._told = True
            self._tell()


def irreplaceable(pid: int, parent: int, init: str) -> str:
    """Return why a process must not leave its place to a child of its own; empty when it may."""
    if pid == 1:
        return "process 1 cannot be replaced: its end is the end of the container"
    if parent == 1 and init in SMALL_INITS:
        return f"{init}, the container's init, takes the end of this process for the end of the container"
    return ""


def how_it_ended(said: Sequence[str]) -> str:
    """Return the sentence for a successor that ended without an explanation."""
    return f"the new master ended: {said[-1]}" if said else "the new master ended without a word"
