"""Where workers write their stacks, and who reads them: real files, played signals."""

from __future__ import annotations

import os

import pytest

from hybridd.master.children import Child, Phase
from hybridd.master.stacks import FILES, LONGEST, PATIENCE, StackFiles, StackReader
from hybridd.worker.orders import STACKS
from tests.support.simulated_loop import SimulatedLoop


def child(slot=0):
    return Child(slot, 100 + slot, 1, Phase.READY, born=0.0, since=0.0)


@pytest.fixture
def files():
    files = StackFiles()
    yield files
    files.close()


@pytest.fixture
def loop():
    loop = SimulatedLoop()
    yield loop
    loop.close()


def test_what_was_written_is_taken_once(files):
    os.write(files.of(3), b"Fatal Python error\n")
    assert files.take(4) == ""
    assert files.take(3) == "Fatal Python error"
    assert files.take(3) == ""
    os.write(files.of(3), b"x" * 2 * LONGEST)
    assert len(files.take(3)) == LONGEST
    assert files.of(3) == files.of(3 + FILES)


def test_workers_are_asked_one_after_another(files, loop):
    asked, answered = [], []

    def send(pid, number):
        asked.append((pid, number))
        if pid != 101:  # that one is stopped
            os.write(files.of(pid - 100), b"stacks of %d\n" % pid)

    reader = StackReader(loop.reactor, files, send)
    reader.answered = lambda: answered.append(True)
    os.write(files.of(0), b"something older")
    reply = reader.ask([child(0), child(1)])
    told = []
    reader.ask_one(child(2), told.append)
    assert (asked, reply()) == ([(100, STACKS)], None)
    loop.run_for(0.05 * (PATIENCE + 10))
    assert [pid for pid, _ in asked] == [100, 101, 102]
    assert reply().details["workers"] == [
        {"slot": 0, "pid": 100, "stacks": "stacks of 100"},
        {"slot": 1, "pid": 101, "stacks": None},
    ]
    assert not reply().ok
    assert told == ["stacks of 102"]
    assert len(answered) == 2
    assert files.take(0) == "", "the next death certificate would have it"
