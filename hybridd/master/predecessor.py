"""The master before us: what we take over from it in an upgrade, and when.

Until it gives the word this master is nobody: it does not speak to systemd, writes no PID file, opens no admin or
control socket, owns no listener, and its workers accept nothing.  If the one before us ends first, so do we.

Knows:     the channel and the descriptors that were passed (handover.py).
Never:     decides about workers.
Runs in:   the master that comes, its only thread.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybridd.config.address import Address
from hybridd.errors import BindError
from hybridd.master import events
from hybridd.master.children import Phase
from hybridd.master.events import Event
from hybridd.master.handover import CHANNEL, ERRORS, MOST_TEXT, Channel, Message, Role, Say
from hybridd.master.listeners import refuse_handed, split
from hybridd.master.modes import Mode
from hybridd.master.state import State
from hybridd.net.listener import Listener
from hybridd.net.private import PrivateListener
from hybridd.net.reactor import READ, Reactor
from hybridd.ops.systemd import parse_listen_fds, take_listen_fds
from hybridd.ops.value_folder import is_name

_log = logging.getLogger("hybridd.master")

STANDARD_ERROR: Final = 2


@dataclass(slots=True)
class Heirloom:
    """A listener of the master before us; ours, with its file, once we have taken over."""

    role: Role
    listener: Listener
    owned: bool
    file: tuple[int, int] | None

    @property
    def kept(self) -> bool:
        """Whether we go on with it."""
        return self.listener.fileno() >= 0


@dataclass(frozen=True, slots=True)
class Life:
    """What this master does when it has the word.

    Attributes:
        tell: takes an event.
        release: lets a worker accept that has waited for it.
        take_over: puts the listeners, by now ours, to use.
        speak: tells systemd how we are, from now on.
    """

    tell: Callable[[Event], None]
    state: Callable[[], State]
    release: Callable[[int], object]
    take_over: Callable[[], None]
    speak: Callable[[], None]


class Predecessor:
    """See the head of this file.

    Attributes:
        pid: the process before us.
        in_charge: whether we have taken over.
        values: the name of the folder of the application's own metrics; empty when it is not said.
    """

    def __init__(self, channel: Channel, fds: Sequence[int]) -> None:
        self.in_charge = False
        self._channel = channel
        self._life: Life | None = None
        self._reactor: Reactor | None = None
        self._said_ready = self._said_why = self._speaks = False
        self._held: set[int] = set()  # workers that wait for the word, or do not yet understand it
        [estate] = channel.hear() or [{}]
        self.pid: int = estate["master"]
        self.values = name if is_name(name := str(estate.get("values", ""))) else ""
        self._workers: tuple[int, int] = (estate["workers"][0], estate["workers"][1])
        self._heirlooms = [_adopt(said, fd) for said, fd in zip(estate["listeners"], fds, strict=True)]

    # What we inherit, before the loop.

    def choose(self, role: Role, addresses: Sequence[Address]) -> tuple[list[Listener], list[Address]]:
        """Return the listeners that serve ``addresses``, and the addresses that are still to be bound.

        Raises:
            BindError: only whoever starts hybridd could hand us what is missing.
        """
        offered = [one.listener for one in self._heirlooms if one.role is role and one.kept]
        kept, missing = split(offered, addresses)
        for listener in offered:
            if listener not in kept:
                listener.sock.close()  # its file and its end are the business of the one before us
        refuse_handed(missing)
        return kept, missing

    def workers(self, configured: int) -> int:
        """Return how many workers to want: as many as there are, when the configuration says the same as it did."""
        before, wanted = self._workers
        return wanted if configured == before else configured

    # Once the loop runs.

    def begin(self, reactor: Reactor, life: Life) -> None:
        """Listen to the master before us."""
        self._reactor, self._life = reactor, life
        reactor.register(self._channel.fileno(), READ, self)
        self._hear()

    def ready(self, mask: int) -> None:
        """Take what it says."""
        del mask
        self._hear()

    def review(self) -> None:
        """Something has happened: say what it waits for."""
        assert self._life is not None
        state = self._life.state()
        if state.mode is Mode.WAITING and not self._said_ready:
            self._said_ready = True
            self._channel.say(Say.READY, kept=[index for index, one in enumerate(self._heirlooms) if one.kept])
        elif state.mode is Mode.RUNNING and not self.in_charge:
            self.in_charge = True
            for one in self._heirlooms:
                if one.kept and one.owned:
                    one.listener.come_into(one.file)
            self._held = set(state.children)
            self._release()
            self._life.take_over()
            self._channel.say(Say.TAKEN, workers=state.count(Phase.READY))
        elif self._held:
            self._release()

    def _release(self) -> None:
        """Let those accept that were born to wait, as soon as they understand it: when they are ready."""
        assert self._life is not None
        children = self._life.state().children
        ready = {pid for pid in self._held if pid in children and children[pid].served_since is not None}
        for pid in ready:
            self._life.release(pid)
        self._held = (self._held & set(children)) - ready

    def _hear(self) -> None:
        assert self._life is not None
        assert self._reactor is not None
        messages = self._channel.hear()
        if messages is None:
            self._reactor.unregister(self._channel.fileno())
            self.close()
            self._gone()
        for message in messages or ():
            match message["say"]:
                case Say.TAKE:
                    self._life.tell(events.TookOver())
                case Say.MAIN:
                    self._speak()

    def _gone(self) -> None:
        assert self._life is not None
        if self.in_charge:
            _log.info("the master before this one (pid %d) has left", self.pid)
            self._speak()  # if it could not say that it was our turn
        else:
            _log.error("the master before this one (pid %d) is gone and has not handed over", self.pid)
            self._life.tell(events.QuitAsked())

    def _speak(self) -> None:
        assert self._life is not None
        if not self._speaks:
            self._speaks = True
            self._life.speak()

    # As hybridd.ops.daemonize.Verdict: who waits for it is the master before us.

    def failed(self, code: int, text: str) -> None:
        """We end with this exit code, for this reason."""
        if not self.in_charge and text and not self._said_why:
            self._said_why = True
            self._channel.say(Say.FAILED, code=code, text=text[:MOST_TEXT])

    def close(self) -> None:
        """Give the descriptor back; also in a forked child."""
        self._channel.close()


def find(environment: MutableMapping[str, str]) -> Predecessor | None:
    """Return the master whose place we are to take, None when we were started by anybody else.

    Raises:
        BindError: what it passed contradicts itself.
    """
    if CHANNEL not in parse_listen_fds(environment, os.getpid()):
        return None
    passed = take_listen_fds(environment, os.getpid())
    channel = Channel(socket.socket(fileno=passed[CHANNEL][0]))
    _restore_standard_error(passed[ERRORS][0])
    fds = sorted(fd for name in Role for fd in passed.get(name, ()))
    try:
        return Predecessor(channel, fds)
    except (KeyError, ValueError) as error:
        raise BindError(f"the master before this one does not speak our language ({error!r}); restart it") from None


def _restore_standard_error(real: int) -> None:
    """Write to the real standard error from now on, beginning with what went to the substitute."""
    sys.stderr.flush()
    said = os.pread(STANDARD_ERROR, os.fstat(STANDARD_ERROR).st_size, 0)
    os.dup2(real, STANDARD_ERROR)
    os.close(real)
    if said:
        os.write(STANDARD_ERROR, said)


def _adopt(said: Message, fd: int) -> Heirloom:
    sock = socket.socket(fileno=fd)
    role = Role(said["role"])
    kind = PrivateListener if role is Role.CONTROL else Listener
    file = said["file"]
    return Heirloom(
        role, kind(sock, said["name"], owned=False), said["owned"], (file[0], file[1]) if file is not None else None
    )
