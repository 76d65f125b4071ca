"""What was understood before and need not be understood again: a bounded memory.

Clients of kept connections send the same header block with every request, applications answer with the same few heads.
To look one up costs a hash of its bytes; to parse one costs ten times as much.

Two generations instead of a list by use: what is asked for again moves into the young one, and when that is full, what
was only seen once goes with the old one.

Runs in:   any thread: each step is one step of a dict, and threads that interfere make it forget, never err.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Memory(Generic[Key, Value]):
    """At most twice ``size`` entries; values must not change once they are learnt.

    Attributes:
        young: what was learnt lately, to be asked first and directly, for that is on the way of every request:
            ``memory.young.get(key) or memory.revive(key)``.
    """

    __slots__ = ("_old", "_size", "young")

    def __init__(self, size: int) -> None:
        self._size = size
        self.young: dict[Key, Value] = {}
        self._old: dict[Key, Value] = {}

    def learn(self, key: Key, value: Value) -> None:
        """Remember ``value``."""
        if len(self.young) >= self._size:
            self._old = self.young
            self.young = {}
        self.young[key] = value

    def revive(self, key: Key) -> Value | None:
        """Look among the old; what is found there is young again."""
        value = self._old.get(key)
        if value is not None:
            self.learn(key, value)
        return value
