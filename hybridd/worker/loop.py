"""A loop and what stands on it: connections' terms, counters, the desk of their Calls.

A worker has one.  Where each connection has a thread or a process of its own, each of these has one too: a small loop
that waits for its one client with ``poll([socket, wake-up], deadline - now)``, and so keeps the same deadlines, says
the same goodbye and speaks the same protocol as a loop with ten thousand of them.

Knows:     how the parts are called.
Never:     what is spoken; who runs it.
Runs in:   the thread that runs the loop; ``reactor.post`` from any other.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hybridd.config.settings import Config
from hybridd.http.counts import HttpCounts
from hybridd.http.request import Request
from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.worker.accepting import Take
from hybridd.worker.in_flight import InFlight
from hybridd.worker.inline import Inline, InlineFiles
from hybridd.worker.room import Room
from hybridd.worker.serving import Service, cut, part
from hybridd.worker.work import CallDesk


@dataclass(slots=True, eq=False)
class Loop:
    """See the head of this file.

    Attributes:
        record: takes the outcome of every request; None: nobody wants it.
        files: writes temporary files here; None: in threads beside the loop.
        services: one for each listener, in their order.
        takes: what begins with a connection of each listener.
    """

    reactor: Reactor
    terms: Terms
    desk: CallDesk
    record: Callable[[Request], None] | None
    files: InlineFiles | None = None
    counts: HttpCounts = field(default_factory=HttpCounts)
    services: Sequence[Service] = ()
    takes: Sequence[Take] = ()

    def serve(self, listener: int, sock: socket.socket, peer: Any) -> None:
        """Serve one connection to its end; ``listener`` is its number."""
        ended = self.terms.lost
        self.reactor.refresh()  # it has not turned since its last connection
        self.takes[listener](sock, peer)
        while self.terms.lost == ended or not self.desk.idle:
            self.reactor.turn()

    def drain(self, idle_grace: float) -> None:
        """End politely."""
        for service in self.services:
            service.draining = True
        part(self.terms.open, idle_grace)

    def cut(self) -> None:
        """End at once."""
        cut(self.terms.open)


def private_loop(
    config: Config,
    record: Callable[[Request], None] | None,
    in_flight: InFlight | None = None,
    room: Room | None = None,
) -> Loop:
    """Return a loop for one connection at a time, without services yet."""
    reactor = Reactor(selector=selectors.PollSelector())  # no descriptor more, and with two to watch as quick as epoll
    terms = Terms(reactor, config.timeouts.write, write_rate=config.limits.response_rate)
    return Loop(reactor, terms, Inline(config, reactor, in_flight, room), record, InlineFiles(reactor))
