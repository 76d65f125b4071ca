"""What a step took its thread: differences of clocks, and the run queue's file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridd.worker.effort import Effort, Mark, RunQueue, between, mark


@pytest.fixture
def queue_of() -> Iterator[Callable[[Path], RunQueue]]:
    """Make readers of a file; what this thread has open of them is closed at the end."""
    made: list[RunQueue] = []

    def make(path: Path) -> RunQueue:
        made.append(RunQueue(str(path)))
        return made[-1]

    yield make
    for queue in made:
        if queue._file is not None and queue._file >= 0:
            os.close(queue._file)


def test_effort_is_what_the_clocks_went_on_by() -> None:
    began = Mark(wall=100.0, thread=7.0, process=50.0, run_queue=1.0)
    ended = Mark(wall=103.0, thread=8.5, process=52.0, run_queue=1.25)
    assert between(began, ended) == Effort(seconds=3.0, on_cpu=1.5, runnable=0.25, others_on_cpu=0.5)


def test_others_never_ran_for_less_than_nothing() -> None:
    """The clocks of a thread and its process are read one after the other."""
    assert between(Mark(0.0, 0.0, 0.0, 0.0), Mark(1.0, 1.0, 0.999, 0.0)).others_on_cpu == 0.0


def test_the_clocks_of_a_thread_that_works_go_on() -> None:
    began = mark()
    while (effort := between(began, mark())).on_cpu < 0.001:
        pass
    assert effort.seconds > 0
    assert effort.runnable >= 0


@pytest.mark.parametrize("text", [None, "", "no numbers here\n"])
def test_a_kernel_that_does_not_say_leaves_nobody_waiting(
    queue_of: Callable[[Path], RunQueue], tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "schedstat"
    if text is not None:
        path.write_text(text)
    assert queue_of(path).waited() == 0.0


def test_nothing_is_opened_before_somebody_asks(queue_of: Callable[[Path], RunQueue], tmp_path: Path) -> None:
    path = tmp_path / "schedstat"
    queue = queue_of(path)
    path.write_text("5 2500000000 7\n")
    assert queue.waited() == 2.5


def test_each_thread_reads_its_own_file(queue_of: Callable[[Path], RunQueue], tmp_path: Path) -> None:
    path = tmp_path / "schedstat"
    path.write_text("5 2500000000 7\n")
    queue = queue_of(path)
    assert queue.waited() == 2.5
    path.unlink()  # who has it open goes on reading it
    elsewhere: list[float] = []
    thread = threading.Thread(target=lambda: elsewhere.append(queue.waited()))
    thread.start()
    thread.join()
    assert (queue.waited(), elsewhere) == (2.5, [0.0])
