"""The Calls that wait for a thread: in order, except that those which compute may be held back.

Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections import deque

from hybridd.worker.call import Call
from hybridd.worker.routes import Verdict


class Waiting:
    """Two lanes; a Call's ``verdict`` says which one is its own."""

    def __init__(self) -> None:
        self._lanes: dict[bool, deque[Call]] = {False: deque(), True: deque()}

    def __len__(self) -> int:
        return len(self._lanes[False]) + len(self._lanes[True])

    def add(self, call: Call) -> None:
        """Let a Call wait behind all others."""
        self._lane(call).append(call)

    def add_first(self, call: Call) -> None:
        """Let a Call that has begun already go on before any other."""
        self._lane(call).appendleft(call)

    def remove(self, call: Call) -> None:
        """Take a Call out; ValueError when it does not wait."""
        self._lane(call).remove(call)

    def next(self, *, computing_allowed: bool) -> Call | None:
        """Take out the Call that has waited longest among those that may run."""
        plain, computing = self._lanes[False], self._lanes[True]
        if not computing or not computing_allowed:
            return plain.popleft() if plain else None
        if plain and plain[0].request.ready <= computing[0].request.ready:
            return plain.popleft()
        return computing.popleft()

    def _lane(self, call: Call) -> deque[Call]:
        return self._lanes[call.verdict is Verdict.COMPUTES]
