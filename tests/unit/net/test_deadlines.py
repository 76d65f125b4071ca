"""The timing wheel against a naive model, and what it must not keep."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from hybridd.net.deadlines import TICK, Deadlines

START = 1000.0
ROUNDING = 1e-6  # of a division by 20 and a sum of floats


class Entry:
    """Something timed that notes when it expired."""

    def __init__(self, then: Callable[[Entry, float], None] | None = None) -> None:
        self.deadline = 0.0
        self.tick = 0
        self.expiries: list[float] = []
        self._then = then

    def expired(self, now: float) -> None:
        self.expiries.append(now)
        if self._then:
            self._then(self, now)


@dataclass
class Model:
    """The wheel, a dictionary that should be the same, and the clock of both."""

    wheel: Deadlines = field(default_factory=Deadlines)
    entries: list[Entry] = field(default_factory=lambda: [Entry() for _ in range(5)])
    due: dict[int, float] = field(default_factory=dict)
    now: float = START

    def arm(self, index: int, seconds: float) -> None:
        self.due[index] = self.now + seconds
        self.wheel.arm(self.entries[index], self.now + seconds)

    def forget(self, index: int) -> None:
        self.due.pop(index, None)
        self.wheel.forget(self.entries[index])

    def expire_now(self) -> None:
        before = [len(entry.expiries) for entry in self.entries]
        self.wheel.expire(self.now)
        for index, entry in enumerate(self.entries):
            fired = len(entry.expiries) - before[index]
            at = self.due.get(index)
            if fired:
                assert fired == 1
                assert at is not None, "expired though nothing was wished"
                assert at <= self.now, "expired early"
                assert not entry.deadline
                del self.due[index]
            elif at is not None:
                assert at > self.now - TICK - ROUNDING, "more than a tick late"

    def sleep(self, seconds: float) -> None:
        """Pass time as the reactor does: never beyond what ``next`` says without looking."""
        end = self.now + seconds
        while True:
            due = self.wheel.next()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.expire_now()
            if self.wheel.next() == due:  # the rounding of a float kept it: the reactor turns once more
                self.now += ROUNDING
                self.expire_now()
                assert self.wheel.next() != due
        self.now = end


seconds = st.one_of(st.sampled_from([0.0, TICK, 2 * TICK, 15.0, 75.0]), st.floats(0, 3 * TICK), st.floats(0, 100))
index = st.integers(0, 4)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), index, seconds),
        st.tuples(st.just("forget"), index, st.just(0.0)),
        st.tuples(st.just("sleep"), index, seconds),
        st.tuples(st.just("stall"), index, seconds),
    ),
    max_size=40,
)


@given(steps)
def test_nothing_expires_early_or_more_than_a_tick_late(steps):
    model = Model()
    for what, index, seconds in steps:
        if what == "arm":
            model.arm(index, seconds)
        elif what == "forget":
            model.forget(index)
        elif what == "sleep":
            model.sleep(seconds)
        else:  # the loop was busy: no look in between
            model.now += seconds
            model.expire_now()
    model.sleep(200.0)
    model.expire_now()
    assert not model.due, "some never expired"
    assert model.wheel.next() is None
    assert not model.wheel._waiting


@given(st.floats(1.0, 1e9))
def test_next_is_when_it_expires(at):
    wheel, entry = Deadlines(), Entry()
    wheel.arm(entry, at)
    due = wheel.next()
    assert due is not None
    assert at <= due <= at + TICK * 1.001
    wheel.expire(due + ROUNDING)
    assert entry.expiries == [due + ROUNDING]


def test_an_empty_wheel_has_nothing_to_wake_for():
    wheel = Deadlines()
    assert wheel.next() is None
    wheel.expire(START)


def test_a_later_wish_replaces_an_earlier_one_and_costs_no_entry():
    wheel, entry = Deadlines(), Entry()
    for n in range(10_000):
        wheel.arm(entry, START + n / 100)
    assert len(wheel._ticks) == 1
    assert sum(map(len, wheel._waiting.values())) == 1
    wheel.expire(START + 50)
    assert entry.expiries == []
    wheel.expire(START + 100 + TICK)
    assert len(entry.expiries) == 1


def test_a_wish_moved_by_less_than_a_tick_is_kept_to_the_letter():
    wheel, entry = Deadlines(), Entry()
    wheel.arm(entry, START + 0.04)
    wheel.arm(entry, START + 0.06)  # stays in its tick, which comes too early for it
    wheel.expire(START + 0.05 + ROUNDING)
    assert entry.expiries == []
    wheel.expire(START + 0.1 + ROUNDING)
    assert len(entry.expiries) == 1


def test_an_earlier_wish_replaces_a_later_one():
    wheel, entry = Deadlines(), Entry()
    wheel.arm(entry, START + 75)
    wheel.arm(entry, START + 1)
    wheel.expire(START + 1 + TICK)
    assert len(entry.expiries) == 1
    wheel.expire(START + 100)
    assert len(entry.expiries) == 1


def test_none_is_kept_after_forget():
    wheel, entry = Deadlines(), Entry()
    wheel.arm(entry, START + 75)
    gone = weakref.ref(entry)
    wheel.forget(entry)
    del entry
    assert gone() is None, "the wheel keeps a connection that is gone"


def test_none_is_kept_after_it_expired():
    wheel, entry = Deadlines(), Entry()
    wheel.arm(entry, START)
    gone = weakref.ref(entry)
    wheel.expire(START + 1)
    del entry
    gc.collect()
    assert gone() is None


def test_a_cleared_deadline_does_not_fire():
    """A transport that wants none any more sets its deadline to 0 and leaves the entry where it is."""
    wheel, entry = Deadlines(), Entry()
    wheel.arm(entry, START + 1)
    entry.deadline = 0.0
    wheel.expire(START + 10)
    assert entry.expiries == []
    wheel.arm(entry, START + 20)
    wheel.expire(START + 21)
    assert len(entry.expiries) == 1


def test_one_may_arm_itself_again_when_it_expires():
    wheel = Deadlines()
    entry = Entry(lambda entry, now: wheel.arm(entry, now + 1) if len(entry.expiries) < 3 else None)
    wheel.arm(entry, START)
    for n in range(10):
        wheel.expire(START + n * 0.7)
    assert len(entry.expiries) == 3


def test_one_that_is_armed_at_once_again_waits_for_the_next_tick():
    """A protocol that sets a deadline of 0 seconds whenever one expires must not keep the loop in here."""
    wheel = Deadlines()
    entry = Entry(wheel.arm)
    wheel.arm(entry, START)
    wheel.expire(START + 1)
    assert len(entry.expiries) == 1


def test_one_may_move_a_neighbour_of_the_same_tick_when_it_expires():
    wheel, moved = Deadlines(), Entry()
    meddler = Entry(lambda _, now: wheel.arm(moved, now + 5))
    for entry in (moved, meddler):  # which of them is looked at first is not said
        wheel.arm(entry, START)
    wheel.expire(START + 1)
    wheel.expire(START + 6 - TICK)
    assert START + 6 - TICK not in moved.expiries
    wheel.expire(START + 6 + TICK)
    assert moved.expiries[-1] == START + 6 + TICK
    assert wheel.next() is None


def test_a_neighbour_forgotten_in_the_same_tick_never_expires():
    """Two entries in one tick, each of which forgets the other: exactly one expires, whichever comes first."""
    wheel = Deadlines()
    pair: list[Entry] = []
    pair += [Entry(lambda *_: wheel.forget(pair[1])), Entry(lambda *_: wheel.forget(pair[0]))]
    for entry in pair:
        wheel.arm(entry, START)
    wheel.expire(START + 1)
    assert sorted(len(entry.expiries) for entry in pair) == [0, 1]


def test_forgetting_twice_or_what_was_never_armed_is_harmless():
    wheel, entry = Deadlines(), Entry()
    wheel.forget(entry)
    wheel.arm(entry, START)
    wheel.forget(entry)
    wheel.forget(entry)
    assert wheel.next() is None


def test_the_soonest_come_first_and_those_moved_later_where_they_belong():
    wheel = Deadlines()
    entries = [Entry() for _ in range(4)]
    for entry, at in zip(entries, (START + 3, START + 1, START + 2, START + 1.5), strict=True):
        wheel.arm(entry, at)
    wheel.arm(entries[1], START + 9)  # its entry still lies where it was
    assert list(wheel.soonest()) == [entries[3], entries[2], entries[0], entries[1]]
    wheel.expire(START + 4)
    assert [bool(entry.expiries) for entry in entries] == [True, False, True, True]


def test_a_walk_through_the_wheel_outlives_what_changes_meanwhile():
    wheel = Deadlines()
    entries = [Entry() for _ in range(6)]
    for entry in entries:
        wheel.arm(entry, START + 1)
    walk = wheel.soonest()
    first = next(walk)
    others = [entry for entry in entries if entry is not first]
    for entry in others[:3]:
        wheel.forget(entry)
    wheel.arm(others[3], START + 5)
    assert set(walk) == set(others[3:])
    wheel.expire(START + 2)
    assert [bool(entry.expiries) for entry in others] == [False] * 4 + [True]
