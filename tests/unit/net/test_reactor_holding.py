"""What the jobs of one turn write goes out together, and nobody waits long for it."""

from __future__ import annotations

import pytest

from tests.support.simulated_loop import SimulatedLoop


@pytest.fixture
def loop():
    loop = SimulatedLoop()
    yield loop
    loop.close()


class Answer:
    """A job that takes its time, then has something to send; ``log`` knows when it could, and when it was told to."""

    def __init__(self, loop, log, name, seconds=0.0):
        self.loop, self.log, self.name, self.seconds = loop, log, name, seconds

    def __call__(self):
        self.loop.clock.advance(self.seconds)
        self.loop.reactor.refresh()
        held = self.loop.reactor.held
        if held is not None:
            held.append(self)
        else:
            self.log.append(f"{self.name} at once")

    def send_held(self):
        self.log.append(self.name)


def turn(loop, log, *seconds):
    """One turn with a job for each of ``seconds``; the names are their numbers."""
    for number, each in enumerate(seconds):
        loop.reactor.call_soon(Answer(loop, log, str(number), each))
    loop.turn()


def test_what_several_jobs_write_goes_out_behind_the_last_of_them(loop):
    log = []
    loop.reactor.after_turn.append(lambda: log.append("turned"))
    answers = [Answer(loop, log, name) for name in ("a", "b")]
    for answer in answers:
        loop.reactor.call_soon(answer)
    loop.reactor.call_soon(log.append, "last job")
    loop.turn()
    assert log == ["last job", "a", "b", "turned"]
    assert loop.reactor.held is None


def test_one_job_has_nobody_to_wait_for(loop):
    log = []
    turn(loop, log, 0.0)
    assert log == ["0 at once"]


def test_nobody_waits_for_a_job_that_takes_its_time(loop):
    log = []
    turn(loop, log, 0.0, 0.0005, 0.0006, 0.0)
    assert log == ["0", "1", "2", "3"]
    log.clear()
    loop.reactor.call_soon(Answer(loop, log, "0"))
    loop.reactor.call_soon(Answer(loop, log, "1", 0.0011))
    loop.reactor.call_soon(lambda: log.append("next"))
    loop.turn()
    assert log == ["0", "1", "next"]


def test_where_jobs_are_slow_nothing_is_held_until_they_are_quick_again(loop):
    log = []
    turn(loop, log, 0.0, 0.1)
    turn(loop, log, 0.0, 0.0)
    turn(loop, log, 0.0, 0.0)
    assert log == ["0", "1", "0 at once", "1 at once", "0", "1"]


def test_a_new_leader_sends_what_the_old_one_held(loop):
    class LeadLost(BaseException):
        pass

    def lose():
        raise LeadLost

    log = []
    loop.reactor.call_soon(Answer(loop, log, "held"))
    loop.reactor.call_soon(lose)
    with pytest.raises(LeadLost):
        loop.turn()
    assert log == []
    loop.reactor.call_soon(Answer(loop, log, "late"))
    loop.turn()
    assert log == ["held", "late at once"]


def test_a_forked_child_sends_nothing_of_its_parents(loop):
    def forget():  # as `abandon` does
        loop.reactor.held.clear()

    log = []
    loop.reactor.call_soon(Answer(loop, log, "held"))
    loop.reactor.call_soon(forget)
    loop.turn()
    assert log == []
