"""The Calls that wait for a thread: in order, those that have begun before new ones, those that compute perhaps later.

Runs in:   the thread that leads.
"""

from __future__ import annotations

from collections import deque

from hybridd.worker.call import Call
from hybridd.worker.routes import Verdict


class Waiting:
    """What a Call has begun with a slow client holds memory and perhaps locks: it goes on before new ones begin."""

    def __init__(self) -> None:
        self._begun = _Queue()
        self._new = _Queue()

    def __len__(self) -> int:
        return len(self._begun) + len(self._new)

    def add(self, call: Call) -> None:
        """Let a new Call wait behind all others."""
        self._new.add(call)

    def add_begun(self, call: Call) -> None:
        """Let a Call that has begun already wait behind its kind, and before any new one."""
        self._begun.add(call)

    def remove(self, call: Call) -> None:
        """Take a new Call out; ValueError when it does not wait."""
        self._new.remove(call)

    def has_next(self, *, computing_allowed: bool) -> bool:
        """Whether ``next`` would give a Call."""
        return any(queue.has_next(computing_allowed=computing_allowed) for queue in (self._begun, self._new))

    def next(self, *, computing_allowed: bool) -> Call | None:
        """Take out the Call that has waited longest among those that may run."""
        return self._begun.next(computing_allowed=computing_allowed) or self._new.next(
            computing_allowed=computing_allowed
        )


class _Queue:
    """Two lanes; a Call's ``verdict`` says which one is its own."""

    def __init__(self) -> None:
        self._plain: deque[Call] = deque()
        self._computing: deque[Call] = deque()

    def __len__(self) -> int:
        return len(self._plain) + len(self._computing)

    def add(self, call: Call) -> None:
        self._lane(call).append(call)

    def remove(self, call: Call) -> None:
        self._lane(call).remove(call)

    def has_next(self, *, computing_allowed: bool) -> bool:
        return bool(self._plain or (computing_allowed and self._computing))

    def next(self, *, computing_allowed: bool) -> Call | None:
        plain, computing = self._plain, self._computing
        if not computing or not computing_allowed:
            return plain.popleft() if plain else None
        if plain and plain[0].request.ready <= computing[0].request.ready:
            return plain.popleft()
        return computing.popleft()

    def _lane(self, call: Call) -> deque[Call]:
        return self._computing if call.verdict is Verdict.COMPUTES else self._plain
