"""Who runs, who waits, who is turned away: the dispatch with a played pool, played Calls' connections, no thread."""

from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace

import pytest

from hybridd.config.settings import Config, Limits
from hybridd.http.outcome import Rejection
from hybridd.http.request import Request
from hybridd.ops.scoreboard import Scoreboard
from hybridd.worker import dispatch as dispatch_module
from hybridd.worker import words
from hybridd.worker.call import Call, CallState
from hybridd.worker.dispatch import COMPUTING_AT_ONCE, SWITCH_INTERVAL, Dispatch
from hybridd.worker.effort import Effort
from hybridd.worker.lead import LeadLostError

THREADS = 2
QUEUE = 3
CONFIG = replace(Config(), threads=THREADS, limits=replace(Limits(), queue=QUEUE), handlers="threads")


class PlayedPool:
    """A pool whose jobs run when the test says so."""

    last: PlayedPool

    def __init__(self, size: int, *_: object) -> None:
        self.size = size
        self.jobs: deque[tuple[Callable[[], object], Callable[[object], None]]] = deque()
        self.leaders: deque[Callable[[], object]] = deque()  # jobs that shall lead
        self.former_leaders = -1  # threads that led once and are busy; they have slots
        self.broken = False
        self.shrunk = False
        PlayedPool.last = self

    @property
    def running(self) -> int:
        return len(self.jobs) + max(0, self.former_leaders)

    @property
    def free(self) -> bool:
        return self.running < self.size

    def lead(self, job: Callable[[], object]) -> bool:
        if self.broken:
            return False
        self.former_leaders += 1
        self.leaders.append(job)
        return True

    def lead_elsewhere(self) -> None:
        self.former_leaders += 1

    def release(self) -> None:
        self.former_leaders -= 1

    def submit(self, job: Callable[[], object], done: Callable[[object], None]) -> None:
        if self.broken:
            raise RuntimeError("can't start new thread")
        assert self.free, "a Call was given to a pool without a free thread"
        self.jobs.append((job, done))

    def grow(self) -> bool:
        was, self.shrunk = self.shrunk, False
        return was

    def finish(self, result: object = None) -> object:
        """End the oldest job: what it returned, or what the test says, comes back to the leader."""
        job, done = self.jobs.popleft()
        if result is None:
            result = job()
        done(result)
        return result


class PlayedConnection:
    """Notes what the dispatch says to it."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.call: Call | None = None

    def call_queued(self) -> None:
        self.told.append("queued")

    def call_started(self) -> None:
        self.told.append("started")

    def refuse(self, status: int, rejection: Rejection) -> None:
        self.told.append((status, rejection))

    def abort_response(self) -> None:
        self.told.append("cut")


class PlayedBody:
    """Notes whether it was closed."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class PlayedExchange:
    """Steps as the test says: True ends it, False lets it rest."""

    def __init__(self, *steps: bool) -> None:
        self.steps = list(steps)
        self.ran: list[str] = []
        self.during: Callable[[], object] | None = None  # what the application does

    def step(self) -> bool:
        self.ran.append("step")
        if self.during:
            self.during()
        return self.steps.pop(0) if self.steps else True

    def abandon(self) -> None:
        self.ran.append("abandon")


@pytest.fixture(autouse=True)
def intervals(monkeypatch):
    """What the switch interval was set to; that of the test process stays."""
    intervals: list[float] = []
    monkeypatch.setattr("sys.setswitchinterval", intervals.append)
    return intervals


@pytest.fixture
def row():
    size = words.LAYOUT.header_words + words.LAYOUT.row_words
    return Scoreboard(words.LAYOUT, memoryview(bytearray(size * 8)).cast("Q"), 1).row(0)


@pytest.fixture
def dispatch(loop, row, monkeypatch):
    monkeypatch.setattr(dispatch_module, "Pool", PlayedPool)
    return Dispatch(CONFIG, loop.reactor, row)


@pytest.fixture
def pool(dispatch):
    return PlayedPool.last


