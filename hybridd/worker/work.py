"""What a worker does with the connections that it accepts, as the rest of the worker sees it.

``Work`` is what the report, the gate and the drain ask; every dispatch has one (arrangement.py).  ``CallDesk`` is where
an HTTP service brings its Calls.

Knows:     shapes only.
Runs in:   nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from hybridd.http.request import Request
from hybridd.worker.call import Call, Desk


class Work(Protocol):
    """Every member belongs to the thread that runs the worker's loop."""

    @property
    def running(self) -> Collection[Any]:
        """The Calls that hold a thread or process; each has a ``request`` with method, path and id."""

    @property
    def queued(self) -> int:
        """Calls that wait for a thread."""

    @property
    def idle(self) -> bool:
        """Whether no Call exists that has begun or will begin."""

    @property
    def oldest(self) -> float:
        """When the oldest running step of a Call began (monotonic seconds); 0.0 when none does."""

    @property
    def threads(self) -> int:
        """Calls that may run at once."""

    @property
    def handoffs(self) -> int:
        """Calls that were taken over, only ever growing."""

    def has_capacity(self, expected: int) -> bool:
        """Whether a connection that came now would be served at once, behind ``expected`` others just taken.

        Only a work that learns of a connection's Call when its request has been read looks at ``expected``.
        """

    def start(self, run_loop: Callable[[], None]) -> None:
        """Run the worker's loop in a thread of its own; RuntimeError when there is none to be had."""

    def grow(self) -> object:
        """Once per heartbeat: look after what goes on elsewhere."""


class CallDesk(Desk, Work, Protocol):
    """Where an HTTP service brings its Calls."""

    @property
    def slow_routes(self) -> Mapping[str, object]:
        """What is known of routes that are not fast; nothing: all are."""

    @property
    def shown(self) -> Mapping[Request, Call]:
        """The requests that the worker's death certificate could name."""

    def runs_beside(self, request: Request | None) -> bool:
        """Whether a Call for it would run in the pool, while others run here."""

    def submit(self, call: Call) -> None:
        """Run a new Call, or let it wait."""

    def client_gone(self, call: Call) -> None:
        """Nobody waits for this Call any more."""

    def drop(self, call: Call) -> None:
        """Forget a Call that has not begun."""

    def settled(self, request: Request) -> None:
        """The outcome of a request that is ``shown`` is recorded."""
