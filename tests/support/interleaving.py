"""Run a few threads one step at a time, in every order there is: a race as a table, not as luck.

Each thread of the scenario calls ``point()`` before every step that another thread could see, and ``until(condition)``
where it waits.  Exactly one thread runs at any moment; which one goes on at each point is a choice, and ``explore``
replays the scenario with every sequence of choices (depth first) in which a thread that could go on is stopped at
most ``preemptions`` times (Musuvathi and Qadeer, "Iterative Context Bounding", 2007: two find nearly all races).

Nobody stands beside the threads and schedules them: the one that comes to a point chooses, and wakes the chosen one.
Mostly that is itself, and then it just goes on: a switch of threads costs more than all the rest of a step.
"""

from __future__ import annotations

import threading
from _thread import allocate_lock
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

DEADLINE = 15.0  # seconds for one step; only a deadlock of the scenario itself needs them


class StoppedError(BaseException):
    """Unwinds a thread of a scenario that has failed elsewhere."""


class _Turn:
    """What a thread waits for until it is given to it."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._lock.acquire()

    def give(self) -> None:
        if self._lock.locked():
            self._lock.release()

    def take(self) -> None:
        if not self._lock.acquire(timeout=DEADLINE):
            raise StoppedError


@dataclass(eq=False, slots=True)
class _Thread:
    name: str
    turn: _Turn = field(default_factory=_Turn)
    condition: Callable[[], bool] = lambda: True
    finished: bool = False


class Schedule:
    """One run of a scenario under one sequence of choices."""

    def __init__(self, choices: list[int], preemptions: int, executor: Executor) -> None:
        self._executor = executor
        self._preemptions = preemptions
        self.trace: list[str] = []
        self.taken: list[tuple[int, int]] = []  # (choice, how many there were)
        self._choices = choices
        self._threads: list[_Thread] = []
        self._local = threading.local()
        self._failure: AssertionError | None = None

    @property
    def running(self) -> str:
        """The name of the thread that asks."""
        me: _Thread = self._local.me
        return me.name

    def point(self, label: str = "") -> None:
        """Let any thread go on from here."""
        self.until(lambda: True, label)

    def until(self, condition: Callable[[], bool], label: str = "") -> None:
        """Go on only when ``condition()`` holds."""
        me: _Thread = self._local.me
        me.condition = condition
        if (chosen := self._choose(me)) is not me:
            chosen.turn.give()
            me.turn.take()
        self._go_on(label)

    def run(self, bodies: Mapping[str, Callable[[], None]]) -> None:
        """Run all bodies to their end; re-raises the first error, AssertionError when they wait for each other."""
        self._threads = [_Thread(name) for name in bodies]
        ends = [self._executor.submit(self._body, thread, bodies[thread.name]) for thread in self._threads]
        self._choose(None).turn.give()
        if wait(ends, timeout=DEADLINE).not_done:
            self._fail(f"a step does not end after {self.trace}")
        if self._failure is not None:
            raise self._failure

    def _body(self, me: _Thread, body: Callable[[], None]) -> None:
        self._local.me = me
        try:
            me.turn.take()
            self._go_on("begins")
            body()
            me.finished = True
            if not all(thread.finished for thread in self._threads):
                self._choose(me).turn.give()
        except StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001  # reported by run
            self._fail(f"{me.name} failed after {self.trace}", error)

    def _go_on(self, label: str) -> None:
        if self._failure is not None:
            raise StoppedError
        self.trace.append(f"{self.running}: {label}")

    def _choose(self, last: _Thread | None) -> _Thread:
        """Return who makes the next step."""
        waiting = [thread for thread in self._threads if not thread.finished]
        ready = [thread for thread in waiting if thread.condition()]
        if not ready:
            self._fail(f"deadlock of {[thread.name for thread in waiting]} after {self.trace}")
            raise StoppedError
        could_stay = last in ready
        if last is not None and could_stay:  # choice 0 is to go on
            ready = [last, *(thread for thread in ready if thread is not last)] if self._preemptions else [last]
        step = len(self.taken)
        choice = self._choices[step] if step < len(self._choices) else 0
        self.taken.append((choice, len(ready)))
        self._preemptions -= could_stay and choice > 0
        return ready[choice]

    def _fail(self, message: str, cause: BaseException | None = None) -> None:
        """Keep the first failure, and let every thread that waits end."""
        if self._failure is None:
            self._failure = AssertionError(message)
            self._failure.__cause__ = cause
        for thread in self._threads:
            thread.turn.give()


def explore(scenario: Callable[[Schedule], None], preemptions: int = 2) -> int:
    """Run ``scenario(schedule)`` under every sequence of choices; returns how many there are."""
    choices: list[int] | None = []
    runs = 0
    with ThreadPoolExecutor() as executor:  # to start three threads for every run would take longer than the run
        while choices is not None:
            schedule = Schedule(choices, preemptions, executor)
            scenario(schedule)
            choices = _following(schedule.taken)
            runs += 1
    return runs


def _following(taken: list[tuple[int, int]]) -> list[int] | None:
    """Return the choices that come after those that were made; None: they were the last."""
    while taken and taken[-1][0] + 1 == taken[-1][1]:
        taken.pop()
    return [*(choice for choice, _ in taken[:-1]), taken[-1][0] + 1] if taken else None