def calls_of(dispatch: Dispatch) -> Callable[..., Call]:
    """Return a maker of Calls: make("/path", False, True) rests after its first step and ends with its second."""

    def make(path: str = "/", *steps: bool) -> Call:
        request = Request("GET", path.encode(), (1, 1), {})
        request.path = path
        request.ready = 990.0
        request.body = PlayedBody()
        connection = PlayedConnection()
        call = connection.call = Call(dispatch, connection, request, copy_context())
        call.exchange = PlayedExchange(*steps)
        return call

    return make


@pytest.fixture
def make(dispatch):
    return calls_of(dispatch)


@pytest.fixture
def submit(dispatch, make):
    """Make and submit a Call to the pool; it must not be turned away."""

    def submit(path: str = "/", *steps: bool) -> Call:
        call = make(path, *steps)
        dispatch.submit(call)
        assert call.state is not CallState.DONE
        return call

    return submit


def shown(row) -> list[tuple[str, words.CallState]]:
    return sorted((call.path, call.state) for call in words.read_calls(row))


# -- who runs and who waits


def test_load_equal_to_capacity_makes_nobody_wait(loop, dispatch, pool, submit):
    for _ in range(5):
        calls = [submit() for _ in range(THREADS)]
        assert [call.state for call in calls] == [CallState.RUNNING] * THREADS
        assert dispatch.queued == 0
        while pool.jobs:
            pool.finish()
        assert all(call.connection.told == ["started"] for call in calls)


def test_one_call_more_waits_until_a_thread_is_free(dispatch, pool, submit):
    for _ in range(THREADS):
        submit()
    late = submit()
    assert (late.state, late.connection.told, dispatch.queued) == (CallState.QUEUED, ["queued"], 1)
    pool.finish()
    assert (late.state, late.connection.told, dispatch.queued) == (CallState.RUNNING, ["queued", "started"], 0)


def test_calls_begin_in_the_order_of_their_arrival(dispatch, pool, submit):
    calls = [submit() for _ in range(THREADS + QUEUE)]
    began = []
    while pool.jobs:
        began += [call for call in calls if call.state is CallState.RUNNING and call not in began]
        pool.finish()
    assert began == calls


def test_a_full_queue_turns_away(dispatch, pool, submit, make, row):
    for _ in range(THREADS + QUEUE):
        submit()
    before = shown(row)
    refused = make("/refused")
    dispatch.submit(refused)
    assert refused.connection.told == [(503, Rejection.QUEUE_FULL)]
    assert refused.state is CallState.DONE
    assert refused.request.body.closed
    assert shown(row) == before
    pool.finish()
    assert submit().state is CallState.QUEUED, "there is room again"


def test_it_counts_what_runs_and_what_waits(loop, dispatch, pool, submit):
    assert dispatch.idle
    assert (dispatch.threads, dispatch.oldest) == (THREADS, 0.0)
    first = submit()
    loop.clock.advance(5)
    loop.turn()
    calls = [submit() for _ in range(2)]
    assert (dispatch.running, dispatch.queued) == ({first, calls[0]}, 1)
    assert dispatch.oldest == first.started == loop.clock.now - 5
    assert not dispatch.idle
    while pool.jobs:
        pool.finish()
    assert dispatch.idle
    assert (dispatch.running, dispatch.queued, dispatch.oldest) == (set(), 0, 0.0)


# -- leaving the queue


def test_a_call_dropped_from_the_queue_never_begins(dispatch, pool, submit):
    running = [submit() for _ in range(THREADS)]
    dropped, next_one = submit("/dropped"), submit("/next")
    dispatch.drop(dropped)
    assert dropped.state is CallState.DONE
    assert dropped.request.body.closed
    pool.finish()
    assert next_one.state is CallState.RUNNING
    pool.finish()
    pool.finish()
    assert dropped.exchange.ran == []
    assert all(call.state is CallState.DONE for call in running)


def test_only_what_has_not_begun_can_be_dropped(dispatch, pool, submit):
    call = submit()
    dispatch.drop(call)
    assert call.state is CallState.RUNNING
    pool.finish()
    dispatch.drop(call)
    assert call.state is CallState.DONE


