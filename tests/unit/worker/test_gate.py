"""To whom a worker leaves a connection: real rows, written as other workers would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import words
from hybridd.worker.gate import Gate

NOW = 1000.0
NOW_NS = int(NOW * 1e9)
OWN_SLOT = 1
SLOTS = 2


class Fleet:
    """Three rows, of which the middle one is ours."""

    def __init__(self) -> None:
        size = words.LAYOUT.header_words + 3 * words.LAYOUT.row_words
        self.board = Scoreboard(words.LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), 3)
        self.load = words.pack_load(0, 10)
        self.gate = Gate(self.board, OWN_SLOT, load=lambda: self.load, capacity=lambda fresh: fresh < SLOTS)
        self.board.claim(OWN_SLOT)

    def worker(self, slot: int, **words_of_row: int) -> memoryview:
        """Another worker: idle, asleep and accepting unless said otherwise."""
        row = self.board.claim(slot).words
        facts = {"load": 0, "accepting": 1, "asleep": 1, "heartbeat": NOW_NS - 10**9, **words_of_row}
        for name, value in facts.items():
            row[words.LAYOUT.word(name)] = value
        return row


@pytest.fixture
def fleet():
    return Fleet()


def test_alone_it_takes_what_comes(fleet):
    assert not fleet.gate.defers(NOW)


def test_it_leaves_a_connection_to_somebody_asleep_with_less_to_do(fleet):
    fleet.worker(0)
    assert fleet.gate.defers(NOW)
    assert fleet.gate.deferring


def test_a_slot_that_nobody_has_counts_for_nothing(fleet):
    fleet.worker(2)
    fleet.board.fold(2)
    assert not fleet.gate.defers(NOW)


@pytest.mark.parametrize(
    "not_a_candidate",
    [
        {"accepting": 0},  # drains, boots, is on probation, or has no handler free
        {"asleep": 0},  # is busy
        {"asleep": NOW_NS - 3_000_000},  # was woken, and has not come to its listener for long
        {"load": words.pack_load(0, 10)},  # has as much to do
        {"load": words.pack_load(1, 0)},
        {"heartbeat": NOW_NS - 2_600_000_000},  # is stopped, or dead and not yet reaped
        {"heartbeat": 0},
    ],
)
def test_to_whom_nothing_is_left(fleet, not_a_candidate):
    fleet.worker(0, **not_a_candidate)
    assert not fleet.gate.defers(NOW)


def test_somebody_woken_by_the_same_connection_counts_as_asleep(fleet):
    fleet.worker(0, asleep=NOW_NS - 1_000_000)
    assert fleet.gate.defers(NOW)


def test_calls_weigh_more_than_connections(fleet):
    fleet.load = words.pack_load(1, 0)
    fleet.worker(0, load=words.pack_load(0, 5000))
    assert fleet.gate.defers(NOW)


def looks(fleet, start: float, seconds: float) -> list[bool]:
    """Look again every half a millisecond, as a loop does that comes round without sleep."""
    return [fleet.gate.defers(start + step * 0.0005) for step in range(round(seconds / 0.0005) + 1)]


def test_its_patience_ends(fleet):
    """Who has been left a connection and has not taken it for 5 ms does not: it is stopped, or the machine is busy."""
    fleet.worker(0)
    assert all(looks(fleet, NOW, 0.004))
    assert looks(fleet, NOW + 0.0045, 0.001) == [True, True, False]
    assert fleet.gate.defers(NOW + 0.006), "with the next connection it is patient again"


def test_a_connection_after_a_sleep_is_another_one(fleet):
    """Somebody took the first one: that it was left to others does not count against the second."""
    fleet.worker(0)
    assert fleet.gate.defers(NOW)
    assert fleet.gate.defers(NOW + 0.010)
    assert fleet.gate.defers(NOW + 0.020)


def test_patience_begins_anew_when_nobody_was_better_in_between(fleet):
    other = fleet.worker(0)
    assert all(looks(fleet, NOW, 0.003))
    other[words.ASLEEP] = 0
    assert not fleet.gate.defers(NOW + 0.0035)
    other[words.ASLEEP] = 1
    assert all(looks(fleet, NOW + 0.004, 0.004))


loads = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), min_size=2, max_size=6)


@given(loads)
def test_somebody_always_takes_it(loads):
    """Of any number of workers that are all asleep, those with the least to do leave the connection to nobody."""
    size = words.LAYOUT.header_words + len(loads) * words.LAYOUT.row_words
    board = Scoreboard(words.LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), len(loads))
    gates = []
    for slot, (calls, connections) in enumerate(loads):
        load = words.pack_load(calls, connections)
        row = board.claim(slot).words
        row[words.LOAD], row[words.ACCEPTING], row[words.ASLEEP], row[words.HEARTBEAT] = load, 1, 1, NOW_NS
        gates.append(Gate(board, slot, load=lambda load=load: load, capacity=lambda fresh: fresh < SLOTS))
    takers = [slot for slot, gate in enumerate(gates) if not gate.defers(NOW)]
    assert takers
    assert {loads[slot] for slot in takers} == {min(loads)}


def test_alone_it_has_room_for_all_who_come():
    board = Scoreboard(
        words.LAYOUT, memoryview(bytearray(8 * (words.LAYOUT.header_words + words.LAYOUT.row_words))).cast("Q"), 1
    )
    board.claim(0)
    assert Gate(board, 0, load=lambda: 0, capacity=lambda fresh: False).has_room(100)


@pytest.mark.parametrize(("fresh", "room"), [(0, True), (1, True), (2, False)])
def test_beside_others_each_that_was_just_taken_counts(fleet, fresh, room):
    fleet.worker(0)
    assert fleet.gate.has_room(fresh) is room
