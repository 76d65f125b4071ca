"""Two deadlines in one entry of the wheel: which of them it was, and that the other one stays."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridd.net.deadline_pair import DeadlinePair, Expired
from hybridd.net.deadlines import TICK, Deadlines

START = 1000.0
WRITE_TIMEOUT = 30.0


class Pair(DeadlinePair):
    """Notes what expired, and when."""

    __slots__ = ("log", "reactor")

    def __init__(self, write_timeout: float = WRITE_TIMEOUT) -> None:
        self.reactor = SimpleNamespace(now=START, deadlines=Deadlines())
        super().__init__(SimpleNamespace(reactor=self.reactor, write_timeout=write_timeout))
        self.log: list[tuple[Expired, float]] = []

    def expired(self, now: float) -> None:
        which = self._which_expired(now)
        if which is not Expired.NEITHER:
            self.log.append((which, now - START))

    def wait(self, seconds: float) -> None:
        """Let time pass as the loop does: a look at every tick that something waits for."""
        end = self.reactor.now + seconds
        while (due := self.reactor.deadlines.next()) is not None and due <= end:
            self.reactor.now = max(self.reactor.now, due + 1e-9)
            self.reactor.deadlines.expire(self.reactor.now)
        self.reactor.now = end

    @property
    def words(self) -> list[Expired]:
        return [which for which, _ in self.log]


@pytest.fixture
def pair():
    return Pair()


def test_time_is_that_of_the_turn(pair):
    pair.reactor.now = 1234.5
    assert pair.time() == 1234.5


def test_the_protocols_deadline_comes_once(pair):
    pair.set_deadline(15.0)
    pair.wait(14.9)
    assert pair.log == []
    pair.wait(100)
    assert pair.words == [Expired.PROTOCOL]
    assert 15.0 <= pair.log[0][1] <= 15.0 + TICK + 1e-6


def test_none_takes_it_back(pair):
    pair.set_deadline(15.0)
    pair.set_deadline(None)
    pair.wait(100)
    assert pair.log == []
    assert pair.reactor.deadlines.next() is None


def test_a_new_wish_replaces_the_last_one(pair):
    pair.set_deadline(15.0)
    pair.set_deadline(2.0)
    pair.wait(3)
    pair.set_deadline(50.0)
    pair.set_deadline(20.0)
    pair.wait(100)
    assert pair.words == [Expired.PROTOCOL] * 2
    assert pair.log[1][1] == pytest.approx(23.0, abs=TICK * 1.01)


def test_a_deadline_of_zero_seconds_comes_with_the_next_tick(pair):
    pair.set_deadline(0)
    assert pair.log == []
    pair.wait(TICK)
    assert pair.words == [Expired.PROTOCOL]


def test_a_peer_that_takes_nothing_runs_into_the_write_timeout(pair):
    pair._made_progress()
    pair.wait(29.9)
    assert pair.log == []
    pair.wait(0.1 + TICK)
    assert pair.words == [Expired.WRITE]


def test_progress_gives_it_the_whole_time_again(pair):
    for _ in range(10):
        pair._made_progress()
        pair.wait(29)
    assert pair.log == []
    pair.wait(2)
    assert pair.words == [Expired.WRITE]


def test_without_a_write_timeout_progress_sets_nothing():
    pair = Pair(write_timeout=0.0)
    pair._made_progress()
    assert pair.reactor.deadlines.next() is None


def test_the_earlier_one_does_not_take_the_later_one_with_it(pair):
    pair.set_deadline(10.0)
    pair._made_progress()
    pair.wait(100)
    assert pair.words == [Expired.PROTOCOL, Expired.WRITE]
    assert pair.log[1][1] == pytest.approx(30.0, abs=TICK * 1.01)


def test_the_protocols_stays_when_bytes_stop_to_wait(pair):
    pair._made_progress()
    pair.set_deadline(60.0)
    pair._write_deadline = 0.0  # as the transport does when its queue is empty
    pair.wait(59)
    assert pair.log == []
    pair.wait(2)
    assert pair.words == [Expired.PROTOCOL]


def test_both_in_the_same_tick_are_told_one_after_the_other(pair):
    pair.set_deadline(WRITE_TIMEOUT)
    pair._made_progress()
    pair.wait(WRITE_TIMEOUT + TICK)
    assert pair.words[0] is Expired.WRITE, "who cannot be written to needs no further word of the protocol"
    pair.wait(2 * TICK)
    assert pair.words == [Expired.WRITE, Expired.PROTOCOL]


def test_after_the_end_nothing_comes_and_nothing_is_kept(pair):
    pair.set_deadline(1.0)
    pair._made_progress()
    pair._forget_deadlines()
    assert not any(pair.reactor.deadlines._waiting.values())
    pair.wait(100)
    assert pair.log == []


class Books:
    """The pair, and what two deadlines that know nothing of each other would do."""

    def __init__(self) -> None:
        self.pair = Pair()
        self.due: dict[Expired, float] = {}
        self.wanted: list[tuple[Expired, float]] = []

    def wish(self, seconds: float | None) -> None:
        self.pair.set_deadline(seconds)
        self.due.pop(Expired.PROTOCOL, None)
        if seconds is not None:
            self.due[Expired.PROTOCOL] = self.pair.time() + seconds

    def progress(self, _: object) -> None:
        self.pair._made_progress()
        self.due[Expired.WRITE] = self.pair.time() + WRITE_TIMEOUT

    def all_sent(self, _: object) -> None:
        self.pair._write_deadline = 0.0
        self.due.pop(Expired.WRITE, None)

    def wait(self, seconds: float) -> None:
        self.pair.wait(seconds)
        while self.due and min(self.due.values()) <= self.pair.time():
            # What is due may have come or not within a tick: wait until it surely has.
            self.pair.wait(2 * TICK + 1e-3)
            for which, at in sorted(self.due.items(), key=lambda item: item[1]):
                if at + 2 * TICK < self.pair.time():
                    self.wanted.append((which, at - START))
                    del self.due[which]


deeds = st.lists(
    st.one_of(
        st.tuples(st.just(Books.wish), st.one_of(st.none(), st.floats(0, 80))),
        st.tuples(st.sampled_from([Books.progress, Books.all_sent]), st.none()),
        st.tuples(st.just(Books.wait), st.floats(0, 40)),
    ),
    max_size=30,
)


@given(deeds)
def test_each_of_the_two_fires_as_if_it_were_alone(deeds):
    books = Books()
    for deed, argument in deeds:
        deed(books, argument)
    books.wait(200)
    for which in (Expired.PROTOCOL, Expired.WRITE):
        fired = [at for word, at in books.pair.log if word is which]
        wanted = [at for word, at in books.wanted if word is which]
        assert len(fired) == len(wanted)
        for at, wish in zip(fired, wanted, strict=True):
            assert wish <= at <= wish + 2 * TICK + 1e-6