def test_a_queued_call_whose_client_left_is_forgotten(dispatch, pool, submit):
    for _ in range(THREADS):
        submit()
    call = submit()
    dispatch.client_gone(call)
    assert (call.state, dispatch.queued, call.exchange.ran) == (CallState.DONE, 0, [])
    assert call.request.body.closed


def test_a_running_call_whose_client_left_may_end(dispatch, pool, submit):
    call = submit()
    dispatch.client_gone(call)
    assert call.gone
    assert call.state is CallState.RUNNING
    pool.finish()
    assert call.state is CallState.DONE
    assert call.exchange.ran == ["step"]


def test_a_running_call_whose_client_left_while_it_ran_into_its_rest_is_abandoned(loop, dispatch, pool, submit):
    call = submit("/", False)
    call.client_behind()
    dispatch.client_gone(call)
    pool.finish()
    loop.turn()
    pool.finish()
    assert call.exchange.ran == ["step", "abandon"]
    assert call.state is CallState.DONE
    assert dispatch.idle


def test_a_suspended_call_whose_client_left_closes_what_it_opened(loop, dispatch, pool, submit):
    call = submit("/", False)
    call.client_behind()
    pool.finish()
    assert call.state is CallState.SUSPENDED
    dispatch.client_gone(call)
    dispatch.client_gone(call)
    loop.turn()
    pool.finish()
    assert call.exchange.ran == ["step", "abandon"]
    assert dispatch.idle
    assert dispatch.suspended == 0


def test_a_call_about_to_go_on_whose_client_left_is_abandoned(loop, dispatch, pool, submit):
    call = submit("/", False)
    call.client_behind()
    pool.finish()
    call.client_caught_up()
    assert call.state is CallState.RESUMED
    dispatch.client_gone(call)
    loop.turn()
    pool.finish()
    assert call.exchange.ran == ["step", "abandon"]
    assert dispatch.idle


def test_a_call_that_is_over_does_not_mind(dispatch, pool, submit):
    call = submit()
    pool.finish()
    dispatch.client_gone(call)
    assert call.state is CallState.DONE
    assert dispatch.idle


# -- on the thread that leads


def test_who_computes_lets_others_have_the_lock_soon_from_the_beginning(leading, intervals):
    assert intervals == [SWITCH_INTERVAL]


@pytest.fixture
def leading(loop, row, monkeypatch):
    """A dispatch whose Calls begin on the thread that leads: the test's own."""
    monkeypatch.setattr(dispatch_module, "Pool", PlayedPool)
    dispatch = Dispatch(replace(CONFIG, handlers="inline"), loop.reactor, row)
    dispatch.start(lambda: None)
    return dispatch


@pytest.fixture
def inline(leading):
    """Make Calls that have not been submitted."""
    return calls_of(leading)


def test_a_call_runs_at_once_and_without_a_slot(leading, inline, row):
    call = inline()
    seen = []
    call.exchange.during = lambda: seen.append((call.state, call.leading, set(leading.running)))
    leading.submit(call)
    assert seen == [(CallState.RUNNING, True, set())]
    assert call.state is CallState.DONE
    assert call.connection.told == ["started"]
    assert leading.idle
    assert shown(row) == []


def test_on_the_leader_a_client_that_is_behind_suspends_a_call_as_any_other(loop, leading, inline, row):
    call = inline("/", False)
    call.exchange.during = call.client_behind
    leading.submit(call)
    assert (call.state, leading.suspended, call.leading) == (CallState.SUSPENDED, 1, False)
    assert shown(row) == [("/", words.CallState.SUSPENDED)]
    call.client_caught_up()
    loop.turn()
    assert call.state is CallState.RUNNING
    assert len(PlayedPool.last.jobs) == 1, "it goes on in the pool"


def test_with_every_slot_taken_a_call_waits_and_does_not_run_on_the_leader(leading, inline):
    leading._routes.observe("GET", "/slow", Effort(1.0), 1)
    for _ in range(THREADS):
        leading.submit(inline("/slow"))
    late = inline("/fast")
    leading.submit(late)
    assert (late.state, late.exchange.ran) == (CallState.QUEUED, [])
    PlayedPool.last.finish()
    assert late.state is CallState.RUNNING


