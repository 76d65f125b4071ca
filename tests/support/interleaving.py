"""Run a few threads one step at a time, in every order there is: a race as a table, not as luck.

Each thread of the scenario calls ``point()`` before every step that another thread could see, and ``until(condition)``
where it waits.  Exactly one thread runs at any moment; which one goes on at each point is a choice, and ``explore``
replays the scenario with every sequence of choices (depth first) in which a thread that could go on is stopped at
most ``preemptions`` times (Musuvathi and Qadeer, "Iterative Context Bounding", 2007: two find nearly all races).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

DEADLINE = 20.0  # seconds for one step; only a deadlock of the scenario itself needs them


class StoppedError(BaseException):
    """Unwinds a thread of a scenario that has failed elsewhere."""


@dataclass
class _Thread:
    name: str
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    condition: Callable[[], bool] = lambda: True
    finished: bool = False
    error: BaseException | None = None


class Schedule:
    """One run of a scenario under one sequence of choices."""

    def __init__(self, choices: list[int], preemptions: int) -> None:
        self._preemptions = preemptions
        self.trace: list[str] = []
        self.taken: list[tuple[int, int]] = []  # (choice, how many there were)
        self._choices = choices
        self._arrived = threading.Semaphore(0)
        self._local = threading.local()
        self._stopped = False

    def point(self, label: str = "") -> None:
        """Let any thread go on from here."""
        self.until(lambda: True, label)

    def until(self, condition: Callable[[], bool], label: str = "") -> None:
        """Go on only when ``condition()`` holds."""
        me: _Thread = self._local.me
        me.condition = condition
        self._arrived.release()
        if not me.go.acquire(timeout=DEADLINE) or self._stopped:
            raise StoppedError
        self.trace.append(f"{me.name}: {label}")

    def run(self, bodies: Mapping[str, Callable[[], None]]) -> None:
        """Run all bodies to their end; re-raises the first error, AssertionError when they wait for each other."""
        threads = [_Thread(name) for name in bodies]
        real = [threading.Thread(target=self._body, args=(thread, bodies[thread.name])) for thread in threads]
        for one in real:
            one.start()
            self._wait()
        try:
            self._choose(threads)
        finally:
            for one in real:
                one.join(DEADLINE)

    def _choose(self, threads: list[_Thread]) -> None:
        last: _Thread | None = None
        while open_ones := [thread for thread in threads if not thread.finished]:
            ready = [thread for thread in open_ones if thread.condition()]
            if not ready:
                self._stop(open_ones)
                raise AssertionError(f"deadlock of {[t.name for t in open_ones]} after {self.trace}")
            if last in ready:  # choice 0 is to go on
                ready = [last, *(thread for thread in ready if thread is not last)] if self._preemptions else [last]
            step = len(self.taken)
            choice = self._choices[step] if step < len(self._choices) else 0
            self.taken.append((choice, len(ready)))
            self._preemptions -= last in ready and choice > 0
            last = ready[choice]
            last.go.release()
            self._wait()
            failed = next((thread for thread in threads if thread.error is not None), None)
            if failed is not None:
                self._stop([thread for thread in threads if not thread.finished])
                assert failed.error is not None
                raise AssertionError(f"{failed.name} failed after {self.trace}") from failed.error

    def _body(self, thread: _Thread, body: Callable[[], None]) -> None:
        self._local.me = thread
        try:
            self.point("begins")
            body()
        except StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001  # reported by run
            thread.error = error
        thread.finished = True
        self._arrived.release()

    def _wait(self) -> None:
        assert self._arrived.acquire(timeout=DEADLINE), f"a step does not end after {self.trace}"

    def _stop(self, threads: list[_Thread]) -> None:
        self._stopped = True
        for thread in threads:
            thread.go.release()


def explore(scenario: Callable[[Schedule], None], preemptions: int = 2) -> Iterator[Schedule]:
    """Run ``scenario(schedule)`` under every sequence of choices; yields each schedule after its run."""
    choices: list[int] = []
    while True:
        schedule = Schedule(choices, preemptions)
        scenario(schedule)
        yield schedule
        taken = schedule.taken
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return
        choices = [choice for choice, _ in taken]
        choices[-1] += 1
