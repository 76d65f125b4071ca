"""The hands that start workers where ``preload`` is on: a fork server for each generation, and the orders it has.

A worker that is asked for has a number at once, its ticket, under which plan() and fold() know it as a worker that
boots; when it is born, an event says which pid it has.  A ticket is greater than any pid can be, so that a signal to it
reaches nobody.  A fork server gets one order at a time: one that waits can be taken back at once.

When a fork server ends, its workers serve on; only those that it still should have made are lost, as if they had ended
with its status.  A worker says itself that it is born before it does anything else, so after the end of file of the
channel there is none that we do not know.

Knows:     fork servers, their channels, tickets.
Never:     which workers, or when (lifecycle.py).
Runs in:   the master, its only thread; in a new child until BecomeForkServer is raised.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Final

from hybridd.config.settings import Config
from hybridd.master import events, preloading
from hybridd.master.children import TICKETS, Abort, Spawn, Step
from hybridd.master.desired import Desired, Stop
from hybridd.master.events import Event
from hybridd.master.inheritance import Inheritance
from hybridd.master.processes import SIGNAL_OF, Reaped, fork
from hybridd.master.tickets import ForkServer, Stage, Ticket, renewable
from hybridd.net.reactor import READ
from hybridd.ops.reparenting import adopt_orphans
from hybridd.worker import births, words
from hybridd.worker.births import Born, Failed, Loaded, Message, Order, Reopen, Unborn
from hybridd.worker.fork_server import BecomeForkServer, Nursery

LAST_WORD: Final = 1.0
"""Seconds after its end in which a worker may still say that it is born, should something hold the channel open."""


class ForkServers:
    """All of them; at most one of each generation takes orders.

    Attributes:
        tell, look: the master takes an event, or looks at its workers, at the end of this turn.
        adopts: whether orphans become our children.
    """

    def __init__(self, heritage: Inheritance) -> None:
        self.tell: Callable[[Event], None] = lambda _: None
        self.look: Callable[[], None] = lambda: None
        self.adopts = False
        self._heritage = heritage
        self._numbers = count(TICKETS)
        self._servers: list[ForkServer] = []
        self._tickets: dict[int, Ticket] = {}
        self._started: set[int] = set()  # generations
        self._unborn: list[Reaped] = []
        self._desired = Desired(0)
        heritage.close_in_child.append(self._close_in_child)

    @property
    def living(self) -> list[ForkServer]:
        """Those that are not reaped yet."""
        return [server for server in self._servers if server.reaped is None]

    @property
    def pids(self) -> list[int]:
        """Their processes."""
        return [server.pid for server in self.living]

    # Orders.

    def order(self, action: Spawn, config: Config, probation: float) -> int:
        """Ask for a worker; return its ticket.  In the child that becomes the fork server this does not return.

        Raises:
            OSError: there is no fork server, and the system refuses to fork one.
            BecomeForkServer: in the child.
        """
        server = self._serving(action.generation) or self._start(action.generation, config, action.slot)
        number = next(self._numbers)
        order = Order(number, action.slot, probation)
        self._tickets[number] = Ticket(order)
        server.queue.append(order)
        self._go_on(server)
        return number

    def take_back(self, step: Step) -> None:
        """Do with a worker that is not born what a signal does with one that is."""
        ticket, number = self._tickets.get(step.pid), SIGNAL_OF[type(step)]
        if ticket is None:
            return  # its end is on its way
        if ticket.pid:
            _send(ticket.pid, number)
            return
        server = next(server for server in self._servers if step.pid in server.tickets)
        late = isinstance(step, Abort)
        if step.pid != server.due and not (late and server.stage is Stage.LOADING):
            server.forget(step.pid)
            self._lose(step.pid, Reaped(step.pid, -number, 0.0, 0))
        elif late or ticket.sentence is not None:
            _send(server.pid, number)  # that it takes so long is the fork server's doing
        ticket.sentence = number

    def follow(self, desired: Desired) -> None:
        """Keep the fork servers of the generations that may get workers."""
        self._desired = desired
        needed = () if desired.stop is not Stop.NO else (desired.generation, desired.trial, desired.fallback)
        for server in self.living:
            if server.generation not in needed and server.stage in {Stage.LOADING, Stage.READY}:
                server.stage = Stage.ENDED
                _send(server.pid, signal.SIGKILL)  # it has nothing to finish

    def reopen_logs(self) -> None:
        """Let all of them open their logs again before they make another worker."""
        for server in self.living:
            server.queue.appendleft(Reopen())
            self._go_on(server)

    # What comes of them.

    def sort(self, reaped: Iterable[Reaped], known: Collection[int]) -> list[Reaped]:
        """Return those of the reaped processes that were workers, and the workers that will not be born.

        Some may have been born and have died so quickly that nobody knows them yet.
        """
        for server in self.living:
            self.listen(server)
        newborn = {ticket.pid: number for number, ticket in self._tickets.items() if ticket.pid}
        servers = {server.pid: server for server in self.living}
        found = []
        for one in reaped:
            if one.pid in servers:
                self._ended(servers[one.pid], one)
            elif one.pid in newborn:
                del self._tickets[newborn[one.pid]]
                found.append(replace(one, pid=newborn[one.pid]))
            elif one.pid in known:
                found.append(one)
        found += self._unborn
        self._unborn = []
        return found

    def listen(self, server: ForkServer) -> None:
        """Take what a fork server and its newborn have said."""
        while not server.closed:
            try:
                packet = server.channel.recv(births.LONGEST)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if packet:
                self._take(server, births.decode(packet))
            else:
                server.closed = True
                self._heritage.reactor.unregister(server.channel.fileno())
                self._part(server)

    def _take(self, server: ForkServer, message: Message) -> None:
        match message:
            case Loaded(seconds=seconds):
                if server.stage is Stage.LOADING:
                    server.stage = Stage.READY
                self._soon(preloading.Preloaded(server.generation, server.pid, seconds, original=server.original))
            case Failed(reason=reason):
                server.stage, server.failure = Stage.ENDED, reason
            case Born(ticket=number, pid=pid):
                server.due, ticket = 0, self._tickets[number]
                ticket.pid = pid
                if ticket.sentence is not None:
                    _send(pid, ticket.sentence)
                self._heritage.reactor.call_soon(self._deliver, number)
            case Unborn(ticket=number, reason=reason):
                server.due, order = 0, self._tickets.pop(number).order
                self._heritage.scoreboard.fold(order.slot)
                self._soon(events.SpawnFailed(order.slot, server.generation, reason, number))
        self._go_on(server)

    def _deliver(self, number: int) -> None:
        if (ticket := self._tickets.pop(number, None)) is not None:  # else it was reaped already
            self.tell(preloading.Born(number, ticket.pid))

    def _ended(self, server: ForkServer, reaped: Reaped) -> None:
        server.reaped = reaped
        self._heritage.reactor.call_later(LAST_WORD, lambda: self._part(server, late=True))
        self._part(server)

    def _part(self, server: ForkServer, *, late: bool = False) -> None:
        """Take leave of a fork server that has ended, when nobody can speak for it any more."""
        if server.reaped is None or not (server.closed or late) or server.stage is Stage.GONE:
            return
        if not server.closed:
            server.closed = True
            self._heritage.reactor.unregister(server.channel.fileno())
        server.channel.close()
        asked, server.stage = server.stage is Stage.ENDED and not server.failure, Stage.GONE
        self._servers.remove(server)
        lost = server.tickets
        for number in lost:
            if server.failure:
                words.write_boot_error(self._heritage.scoreboard.row(self._tickets[number].order.slot), server.failure)
            self._lose(number, server.reaped)
        if asked or (server.failure and lost):
            return  # nothing that is not known or said
        again = not server.failure and renewable(
            self._desired, server.generation, self._heritage.reactor.now - server.born
        )
        self._soon(preloading.ForkServerLost(server.generation, server.pid, server.reaped.status, again=again))
        if again:
            with suppress(OSError):  # the next order will say it
                self._start(server.generation, server.config)

    # Small steps.

    def _serving(self, generation: int) -> ForkServer | None:
        """Return the fork server that makes workers of this generation."""
        able = {Stage.LOADING, Stage.READY}
        found = [one for one in self.living if one.generation == generation and one.stage in able and not one.closed]
        return found[0] if found else None

    def _start(self, generation: int, config: Config, slot: int | None = None) -> ForkServer:
        if not self.adopts:
            adopt_orphans()
            self.adopts = True
        heritage = self._heritage
        ours, theirs = births.make_channel()
        try:
            pid = fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            ours.close()
            spec = heritage.take(heritage.spec(slot or 0, generation, config))
            raise BecomeForkServer(Nursery(spec, theirs, again=slot is None))
        theirs.close()
        original = generation not in self._started
        self._started.add(generation)
        server = ForkServer(generation, pid, ours, config, heritage.reactor.now, original)
        self._servers.append(server)
        heritage.reactor.register(ours.fileno(), READ, _Ear(self, server))
        return server

    def _go_on(self, server: ForkServer) -> None:
        """Tell a fork server what is next, if it has nothing to do."""
        while server.stage is Stage.READY and server.queue and not server.due:
            message = server.queue.popleft()
            if isinstance(message, Order):
                server.due = message.ticket
            with suppress(OSError):  # it has died; its end is on its way
                server.channel.send(births.encode(message))

    def _lose(self, number: int, end: Reaped) -> None:
        """Let a worker that will not be born be reaped with this end."""
        del self._tickets[number]
        self._unborn.append(replace(end, pid=number))
        self._heritage.reactor.call_soon(self.look)

    def _soon(self, event: Event) -> None:
        """Tell an event; at the end of the next turn when this one is at its end already."""
        self._heritage.reactor.call_soon(self.tell, event)

    def _close_in_child(self) -> None:
        for server in self._servers:
            server.channel.close()


class _Ear:
    """The master's end of a channel."""

    def __init__(self, servers: ForkServers, server: ForkServer) -> None:
        self._servers = servers
        self._server = server

    def ready(self, mask: int) -> None:
        del mask
        self._servers.listen(self._server)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # a worker that was reaped before we knew it
        os.kill(pid, number)
        if number == signal.SIGABRT:
            os.kill(pid, signal.SIGCONT)  # a stopped process takes no signal but this one