@pytest.mark.parametrize(("path", "beside"), [("/slow", True), ("/fast", False)])
def test_what_is_known_to_be_slow_runs_beside_the_leader(leading, inline, path, beside):
    leading._routes.observe("GET", "/slow", Effort(1.0), 1)
    assert leading.slow_routes
    assert leading.runs_beside(inline(path).request) is beside


def test_behind_calls_that_compute_nobody_else_waits(leading, inline):
    """Threads are free; those that wait may not have them, but a Call that only waits for something may."""
    pool = PlayedPool.last
    pool.size = 8
    leading._routes.observe("GET", "/compute", Effort(1.0, on_cpu=1.0), 1)
    leading._routes.observe("GET", "/block", Effort(1.0), 1)
    for _ in range(COMPUTING_AT_ONCE + 1):
        leading.submit(inline("/compute"))
    assert leading.queued == 1
    blocking = inline("/block")
    leading.submit(blocking)
    assert (blocking.state, blocking.connection.told) == (CallState.RUNNING, ["started"])
    assert leading.queued == 1


def test_calls_that_ran_beside_each_other_are_judged_as_rivals(dispatch, pool, make, monkeypatch):
    """Each may have waited for the interpreter lock because of the other one and because of the leader."""
    seen = []
    monkeypatch.setattr(dispatch._routes, "observe", lambda method, path, effort, rivals: seen.append((path, rivals)))
    for path in ("/first", "/second"):
        dispatch.submit(make(path))
    pool.finish()
    pool.finish()
    dispatch.submit(make("/alone"))
    pool.finish()
    assert seen == [("/first", 2), ("/second", 2), ("/alone", 1)]


def test_a_call_that_blocks_is_handed_over_and_takes_a_slot(loop, leading, inline, row):
    """The monitor takes the lead while the application runs; the old leader unwinds, and posts that it is free."""
    pool, call = PlayedPool.last, inline()
    led = []
    leading._run_reactor = lambda: led.append(leading.running.copy())

    def block() -> None:
        call.enter()
        assert leading.lead.steal(call)
        leading._take_over(call)
        call.leave()

    call.exchange.during = block
    with pytest.raises(LeadLostError):
        leading.submit(call)
    assert leading.running == set(), "the old leader books nothing any more"
    pool.leaders[-1]()
    assert led == [{call}], "the new one books the Call before it turns the reactor"
    assert (leading.handoffs, pool.former_leaders) == (1, 1)
    assert shown(row) == [("/", words.CallState.RUNNING)]
    loop.turn()
    assert call.state is CallState.DONE
    assert leading.idle
    assert pool.former_leaders == 0
    assert shown(row) == []


def test_without_a_thread_to_take_over_the_monitor_leads_and_nothing_runs_on_it(leading, inline):
    pool, call = PlayedPool.last, inline()
    led = []
    leading._run_reactor = lambda: led.append(leading.running.copy())
    pool.broken = True
    call.state = CallState.RUNNING
    leading._take_over(call)
    assert led == [{call}]
    pool.broken = False
    following = inline()
    leading.submit(following)
    assert following.exchange.ran == [], "nobody watches this leader"
    assert len(pool.jobs) == 1


def test_without_a_thread_to_lead_nothing_is_started(loop, row, monkeypatch):
    class BrokenPool(PlayedPool):
        def lead(self, _: object) -> bool:
            return False

    monkeypatch.setattr(dispatch_module, "Pool", BrokenPool)
    with pytest.raises(RuntimeError, match="no thread can be started to lead"):
        Dispatch(CONFIG, loop.reactor, row).start(lambda: None)


def test_only_so_many_calls_compute_at_once(loop, row, monkeypatch):
    monkeypatch.setattr(dispatch_module, "Pool", PlayedPool)
    dispatch = Dispatch(replace(CONFIG, threads=8, handlers="inline"), loop.reactor, row)
    make = calls_of(dispatch)
    dispatch._routes.observe("GET", "/compute", Effort(1.0, on_cpu=1.0), 1)
    computing = [make("/compute") for _ in range(3)]
    plain = make("/plain")
    for call in (*computing, plain):
        dispatch.submit(call)
    assert [call.state for call in computing] == [CallState.RUNNING] * COMPUTING_AT_ONCE + [CallState.QUEUED]
    assert plain.state is CallState.DONE, "who does not compute is not held back by those who do"
    PlayedPool.last.finish()
    assert computing[2].state is CallState.RUNNING


