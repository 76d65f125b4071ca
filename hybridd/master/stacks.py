"""Where every thread of a worker stands: asked for from outside, or written as it dies.

The worker's part is faulthandler's: C signal handlers that write all stacks to a file.  They need neither the
interpreter lock nor a loop that turns.  The files are anonymous ones, made before the first fork, so that nothing must
be passed and nothing is left behind; workers whose slots are FILES apart share one.  Whoever reaps a worker finds its
last words there.

Knows:     the signal, the files.
Never:     the stacks of the master itself: it has one thread, and answers.
Runs in:   the master, its only thread.
"""

from __future__ import annotations

import fcntl
import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from hybridd.master.children import Child
from hybridd.master.wishes import Reply
from hybridd.net.reactor import Reactor
from hybridd.worker.orders import STACKS

FILES: Final = 32

LONGEST: Final = 32 * 1024
"""Bytes that are read of one worker's stacks; the thread that died comes first."""

LOOK: Final = 0.05
"""Seconds between two looks at a file: the handler cannot say that it is done, it is when nothing more comes."""

PATIENCE: Final = 40
"""Looks without a word before a worker is given up: a stopped process takes no signal."""


class StackFiles:
    """The files that workers write to: ``fds``, see ``WorkerSpec.stacks``."""

    def __init__(self) -> None:
        self.fds = tuple(os.memfd_create(f"hybridd-stacks-{number}") for number in range(FILES))
        for fd in self.fds:
            fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)  # so that a file can be emptied under its writer

    def of(self, slot: int) -> int:
        """Return the descriptor that the worker in this slot writes to."""
        return self.fds[slot % FILES]

    def size(self, slot: int) -> int:
        """How much stands there."""
        return os.fstat(self.of(slot)).st_size

    def take(self, slot: int) -> str:
        """Return what the worker has written, and forget it."""
        fd = self.of(slot)
        size = os.fstat(fd).st_size
        if not size:
            return ""
        text = os.pread(fd, LONGEST, 0).decode(errors="replace").strip()
        os.ftruncate(fd, 0)
        return text

    def close(self) -> None:
        """Give the descriptors back."""
        for fd in self.fds:
            os.close(fd)


class StackReader:
    """Asks workers one after another.

    ``send`` sends a worker a signal; to one that has ended it does nothing.

    Attributes:
        answered: called when a question is answered.
    """

    def __init__(self, reactor: Reactor, files: StackFiles, send: Callable[[int, int], None]) -> None:
        self.answered: Callable[[], None] = lambda: None
        self._reactor = reactor
        self._files = files
        self._send = send
        self._waiting: deque[_Question] = deque()
        self._size = 0
        self._looks = 0

    def ask(self, children: Iterable[Child]) -> Callable[[], Reply | None]:
        """Ask these workers; what is returned says nothing until all have answered or were given up."""
        question = _Question(deque(children), lambda: None)
        self._put(question)
        return question.reply

    def ask_one(self, child: Child, then: Callable[[str], None]) -> None:
        """Ask a worker, and call ``then(its stacks)``: an empty text when it does not answer."""
        question = _Question(deque([child]), lambda: then(question.first))
        self._put(question)

    def _put(self, question: _Question) -> None:
        self._waiting.append(question)
        if len(self._waiting) == 1:
            self._next()

    def _next(self) -> None:
        while self._waiting and not self._waiting[0].left:
            question = self._waiting.popleft()
            question.complete = True
            self._reactor.call_soon(question.then)
            self._reactor.call_soon(self.answered)
        if self._waiting:
            child = self._waiting[0].left[0]
            self._files.take(child.slot)
            self._size = self._looks = 0
            self._send(child.pid, STACKS)
            self._reactor.call_later(LOOK, self._look)

    def _look(self) -> None:
        question = self._waiting[0]
        child = question.left[0]
        before, self._size = self._size, self._files.size(child.slot)
        self._looks += 1
        if (self._size and self._size == before) or self._looks >= PATIENCE:
            question.add(question.left.popleft(), self._files.take(child.slot))
            self._next()
        else:
            self._reactor.call_later(LOOK, self._look)


class _Question:
    """One asker's workers: those left, and what the others said."""

    def __init__(self, left: deque[Child], then: Callable[[], None]) -> None:
        self.left = left
        self.then = then
        self.complete = False
        self._said: list[tuple[Child, str]] = []

    def add(self, child: Child, stacks: str) -> None:
        self._said.append((child, stacks))

    @property
    def first(self) -> str:
        return self._said[0][1]

    def reply(self) -> Reply | None:
        if not self.complete:
            return None
        silent = "did not answer: it is stopped or gone"
        text = "\n\n".join(f"{child}\n{stacks or silent}" for child, stacks in self._said)
        found = [{"slot": child.slot, "pid": child.pid, "stacks": stacks or None} for child, stacks in self._said]
        return Reply(all(stacks for _, stacks in self._said), text or "there are no workers", {"workers": found})
