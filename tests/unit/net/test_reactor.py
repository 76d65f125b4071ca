"""The order of a turn, sleep and wake-up, timers, and what a new leader or a forked child finds."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator

import pytest

from hybridd.net.reactor import READ, WRITE, Reactor
from tests.support.simulated_loop import SimulatedLoop


class Noting:
    """A handler that notes its events in a shared log, and may do more."""

    def __init__(self, log: list[object], name: str, then: Callable[[], object] | None = None) -> None:
        self._log = log
        self._name = name
        self._then = then

    def ready(self, mask: int) -> None:
        self._log.append((self._name, mask))
        if self._then:
            self._then()


class Expiring:
    """Something timed that notes its expiry in a shared log."""

    def __init__(self, log: list[object]) -> None:
        self.deadline = 0.0
        self.tick = 0
        self._log = log

    def expired(self, now: float) -> None:
        self._log.append(("deadline", now))


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    loop = SimulatedLoop()
    yield loop
    loop.close()


@pytest.fixture
def log() -> list[object]:
    return []


@pytest.fixture
def real() -> Iterator[Reactor]:
    reactor = Reactor()
    yield reactor
    reactor.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


# -- one turn


def test_a_turn_has_an_order(loop, log):
    reactor, selector = loop.reactor, loop.selector
    reactor.register(50, READ, Noting(log, "event"))
    reactor.deadlines.arm(Expiring(log), reactor.now)
    reactor.call_later(0, lambda: log.append("timer"))
    reactor.post(log.append, "posted")
    reactor.call_soon(log.append, "soon")
    reactor.after_turn += [lambda: log.append("after"), lambda: log.append("after that")]
    loop.clock.advance(1)
    selector.announce((50, READ))
    reactor.turn()
    now = reactor.now
    assert log == ["posted", ("event", READ), "timer", ("deadline", now), "soon", "after", "after that"]


def test_a_request_that_came_in_time_is_read_before_its_deadline_is_looked_at(loop, log):
    """A loop that was held up (a C call that kept the interpreter's lock) must not judge its clients for that."""
    entry = Expiring(log)
    loop.reactor.register(50, READ, Noting(log, "request", lambda: loop.reactor.deadlines.forget(entry)))
    loop.reactor.deadlines.arm(entry, loop.reactor.now + 15)
    loop.clock.advance(60)
    loop.selector.announce((50, READ))
    loop.turn()
    assert log == [("request", READ)]


def test_what_an_event_calls_soon_runs_in_the_same_turn_and_outside_of_every_frame(loop, log):
    def event() -> None:
        loop.reactor.call_soon(log.append, "soon")
        log.append("the event has ended")

    loop.reactor.register(50, READ, Noting(log, "event", event))
    loop.selector.announce((50, READ))
    loop.reactor.after_turn.append(lambda: log.append("after"))
    loop.turn()
    assert log == [("event", READ), "the event has ended", "soon", "after"]


def test_what_such_a_job_calls_soon_runs_in_the_next_turn_which_does_not_sleep(loop, log):
    def first() -> None:
        log.append("first")
        loop.reactor.call_soon(log.append, "second")

    loop.reactor.call_later(60, lambda: None)
    loop.reactor.call_soon(first)
    loop.reactor.turn()
    assert log == ["first"]
    loop.reactor.turn()
    assert log == ["first", "second"]
    assert loop.selector.timeouts == [0, 0]


def test_first_is_before_soon_and_in_order(loop, log):
    loop.reactor.call_soon(log.append, "soon")
    loop.reactor.call_first(log.append, "first")
    loop.reactor.call_first(log.append, "second")
    loop.reactor.turn()
    assert log == ["first", "second", "soon"]
    assert loop.selector.timeouts == [0]


@pytest.mark.parametrize("where", ["event", "soon"])
def test_what_was_posted_meanwhile_does_not_wait_for_all_others(loop, log, where):
    """The answer of a Call that ran elsewhere, while the leader is busy with many clients."""
    reactor = loop.reactor
    reactor.register(50, READ, Noting(log, "event", lambda: reactor.post(log.append, "posted")))
    reactor.register(51, READ, Noting(log, "another"))
    if where == "event":
        loop.selector.announce((50, READ), (51, READ))
        reactor.turn()
        assert log == [("event", READ), "posted", ("another", READ)]
    else:
        reactor.call_soon(reactor.post, log.append, "posted")
        reactor.call_soon(log.append, "soon")
        reactor.turn()
        assert log == ["posted", "soon"]


@pytest.mark.parametrize("work", ["first", "soon", "event", "posted", "timer"])
def test_a_sleeping_loop_has_told_everything(loop, log, work):
    """Or the scoreboard shows for a whole second what was true before the last job."""
    reactor = loop.reactor
    reactor.after_turn.append(lambda: log.append("told"))
    reactor.on_sleep = lambda: log.append("sleeps")
    reactor.register(50, READ, Noting([], "event", lambda: log.append("event")))
    match work:
        case "first":
            reactor.call_first(log.append, work)
        case "soon":
            reactor.call_soon(log.append, work)
        case "event":
            loop.selector.announce((50, READ))
        case "posted":
            reactor.post(log.append, work)
        case "timer":
            reactor.call_later(0, lambda: log.append(work))
    reactor.turn()
    reactor.call_later(1, lambda: None)
    reactor.turn()
    done = log.index(work)
    assert log[done : done + 3] == [work, "told", "sleeps"]


def test_a_job_that_posts_itself_again_lets_the_turn_end(loop, log):
    def again() -> None:
        log.append("again")
        loop.reactor.post(again)

    loop.reactor.post(again)
    for _ in range(3):
        loop.reactor.turn()
    assert log == ["again"] * 3


def test_jobs_keep_their_order_and_arguments(loop, log):
    for n in range(5):
        loop.reactor.post(log.append, n)
    for n in range(5, 10):
        loop.reactor.call_soon(log.append, n)
    loop.turn()
    assert log == list(range(10))


def test_now_is_read_once_a_turn(loop, log):
    reactor = loop.reactor

    def note() -> None:
        log.append(reactor.now)
        loop.clock.advance(1)

    reactor.post(note)
    reactor.post(note)
    loop.turn()
    assert log == [loop.clock.now - 2] * 2
    loop.turn()
    assert reactor.now == loop.clock.now


def test_events_that_a_turn_could_not_handle_are_handled_first_by_the_next_one(loop, log):
    """The shape of the hand-off: whoever leads next finds the events that were fetched already."""

    def interrupted() -> None:
        raise InterruptedError

    for fd in (50, 51, 52):
        loop.reactor.register(fd, READ, Noting(log, str(fd), interrupted if fd == 50 else None))
    loop.selector.announce((50, READ), (51, READ), (52, READ | WRITE))
    with pytest.raises(InterruptedError):
        loop.reactor.turn()
    loop.reactor.call_soon(log.append, "soon")
    loop.turn()
    assert log == [("50", READ), ("51", READ), ("52", READ | WRITE), "soon"]


def test_stop_ends_the_run_after_this_turn(loop, log):
    loop.reactor.call_soon(loop.reactor.stop)
    loop.reactor.call_soon(log.append, "same turn")
    loop.reactor.after_turn.append(lambda: log.append("after"))
    loop.reactor.run()
    assert log == ["same turn", "after"]
    assert loop.selector.timeouts == [0], "a stopped loop must not sleep first"


# -- sleep


def test_it_sleeps_until_the_earliest_of_timer_and_deadline(loop, log):
    reactor, start = loop.reactor, loop.clock.now
    reactor.call_later(10, lambda: log.append("timer"))
    reactor.deadlines.arm(Expiring(log), start + 5)
    reactor.turn()
    assert loop.selector.timeouts[-1] == pytest.approx(5, abs=0.06)
    assert log == [("deadline", reactor.now)]
    reactor.turn()
    assert loop.clock.now - start == pytest.approx(10)
    assert log[-1] == "timer"


def test_sleep_and_wake_are_announced_in_pairs(loop, log):
    loop.reactor.on_sleep = lambda: log.append("sleep")
    loop.reactor.on_wake = lambda: log.append("wake")
    loop.reactor.call_later(1, lambda: log.append("timer"))
    loop.reactor.turn()
    assert log == ["sleep", "wake", "timer"]


def test_a_turn_that_does_not_sleep_says_so(loop, log):
    """Whoever watches how long a turn takes must see each of them begin: a loop under load may never sleep."""
    loop.reactor.on_sleep = lambda: log.append("sleep")
    loop.reactor.on_wake = lambda: log.append("wake")
    loop.reactor.post(log.append, "posted")
    loop.reactor.turn()
    assert log == ["wake", "posted"]


def test_what_is_posted_while_it_falls_asleep_is_not_slept_on(loop, log):
    loop.reactor.on_sleep = lambda: loop.reactor.post(log.append, "posted")
    loop.reactor.call_later(60, lambda: None)
    loop.reactor.turn()
    assert log == ["posted"]
    assert loop.selector.timeouts == [0]


def test_only_a_sleeping_loop_costs_a_system_call_to_wake(loop, monkeypatch):
    written: list[bool] = []
    monkeypatch.setattr(os, "eventfd_write", lambda *_: written.append(loop.reactor._sleeping))
    loop.reactor.post(int)
    assert written == []
    asleep = loop.selector.select

    def select_and_be_posted_to(timeout):
        loop.reactor.post(int)
        loop.reactor.post(int)
        return asleep(timeout)

    loop.reactor.turn()
    loop.reactor.call_later(1, lambda: None)
    loop.selector.select = select_and_be_posted_to
    loop.reactor.turn()
    assert len(written) == 1, "the second post finds it woken already"


def test_a_post_from_another_thread_ends_its_sleep(real):
    asleep, seen = threading.Event(), []
    real.on_sleep = asleep.set

    def post() -> None:
        asleep.wait()
        real.post(lambda: seen.append(threading.current_thread()))

    poster = threading.Thread(target=post)
    poster.start()
    while not seen:
        real.turn()  # sleeps without end when the post is overlooked; the watchdog says so
    poster.join()
    assert seen == [threading.current_thread()], "a posted job runs in the thread that leads"


def test_no_post_is_lost_among_many_threads_and_many_sleeps(real):
    """Each poster waits for its answer before it posts again, so that the loop does fall asleep, at any moment."""
    rounds, posters = 300, 3
    answered = [threading.Semaphore(0) for _ in range(posters)]
    done = [0] * posters

    def answer(index: int) -> None:
        done[index] += 1
        answered[index].release()

    def post_and_wait(index: int) -> None:
        for _ in range(rounds):
            real.post(answer, index)
            answered[index].acquire()

    threads = [threading.Thread(target=post_and_wait, args=(index,)) for index in range(posters)]
    for thread in threads:
        thread.start()
    while sum(done) < rounds * posters:
        real.turn()
    for thread in threads:
        thread.join()
    assert done == [rounds] * posters


def test_real_events_reach_their_handler(real, pipe, log):
    read_end, write_end = pipe

    def turn_without_waiting() -> None:
        real.post(int)
        real.turn()

    real.register(read_end, READ, Noting(log, "readable", lambda: os.read(read_end, 100)))
    os.write(write_end, b"x")
    real.turn()
    assert log == [("readable", READ)]
    real.unregister(read_end)
    real.register(write_end, WRITE, Noting(log, "writable"))
    real.turn()
    assert log[-1] == ("writable", WRITE)
    real.modify(write_end, READ, Noting(log, "modified"))
    turn_without_waiting()
    assert log[-1] == ("writable", WRITE), "not watched for writing any more"
    real.unregister(write_end)
    turn_without_waiting()


# -- timers


def test_timers_come_in_the_order_of_their_time_then_of_their_making(loop, log):
    for name, seconds in (("c", 3), ("a", 1), ("b", 2), ("also a", 1)):
        loop.reactor.call_later(seconds, lambda name=name: log.append((name, loop.clock.now)))
    start = loop.clock.now
    loop.run_for(5)
    assert log == [("a", start + 1), ("also a", start + 1), ("b", start + 2), ("c", start + 3)]


def test_a_cancelled_timer_neither_runs_nor_wakes(loop, log):
    timer = loop.reactor.call_later(1, lambda: log.append("never"))
    loop.reactor.call_later(2, lambda: log.append("later"))
    timer.cancel()
    timer.cancel()
    loop.reactor.turn()
    assert log == ["later"]
    assert loop.selector.timeouts == [pytest.approx(2)]


def test_a_timer_may_cancel_another_one_of_the_same_moment(loop, log):
    second = None

    def first() -> None:
        log.append("first")
        assert second is not None
        second.cancel()

    loop.reactor.call_later(1, first)
    second = loop.reactor.call_later(1, lambda: log.append("second"))
    loop.run_for(2)
    assert log == ["first"]


def test_a_cancelled_timer_keeps_nothing_alive(loop):
    class Big:
        def fire(self) -> None:
            raise AssertionError

    timer = loop.reactor.call_later(1000, Big().fire)
    timer.cancel()
    assert timer.fn is None


def test_a_timer_that_sets_itself_again_with_no_delay_lets_the_turn_end(loop, log):
    def again() -> None:
        log.append("again")
        loop.reactor.call_later(0, again)

    loop.reactor.call_later(0, again)
    loop.reactor.turn()
    assert log == ["again"]
    loop.reactor.turn()
    assert log == ["again"] * 2


# -- the end


def test_closing_gives_its_descriptors_back():
    reactor = Reactor()
    own = [reactor._wakeup, reactor._selector.fileno()]
    reactor.close()
    for fd in own:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_a_post_to_a_closed_loop_touches_no_descriptor(monkeypatch):
    """A thread that outlives the loop may still post; the number of the descriptor may be somebody else's by then."""
    reactor = Reactor()
    reactor.post(int)
    reactor.turn()
    reactor.close()
    monkeypatch.setattr(os, "eventfd_write", lambda *_: pytest.fail("wrote to a closed descriptor"))
    reactor.post(int)


def test_a_child_that_abandons_the_loop_does_not_blind_its_parent(pipe, log):
    """The epoll instance is shared after a fork; a duplicate of its descriptor plays the parent here."""
    read_end, write_end = pipe
    reactor = Reactor()
    reactor.register(read_end, READ, Noting(log, "event"))
    reactor.call_first(log.append, "first")
    reactor.call_soon(log.append, "soon")
    reactor.post(log.append, "posted")
    reactor.after_turn.append(lambda: log.append("after"))
    parents = select.epoll.fromfd(os.dup(reactor._selector.fileno()))
    with parents:
        reactor.abandon()
        os.write(write_end, b"x")
        assert parents.poll(0) == [(read_end, select.EPOLLIN)]
    assert log == []