# -- suspension


def test_a_suspended_call_holds_no_thread(dispatch, pool, submit):
    call = submit("/", False)
    call.client_behind()
    pool.finish()
    assert (call.state, dispatch.suspended, dispatch.running) == (CallState.SUSPENDED, 1, set())
    assert not dispatch.idle
    others = [submit() for _ in range(THREADS)]
    assert [other.state for other in others] == [CallState.RUNNING] * THREADS


def test_a_suspended_call_goes_on_before_any_new_one_begins(loop, dispatch, pool, submit):
    suspended = submit("/suspended", False)
    suspended.client_behind()
    pool.finish()
    running = [submit() for _ in range(THREADS)]
    new = submit("/new")
    suspended.client_caught_up()
    loop.turn()
    assert (suspended.state, new.state) == (CallState.RESUMED, CallState.QUEUED)
    pool.finish()
    assert (suspended.state, new.state) == (CallState.RUNNING, CallState.QUEUED)
    pool.finish()
    assert new.state is CallState.RUNNING
    assert suspended.connection.told == ["started"], "its wait in the queue was counted when it began"
    assert running[0].state is CallState.DONE


def test_several_suspended_calls_go_on_in_the_order_in_which_they_could(loop, dispatch, pool, submit):
    calls = []
    for n in range(3):
        call = submit(f"/{n}", False)
        call.client_behind()
        pool.finish()
        calls.append(call)
    for _ in range(THREADS):
        submit("/running")
    for call in calls:
        call.client_caught_up()
    loop.turn()
    went_on = []
    while pool.jobs:
        pool.finish()
        went_on += [call for call in calls if call.state is CallState.RUNNING and call not in went_on]
    assert went_on == calls


def test_it_never_goes_on_inside_the_transports_frame(loop, dispatch, pool, submit):
    call = submit("/", False)
    call.client_behind()
    pool.finish()
    call.client_caught_up()
    assert call.state is CallState.RESUMED
    assert not pool.jobs
    loop.turn()
    assert call.state is CallState.RUNNING


def test_a_client_that_caught_up_while_the_step_ended_lets_it_go_on(loop, dispatch, pool, submit):
    call = submit("/", False)
    pool.finish()
    loop.turn()
    assert call.state is CallState.RUNNING
    pool.finish()
    assert call.exchange.ran == ["step", "step"]
    assert dispatch.idle


# -- what goes wrong


def test_a_defect_of_ours_in_a_step_cuts_the_answer(dispatch, pool, submit):
    call = submit()
    waiting = [submit() for _ in range(THREADS)]
    pool.finish(RuntimeError("a defect"))
    assert call.connection.told == ["started", "cut"]
    assert call.state is CallState.DONE
    assert waiting[-1].state is CallState.RUNNING, "its thread serves on"


def test_without_any_thread_a_call_is_refused(dispatch, pool, make, row, caplog):
    pool.broken = True
    call = make("/unlucky")
    dispatch.submit(call)
    assert call.connection.told == ["started", (503, Rejection.QUEUE_FULL)]
    assert call.state is CallState.DONE
    assert dispatch.idle
    assert shown(row) == []
    assert "no thread for GET /unlucky" in caplog.text
    pool.broken = False
    dispatch.submit(call := make())
    assert call.state is CallState.RUNNING


def test_calls_that_waited_for_threads_that_could_not_be_started_begin_when_they_can(dispatch, pool, submit):
    pool.size, pool.shrunk = 1, True
    calls = [submit() for _ in range(2)]
    assert calls[1].state is CallState.QUEUED
    pool.size = THREADS  # what the real pool's grow does
    dispatch.grow()
    assert calls[1].state is CallState.RUNNING


# -- what the row says


