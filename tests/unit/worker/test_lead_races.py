"""The hand-off under every order of its steps: the leader's, the monitor's, the next leader's."""

from collections import Counter, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hybridd.worker.call import Call, CallState
from hybridd.worker.dispatch import Dispatch
from hybridd.worker.lead import Lead, LeadLostError
from hybridd.worker.waiting import Waiting
from tests.support.interleaving import Schedule, explore


class PointedTokens(list[object]):
    """Lets any thread go on before each step of the window."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def append(self, token: object) -> None:
        self.schedule.point("open")
        super().append(token)

    def remove(self, token: object) -> None:
        self.schedule.point("close or steal")
        super().remove(token)


class World:
    """A dispatch with a scripted reactor, pool and connection; knows who leads, catches who touches without leading."""

    def __init__(self, schedule: Schedule, *, gone: bool = False, parts: int = 2, raises: bool = False) -> None:
        self.schedule = schedule
        self.leader: str | None = "old"
        self.current = ""
        self.posted: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self.lead_jobs: list[Callable[[], None]] = []
        self.said: list[str] = []
        self.stolen = False
        self.given_up = False
        self.lost = False
        self.over = False
        self.parts = parts
        self.raises = raises
        self.gone = gone
        self.dispatch = self.make_dispatch()
        connection = SimpleNamespace(
            call_started=lambda: self.touch("started"),
            respond=lambda head, body: self.touch("whole"),
            start=lambda head, first: self.touch("start"),
            send=lambda data: self.touch(data.decode()),
            finish=lambda: self.touch("finish"),
            abort_response=lambda: self.touch("abort"),
            call=None,
        )
        request = SimpleNamespace(method="GET", path="/x", id="1", ready=0.0, body=SimpleNamespace(close=lambda: None))
        self.call = Call(self.dispatch, connection, request, SimpleNamespace(run=lambda fn: fn()))
        self.call.exchange = SimpleNamespace(step=self.step, abandon=lambda: None)

    def make_dispatch(self) -> Dispatch:
        dispatch = Dispatch.__new__(Dispatch)
        dispatch.lead = Lead()
        dispatch.lead.tokens = PointedTokens(self.schedule)
        dispatch.reactor = SimpleNamespace(now=1.0, clock=self.clock, call_soon=self.post)
        dispatch.post = self.post
        dispatch.response_memory = dispatch.response_spool = 1 << 20
        dispatch.running = set()
        dispatch.suspended = dispatch.handoffs = dispatch._computing = 0
        dispatch._inline = True
        dispatch._monitor = None
        dispatch._routes = SimpleNamespace(
            slow={}, observe=lambda *_: self.touch(None), suspect=lambda *_: self.touch(None)
        )
        dispatch._waiting = Waiting()
        dispatch._in_flight = SimpleNamespace(show=self.show, forget=lambda call: self.touch(None))
        self.pool = SimpleNamespace(running=0, size=9, free=True, lead=self.pool_lead, release=self.release)
        dispatch._pool = self.pool
        dispatch._run_reactor = self.run_reactor
        dispatch.lead.give_up = dispatch._give_up
        return dispatch

    # Who may do what.

    def touch(self, what: str | None) -> None:
        """Only the leader may come here."""
        me = self.schedule.running
        assert self.leader == me, f"{me} touches {what} while {self.leader} leads: {self.schedule.trace}"
        if what is not None:
            self.said.append(what)

    def clock(self) -> float:
        self.touch(None)
        return 1.0

    def show(self, call: Call) -> None:
        self.touch(None)
        call.cell = 0

    def post(self, fn: Callable[..., object], *args: Any) -> None:
        self.schedule.point("post")
        self.posted.append((fn, args))

    def pool_lead(self, job: Callable[[], None]) -> bool:
        assert not self.dispatch.lead.tokens, "between the steal and the new leader's first step nobody leads"
        self.leader, self.stolen = None, True
        self.given_up = self.schedule.running == "old"
        self.pool.running += 1
        self.lead_jobs.append(job)
        return True

    def release(self) -> None:
        self.touch(None)
        self.pool.running -= 1

    # The threads.

    def step(self) -> bool:
        """What an exchange does: windows around the application, parts between them."""
        call = self.call
        call.enter()
        self.schedule.point("application")
        call.leave()
        call.start(None, b"")
        for number in range(self.parts):
            call.enter()
            self.schedule.point("application")
            call.leave()
            if self.raises and number:
                call.abort()
                return True
            call.send(str(number).encode())
        call.finish()
        return True

    def old(self) -> None:
        try:
            self.dispatch.submit(self.call)
        except LeadLostError:
            self.lost = True
        else:
            self.over = True
            self.turned()

    def monitor(self) -> None:
        self.schedule.point("look")
        lead = self.dispatch.lead
        call = lead.call
        if call is None:
            return
        if lead.steal(call):
            self.dispatch._take_over(call)
        else:
            self.schedule.point("want")
            lead.wanted = call

    def new(self) -> None:
        self.schedule.until(lambda: bool(self.lead_jobs) or self.over, "begins to lead")
        if not self.lead_jobs:
            return
        self.leader = "new"
        if self.gone:
            self.call.gone = True  # the connection was lost at this very moment
        self.lead_jobs[0]()

    def run_reactor(self) -> None:
        while self.call.state is not CallState.DONE:
            self.schedule.until(lambda: bool(self.posted), "posted")
            fn, args = self.posted.popleft()
            fn(*args)
            self.turned()

    def turned(self) -> None:
        """What a worker that drains asks at the end of each turn: it leaves when nothing is left to do."""
        assert self.dispatch.idle is (self.call.state is CallState.DONE), f"it would leave: {self.schedule.trace}"


@pytest.mark.parametrize("settings", [{}, {"parts": 1}, {"gone": True}, {"raises": True}], ids=str)
def test_every_order_of_a_call_and_its_hand_off(settings: dict[str, Any]) -> None:
    outcomes = Counter[str]()

    def scenario(schedule: Schedule) -> None:
        world = World(schedule, **settings)
        schedule.run({"old": world.old, "monitor": world.monitor, "new": world.new})
        outcomes["stolen"] += world.stolen
        outcomes["given up"] += world.given_up
        parts = [str(number) for number in range(world.parts)]
        if world.raises:
            assert world.said == ["started", "start", *parts[:1], "abort"]
        else:
            assert world.said == ["started", "start", *parts, "finish"]
        assert world.lost is world.stolen
        assert world.call.state is CallState.DONE
        assert world.dispatch.handoffs == world.stolen
        assert not world.dispatch.running
        assert world.pool.running == 0
        assert not world.dispatch.lead.tokens

    runs = explore(scenario)
    assert 0 < outcomes["given up"] < outcomes["stolen"] < runs, "the scenario must show all outcomes"


def test_a_window_closed_by_taking_anybodys_token_is_found_out() -> None:
    """The mutant that DESIGN warns of: ``pop()`` instead of compare and take."""

    class Popping(Lead):
        __slots__ = ()

        def close(self, token: object) -> bool:  # noqa: ARG002  # the fault under test
            try:
                self.tokens.pop()
            except IndexError:
                return False
            return True

    lead = Popping()
    first, second = object(), object()
    lead.open(first)
    assert lead.steal(first)
    lead.open(second)  # the next leader's Call
    assert lead.close(first), "the mutant believes that it still leads"
    honest = Lead()
    honest.open(first)
    assert honest.steal(first)
    honest.open(second)
    assert not honest.close(first)
    assert honest.tokens == [second]
