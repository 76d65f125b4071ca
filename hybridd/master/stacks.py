"""Where every thread of a worker stands, asked for from outside.

The worker's part is faulthandler's: a C signal handler that writes all stacks to a file.  It needs neither the
interpreter lock nor a loop that turns.  The file is one anonymous one, made before the first fork, so that nothing must
be passed and nothing is left behind; therefore one worker is asked at a time.  The handler cannot say that it is done:
it is when the file has not grown for a moment.

Knows:     the signal, the file.
Never:     the stacks of the master itself: it has one thread, and answers.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from hybridd.master.children import Child
from hybridd.master.wishes import Reply
from hybridd.net.reactor import Reactor
from hybridd.worker.orders import STACKS

LOOK: Final = 0.05
"""Seconds between two looks at the file."""

PATIENCE: Final = 40
"""Looks without a word before a worker is given up: a stopped process takes no signal."""


class StackReader:
    """Asks workers one after another.

    ``fd`` is the file that the workers inherit.

    Attributes:
        answered: called when a question is answered.
    """

    def __init__(self, reactor: Reactor, fd: int, send: Callable[[int, int], None]) -> None:
        self.answered: Callable[[], None] = lambda: None
        self._reactor = reactor
        self._fd = fd
        self._send = send
        self._waiting: deque[_Question] = deque()
        self._size = 0
        self._looks = 0

    def ask(self, children: Iterable[Child]) -> Callable[[], Reply | None]:
        """Ask these workers; what is returned says nothing until all have answered or were given up."""
        question = _Question(deque(children))
        self._waiting.append(question)
        if len(self._waiting) == 1:
            self._next()
        return question.reply

    def _next(self) -> None:
        while self._waiting and not self._waiting[0].left:
            self._waiting.popleft().complete = True
            self._reactor.call_soon(self.answered)
        if self._waiting:
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)  # of the open file, so of all workers: fork(2)
            self._size = self._looks = 0
            self._send(self._waiting[0].left[0].pid, STACKS)
            self._reactor.call_later(LOOK, self._look)

    def _look(self) -> None:
        before, self._size = self._size, os.fstat(self._fd).st_size
        self._looks += 1
        if (self._size and self._size == before) or self._looks >= PATIENCE:
            question = self._waiting[0]
            question.add(question.left.popleft(), os.pread(self._fd, self._size, 0).decode(errors="replace"))
            self._next()
        else:
            self._reactor.call_later(LOOK, self._look)


class _Question:
    """One asker's workers: those left, and what the others said."""

    def __init__(self, left: deque[Child]) -> None:
        self.left = left
        self.complete = False
        self._said: list[tuple[Child, str]] = []

    def add(self, child: Child, stacks: str) -> None:
        self._said.append((child, stacks.strip()))

    def reply(self) -> Reply | None:
        if not self.complete:
            return None
        silent = "did not answer: it is stopped or gone"
        text = "\n\n".join(f"{child}\n{stacks or silent}" for child, stacks in self._said)
        found = [{"slot": child.slot, "pid": child.pid, "stacks": stacks or None} for child, stacks in self._said]
        return Reply(all(stacks for _, stacks in self._said), text or "there are no workers", {"workers": found})
