"""The pool of daemon threads: threads are played here, so that no order is left to chance."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from contextlib import suppress
from queue import SimpleQueue

import pytest

from hybridd.worker import pool as pool_module
from hybridd.worker.pool import Pool


class Idle(BaseException):
    """Where a real thread would wait for its next job."""


class PlayedThread:
    """A thread that runs when ``run`` is called, until it would wait."""

    made: list[PlayedThread]
    allowed: int  # how many the system lets us have

    def __init__(self, target, name, daemon):
        self.target = target
        self.name = name
        self.daemon = daemon

    def start(self):
        if len(self.made) >= PlayedThread.allowed:
            raise RuntimeError("no thread can be started")
        self.made.append(self)

    def run(self):
        with suppress(Idle):
            self.target()


class PlayedQueue(deque):
    """A SimpleQueue whose ``get`` ends the thread's turn instead of waiting."""

    put = deque.append

    def get(self):
        if not self:
            raise Idle
        return self.popleft()


@pytest.fixture
def threads(monkeypatch):
    PlayedThread.made = []
    PlayedThread.allowed = 1000
    monkeypatch.setattr(pool_module, "Thread", PlayedThread)
    monkeypatch.setattr(pool_module, "SimpleQueue", PlayedQueue)
    return PlayedThread.made


@pytest.fixture
def posted():
    """What the pool's threads have posted to the one that leads."""
    return deque()


@pytest.fixture
def pool(threads, posted):
    return Pool(3, lambda *job: posted.append(job), "call")


def lead(posted):
    """Do what was posted, as the thread that leads."""
    while posted:
        fn, *args = posted.popleft()
        fn(*args)


def test_a_job_runs_in_a_thread_and_its_result_comes_back_to_the_leader(pool, threads, posted):
    results = []
    pool.submit(lambda: "result", results.append)
    assert (pool.running, results, list(posted)) == (1, [], [])
    threads[0].run()
    assert (pool.running, results) == (1, []), "only the leader may count"
    lead(posted)
    assert (pool.running, results) == (0, ["result"])


def test_threads_are_made_on_demand_and_never_more_than_size(pool, threads, posted):
    assert threads == []
    for wanted in (1, 2, 3, 3, 3):
        pool.submit(int, lambda _: None)
        assert len(threads) == pool.threads == wanted
    assert [thread.name for thread in threads] == ["call-0", "call-1", "call-2"]


def test_threads_are_daemons_so_that_a_hung_job_keeps_no_process_alive(pool, threads):
    pool.submit(int, lambda _: None)
    assert threads[0].daemon is True


def test_a_thread_that_is_free_is_used_again(pool, threads, posted):
    for _ in range(10):
        pool.submit(int, lambda _: None)
        threads[0].run()
        lead(posted)
    assert len(threads) == 1


def test_free_means_that_a_job_begins_at_once(pool, threads, posted):
    for n in range(3):
        assert pool.free, n
        pool.submit(int, lambda _: None)
    assert not pool.free
    threads[0].run()
    assert not pool.free, "the leader has not heard of it yet"
    lead(posted)
    assert pool.free


def test_more_jobs_than_threads_wait_in_order(threads, posted):
    pool = Pool(1, lambda *job: posted.append(job), "file")
    done = []
    for n in range(5):
        pool.submit(lambda n=n: n, done.append)
    assert pool.running == 5
    threads[0].run()
    lead(posted)
    assert done == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_job_that_raises_anything_costs_neither_thread_nor_slot(pool, threads, posted, caplog, error):
    def fail():
        raise error

    results = []
    pool.submit(fail, results.append)
    pool.submit(lambda: "next", results.append)
    threads[0].run()
    lead(posted)
    assert results == [error, "next"]
    assert pool.running == 0
    assert "a job of the call pool failed" in caplog.text


def test_without_any_thread_a_job_is_refused(pool, threads, posted):
    PlayedThread.allowed = 0
    with pytest.raises(RuntimeError, match="no thread can be started"):
        pool.submit(int, lambda _: None)
    assert (pool.running, pool.free) == (0, True)
    PlayedThread.allowed = 1
    pool.submit(int, lambda _: None)
    assert len(threads) == 1


def test_with_fewer_threads_than_wanted_the_pool_is_as_large_as_it_can_be(pool, threads, posted, caplog):
    PlayedThread.allowed = 2
    done = []
    for n in range(3):
        pool.submit(lambda n=n: n, done.append)
    assert (pool.size, pool.threads, pool.free) == (2, 2, False)
    assert "cannot start thread 3 of 3 of the call pool" in caplog.text
    threads[0].run()
    lead(posted)
    assert done == [0, 1, 2], "the job that was to have a thread of its own waits for another one"


def test_a_pool_that_had_to_shrink_grows_again_when_it_is_asked_to(pool, threads, posted):
    """A shortage of threads is often another program's, and over in a moment: it must not last for this one's life."""
    PlayedThread.allowed = 1
    for _ in range(2):
        pool.submit(int, lambda _: None)
    assert pool.size == 1
    PlayedThread.allowed = 1000
    assert pool.grow()
    assert pool.size == 3
    assert not pool.grow()
    pool.submit(int, lambda _: None)
    assert len(threads) > 1


def test_a_waiting_thread_keeps_nothing_of_its_last_job(pool, threads, posted):
    class Kept:
        """What a job and its result refer to."""

    kept = Kept()
    gone = weakref.ref(kept)
    pool.submit(lambda kept=kept: kept, lambda _: None)
    del kept
    seen = []

    class Watched(PlayedQueue):
        def get(self):
            if not self:  # the thread is about to wait
                lead(posted)
                seen.append(gone())
            return super().get()

    pool._jobs.__class__ = Watched
    threads[0].run()
    assert seen == [None]


def test_real_threads_do_the_same(monkeypatch):
    posted: SimpleQueue = SimpleQueue()
    pool = Pool(2, lambda *job: posted.put(job), "real")
    both = threading.Barrier(2, timeout=10)
    ran_in = []

    def job():
        both.wait()  # passes only when two jobs run at once
        return threading.current_thread().name

    for _ in range(2):
        pool.submit(job, ran_in.append)
    for _ in range(2):
        fn, *args = posted.get(timeout=10)
        fn(*args)
    assert sorted(ran_in) == ["real-0", "real-1"]
    # Nothing ends these threads but their process: here, something that is no job.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("real-")]
    for _ in threads:
        pool._jobs.put(None)
    for thread in threads:
        thread.join(10)


def test_the_lead_takes_no_slot(pool, threads, posted):
    assert pool.lead(int)
    for _ in range(3):
        assert pool.free
        pool.submit(int, lambda _: None)
    assert (pool.running, pool.threads, pool.free) == (3, 4, False)


def test_a_new_lead_turns_the_old_one_into_a_job_until_it_is_released(pool, threads, posted):
    pool.lead(int)
    assert pool.lead(int), "the thread of the old lead is busy: the new one has one of its own"
    assert (pool.running, pool.threads) == (1, 2)
    pool.release()
    assert (pool.running, pool.free) == (0, True)


def test_a_lead_without_a_thread_is_refused(pool, threads, posted):
    PlayedThread.allowed = 1
    assert pool.lead(int)
    assert not pool.lead(int)


def test_a_lead_that_went_elsewhere_leaves_its_old_thread_a_slot(pool, threads, posted):
    pool.lead(int)
    pool.lead_elsewhere()
    assert pool.running == 1
    pool.release()
    assert pool.running == 0