def test_the_row_names_every_call_and_what_it_does(loop, dispatch, pool, submit, row):
    submit("/a", False).client_behind()
    submit("/b")
    submit("/c")
    running, queued, suspended = words.CallState.RUNNING, words.CallState.QUEUED, words.CallState.SUSPENDED
    assert shown(row) == [("/a", running), ("/b", running), ("/c", queued)]
    pool.finish()
    assert shown(row) == [("/a", suspended), ("/b", running), ("/c", running)]
    pool.finish()
    pool.finish()
    assert shown(row) == [("/a", suspended)]


def test_since_when_a_call_waits_or_runs(loop, dispatch, pool, submit, row):
    for _ in range(THREADS):
        submit("/running")
    submit("/queued")
    since = {call.path: call.since for call in words.read_calls(row)}
    assert since == {"/running": int(loop.reactor.now * 1e9), "/queued": int(990.0 * 1e9)}


def test_a_call_that_goes_on_after_a_slow_client_has_run_since_it_went_on(loop, dispatch, pool, submit, row):
    """Else a long download would be called stuck."""
    call = submit("/long", False, True)
    call.client_behind()
    pool.finish()
    assert (call.state, dispatch.oldest) == (CallState.SUSPENDED, 0.0)
    loop.clock.advance(600)
    loop.turn()
    call.client_caught_up()
    loop.turn()
    assert dispatch.oldest == call.started == loop.reactor.now
    assert words.read_calls(row)[0].since == int(loop.reactor.now * 1e9)


def test_a_call_whose_client_has_its_answer_is_shown_as_settled(dispatch, pool, submit, row):
    """The master must not say of such a request that it died with the worker."""
    call, other = submit("/a", False), submit("/b")
    call.request.finished = 1.0
    dispatch.settled(call.request)
    settled, running = words.CallState.SETTLED, words.CallState.RUNNING
    assert shown(row) == [("/a", settled), ("/b", running)]
    pool.finish()
    assert shown(row) == [("/a", settled), ("/b", running)], "also when it rests"
    dispatch.client_gone(call)
    pool.finish()
    pool.finish()
    assert shown(row) == []
    dispatch.settled(other.request)  # it is over: nothing to say
    assert shown(row) == []


def test_cells_are_used_again_and_there_may_be_more_calls_than_cells(loop, row, monkeypatch, make):
    monkeypatch.setattr(dispatch_module, "Pool", PlayedPool)
    many = words.CALL_CELLS + 10
    dispatch = Dispatch(replace(CONFIG, threads=many), loop.reactor, row)
    pool = PlayedPool.last
    for _ in range(3):
        for n in range(many):
            dispatch.submit(make(f"/{n}"))
        assert len(shown(row)) == words.CALL_CELLS
        while pool.jobs:
            pool.finish()
        assert shown(row) == []


# -- memory


@pytest.mark.parametrize("end", ["done", "gone", "defect", "dropped"])
def test_nothing_of_a_call_is_kept(loop, dispatch, pool, submit, end):
    running = [submit() for _ in range(THREADS)] if end == "dropped" else []
    call = submit("/", end != "gone")
    gone = weakref.ref(call.connection)
    if end == "gone":
        call.client_behind()
        pool.finish()
        dispatch.client_gone(call)
        loop.turn()
    if end == "dropped":
        dispatch.client_gone(call)
    else:
        pool.finish(RuntimeError() if end == "defect" else None)
    del call
    gc.collect()
    assert gone() is None
    del running


def test_a_call_that_is_wanted_gives_the_lead_up_when_it_enters_the_application_again(leading, inline):
    pool, call = PlayedPool.last, inline()
    call.leading = True
    leading.lead.call = leading.lead.wanted = call
    leading.lead.open(call)
    assert len(pool.leaders) == 2, "the first one and the next"
    assert not leading.lead.close(call), "it leads no more"


def test_without_a_thread_to_lead_a_wanted_call_leads_on(leading, inline):
    pool, call = PlayedPool.last, inline()
    pool.broken = True
    leading.lead.call = leading.lead.wanted = call
    leading.lead.open(call)
    assert leading.lead.close(call), "it leads still"
    assert len(pool.leaders) == 1
