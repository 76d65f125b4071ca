"""A worker's phases: every phase with every event, in simulated time."""

from __future__ import annotations

import faulthandler
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybridd.config.settings import Config, Shutdown, Timeouts
from hybridd.net.reactor import READ
from hybridd.net.terms import Terms
from hybridd.worker import orders
from hybridd.worker.serving import HEARTBEAT, Phase, Serving
from hybridd.worker.words import WorkerState
from tests.support.simulated_loop import SimulatedLoop

LIFELINE = 60
ERROR_LOG = 61
STACKS = 92
LINGER = 0.25
GRACEFUL = 10.0
IDLE_GRACE = 1.5
PROBATION = 2.0


class PlayedAcceptor:
    """Notes what it is told."""

    def __init__(self, log):
        self.armed = False
        self.listener = "a listener"
        self.full = False
        self.waiting = 0
        self._log = log

    def arm(self):
        self.armed = True
        self._log.append("arm")

    def disarm(self):
        self.armed = False
        self._log.append("disarm")

    def accept(self, most):
        self._log.append(f"accept {most}")

    def admit_one(self):
        self._log.append("admit one")

    def turned(self):
        self._log.append("listeners")


class PlayedTransport:
    """A connection; its protocol may be one that can say goodbye."""

    def __init__(self, world, protocol):
        self._world = world
        self._protocol = protocol
        self.aborted = False

    def get_protocol(self):
        return self._protocol

    def abort(self):
        self.aborted = True
        self.close()

    def close(self):
        """As the real one: out of the set now, its protocol told by a job of its own."""
        self._world.terms.open.pop(self, None)
        self._world.loop.reactor.call_soon(self._world.told_lost.append, self)


class World:
    """A worker without a process."""

    def __init__(self):
        self.leaving = set()  # listeners that a newer generation does without
        self.log = []  # what the acceptor was told
        self.said = []  # states said to the master
        self.told_lost = []  # connections whose protocol was told of its end
        self.stored = []  # what the last turns stored
        self.loop = SimulatedLoop()
        self.terms = Terms(self.loop.reactor, 30.0)
        self.acceptor = PlayedAcceptor(self.log)
        self.service = SimpleNamespace(draining=False, connection=object)
        self.dispatch = SimpleNamespace(running=set(), idle=True, grow=lambda: self.log.append("grow"))
        self.report = SimpleNamespace(
            state=self.said.append,
            beat=lambda: self.log.append("beat"),
            turned=lambda: self.stored.append(len(self.told_lost)),
            sleeps=lambda: None,
            wakes=lambda: None,
            is_leaving=lambda listener: listener in self.leaving,
        )
        self.logs = SimpleNamespace(
            reopen=lambda: self.log.append("reopen"),
            tick=lambda now: self.log.append("tick"),
            error=SimpleNamespace(sink=SimpleNamespace(fd=ERROR_LOG)),
        )
        config = replace(
            Config(),
            timeouts=replace(Timeouts(), graceful=GRACEFUL),
            shutdown=replace(Shutdown(), idle_grace=IDLE_GRACE, linger=LINGER),
        )
        self.serving = Serving(
            config,
            reactor=self.loop.reactor,
            terms=self.terms,
            acceptors=[self.acceptor],
            services=[self.service],
            dispatch=self.dispatch,
            report=self.report,
            incidents=SimpleNamespace(look=lambda now: self.log.append("look")),
            logs=self.logs,
            stacks=STACKS,
        )

    @property
    def stopped(self):
        return self.loop.reactor._stopped

    def connect(self, protocol=None):
        transport = PlayedTransport(self, protocol or PlayedHttp())
        self.terms.open[transport] = None
        return transport

    def turns(self):
        """What is decided at once, and what that decides for the next turn."""
        self.loop.turn()
        self.loop.turn()

    def lose_master(self):
        self.loop.selector.announce((LIFELINE, READ))
        self.loop.turn()

    def bring_to(self, phase):
        self.serving.begin(LIFELINE, PROBATION)
        self.connect()  # so that a drain does not end at once
        if phase is not Phase.PROBATION:
            self.loop.run_for(PROBATION)
        if phase is Phase.RETIRED:
            self.serving.receive_signal(orders.RETIRE)
        if phase is Phase.DRAINING:
            self.serving.drain()
            self.loop.run_for(LINGER + 0.01)
        if phase is Phase.ENDED:
            self.serving.end()
        self.turns()
        assert self.serving.phase is phase
        self.log.clear()
        self.said.clear()


class PlayedHttp:
    """A protocol that can say goodbye."""

    def __init__(self):
        self.graces = []

    def drain(self, grace):
        self.graces.append(grace)


@pytest.fixture
def world():
    world = World()
    yield world
    world.loop.close()


@pytest.fixture(autouse=True)
def stacks(monkeypatch):
    """Where stacks were written to, and where they would be in the worst case."""
    stacks = []
    monkeypatch.setattr("hybridd.worker.serving.write_stacks", stacks.append)
    monkeypatch.setattr(faulthandler, "enable", lambda fd, **_: stacks.append(f"from now on {fd}"))
    return stacks


# -- the table

EVENTS = {
    "probation over": lambda world: world.loop.run_for(PROBATION),
    "TERM": lambda world: (world.serving.receive_signal(signal.SIGTERM), world.loop.run_for(LINGER + 0.01)),
    "leave": lambda world: world.serving.receive_signal(orders.LEAVE),
    "QUIT": lambda world: world.serving.receive_signal(signal.SIGQUIT),
    "retire": lambda world: world.serving.receive_signal(orders.RETIRE),
    "revive": lambda world: world.serving.receive_signal(orders.REVIVE),
    "USR1": lambda world: world.serving.receive_signal(signal.SIGUSR1),
    "another signal": lambda world: world.serving.receive_signal(signal.SIGHUP),
    "the master is gone": lambda world: (world.lose_master(), world.loop.run_for(LINGER + 0.01)),
    "graceful over": lambda world: world.serving._cut(),
    "nothing left": lambda world: [transport.close() for transport in list(world.terms.open)],
    "a turn": lambda world: None,
}

P, S, R, D, E = Phase.PROBATION, Phase.SERVING, Phase.RETIRED, Phase.DRAINING, Phase.ENDED

TABLE = {
    # event: (from PROBATION, from SERVING, from RETIRED, from DRAINING, from ENDED)
    "probation over": (S, S, R, D, E),
    "TERM": (D, D, D, D, E),
    "leave": (D, D, D, D, E),
    "QUIT": (E, E, E, E, E),
    "retire": (P, R, R, D, E),
    "revive": (S, S, S, D, E),
    "USR1": (P, S, R, D, E),
    "another signal": (P, S, R, D, E),
    "the master is gone": (D, D, D, D, E),
    "graceful over": (P, S, R, E, E),
    "nothing left": (P, S, R, E, E),
    "a turn": (P, S, R, D, E),
}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", TABLE)
def test_every_phase_knows_every_event(world, phase, event):
    expected = TABLE[event][list(Phase).index(phase)]
    world.bring_to(phase)
    EVENTS[event](world)
    world.turns()
    assert world.serving.phase is expected
    assert world.stopped == (expected is Phase.ENDED)
    armed = {P: False, S: True, R: False, D: False, E: False}
    assert world.acceptor.armed == armed[expected]
    assert world.service.draining == (expected is D or (expected is E and phase is D))
    if expected is D and phase is not D:
        assert world.said == [WorkerState.DRAINING]
    else:
        assert world.said == []
    assert ("reopen" in world.log) == (event == "USR1")


def test_the_table_is_whole():
    assert set(EVENTS) == set(TABLE)
    assert all(len(row) == len(Phase) for row in TABLE.values())


# -- retired for a reload


def test_a_retired_worker_still_accepts_where_nobody_else_will(world):
    world.bring_to(Phase.SERVING)
    world.leaving.add("a listener")
    world.serving.retire()
    assert world.acceptor.armed
    world.log.clear()
    world.serving.drain()
    assert "accept 1024" in world.log


def test_a_retired_worker_leaves_who_waits_to_the_others(world):
    world.bring_to(Phase.RETIRED)
    world.serving.drain()
    assert "accept 1024" not in world.log


# -- the beginning


def test_without_probation_it_accepts_before_it_says_ready(world):
    world.report.state = lambda state: world.said.append((state, world.acceptor.armed))
    world.serving.begin(LIFELINE, 0.0)
    assert world.said == [(WorkerState.READY, True)]
    assert world.serving.phase is Phase.SERVING


def test_on_probation_it_is_ready_and_takes_nobody(world):
    world.serving.begin(LIFELINE, PROBATION)
    assert world.said == [WorkerState.READY]
    world.loop.run_for(PROBATION - 0.1)
    assert not world.acceptor.armed
    world.loop.run_for(0.2)
    assert world.acceptor.armed
    assert world.said == [WorkerState.READY]


def test_it_beats_at_once_and_then_once_a_second(world):
    beats = []
    world.serving.on_beat = lambda: beats.append(world.loop.clock.now)
    start = world.loop.clock.now
    world.serving.begin(LIFELINE, 0.0)
    world.loop.run_for(3 * HEARTBEAT + 0.1)
    assert [round(beat - start, 3) for beat in beats] == [0.0, 1.0, 2.0, 3.0]
    for what in ("beat", "tick", "grow", "admit one"):
        assert world.log.count(what) == 4, what


def test_it_beats_while_it_drains_and_not_after_its_end(world):
    world.bring_to(Phase.DRAINING)
    world.loop.run_for(2 * HEARTBEAT)
    assert "beat" in world.log
    world.serving.end()
    world.turns()
    world.log.clear()
    world.loop.run_for(3 * HEARTBEAT)
    assert world.log.count("beat") <= 1


def test_an_idle_worker_wakes_up_for_its_heartbeat_only(world):
    world.serving.begin(LIFELINE, 0.0)
    world.loop.turn()
    world.loop.selector.timeouts.clear()
    for _ in range(5):
        world.loop.reactor.turn()
    assert world.loop.selector.timeouts == [pytest.approx(HEARTBEAT)] * 5


def test_every_turn_ends_for_the_listeners_before_it_is_reported(world):
    """Whether they are armed is part of the report."""
    world.report.turned = lambda: world.log.append("report")
    world.serving.begin(LIFELINE, 0.0)
    world.log.clear()
    world.loop.turn()
    assert world.log == ["listeners", "report"]


# -- the drain


def test_a_drain_takes_who_waits_then_nobody(world):
    world.bring_to(Phase.SERVING)
    world.serving.drain()
    assert world.log[:2] == ["accept 1024", "disarm"]


def test_who_waits_for_a_full_worker_is_taken_as_places_become_free(world):
    """The master ends the listeners when the worker says that it drains: not before the last of them is here."""
    waiting = 2

    def accept(most):
        nonlocal waiting
        if world.acceptor.full or not waiting:
            return 0
        waiting -= 1
        world.acceptor.full = True
        late.append(world.connect())
        return 1

    late = []
    world.bring_to(Phase.SERVING)
    world.acceptor.full, world.acceptor.accept, world.acceptor.waiting = True, accept, lambda most: 2
    world.serving.drain()
    world.turns()
    assert late == []
    world.loop.run_for(LINGER + 0.01)
    assert WorkerState.DRAINING not in world.said
    for _ in range(2):
        world.acceptor.full = False
        world.loop.turn()
        assert late[-1].get_protocol().graces == [IDLE_GRACE]
    assert (len(late), world.said[-1]) == (2, WorkerState.DRAINING)


def test_connections_elsewhere_have_a_moment_to_tell_of_their_end(world):
    world.bring_to(Phase.SERVING)
    hosted = world.connect(protocol=object())
    hosted.abort = lambda: None  # its thread does it, soon or never
    world.terms.open = {hosted: None}
    world.serving.end()
    world.turns()
    assert (world.serving.phase, world.stopped) == (Phase.ENDED, False)
    hosted.close()
    world.turns()
    assert world.stopped


def test_and_not_more_than_a_moment(world):
    world.bring_to(Phase.SERVING)
    hosted = world.connect(protocol=object())
    hosted.abort = lambda: None
    world.terms.open = {hosted: None}
    world.serving.end()
    world.loop.run_for(1.0)
    assert world.stopped


def test_a_drain_on_probation_takes_nobody(world):
    world.bring_to(Phase.PROBATION)
    world.serving.drain()
    assert "accept 1024" not in world.log


def test_those_taken_last_are_answered_with_close_too(world):
    """They are accepted when the services drain already, and told of the drain like all others."""
    seen = []

    def accept(most):
        del most
        seen.append(world.service.draining)
        late.append(world.connect())

    late = []
    world.bring_to(Phase.SERVING)
    world.acceptor.accept = accept
    world.serving.drain()
    assert seen == [True]
    assert late[0].get_protocol().graces == [IDLE_GRACE]


def test_every_connection_is_told_of_the_drain_once(world):
    world.bring_to(Phase.SERVING)
    connections = [world.connect() for _ in range(3)]
    raw = world.connect(protocol=object())
    world.serving.drain()
    world.serving.drain()
    assert [connection.get_protocol().graces for connection in connections] == [[IDLE_GRACE]] * 3
    assert raw in world.terms.open, "its client or the deadline ends it"


def test_a_drain_ends_when_the_last_connection_and_the_last_call_have(world):
    world.bring_to(Phase.DRAINING)
    world.dispatch.idle = False
    for transport in list(world.terms.open):
        transport.close()
    world.turns()
    assert world.serving.phase is Phase.DRAINING
    world.dispatch.idle = True
    world.turns()
    assert world.serving.phase is Phase.ENDED
    assert world.stopped
    assert world.serving.stuck == 0


def test_a_worker_with_nothing_to_do_drains_in_a_moment(world):
    world.serving.begin(LIFELINE, 0.0)
    world.loop.turn()
    world.serving.drain(last=False)
    world.turns()
    assert world.stopped
    assert world.said == [WorkerState.READY, WorkerState.DRAINING]


def test_the_last_ones_stay_for_handshakes_that_are_on_their_way(world):
    world.serving.begin(LIFELINE, 0.0)
    world.loop.turn()
    world.serving.receive_signal(signal.SIGTERM)
    world.loop.run_for(LINGER - 0.05)
    assert not world.stopped
    assert world.said == [WorkerState.READY], "the master would end the listeners"
    world.log.clear()
    world.acceptor.accept = lambda most: (world.log.append(f"accept {most}"), late.append(world.connect()))
    late = []
    world.loop.run_for(0.1)
    assert "accept 1024" in world.log
    assert world.said[-1] is WorkerState.DRAINING
    assert late[0].get_protocol().graces == [IDLE_GRACE]
    late[0].close()
    world.turns()
    assert world.stopped


def test_who_leaves_while_others_stay_takes_nobody(world):
    world.bring_to(Phase.SERVING)
    world.serving.receive_signal(orders.LEAVE)
    assert "accept 1024" not in world.log
    assert world.said == [WorkerState.DRAINING]


def test_but_where_the_others_do_not_listen(world):
    world.bring_to(Phase.SERVING)
    world.leaving.add("a listener")
    world.serving.receive_signal(orders.LEAVE)
    assert "accept 1024" in world.log


def test_a_quick_end_waits_for_nobody(world):
    world.bring_to(Phase.SERVING)
    world.serving.drain()
    world.serving.end()
    world.turns()
    assert world.stopped
    world.loop.run_for(1.0)
    assert world.said.count(WorkerState.DRAINING) == 0


@pytest.mark.parametrize("when", ["event", "end of the turn"])
def test_the_last_connections_end_is_told_and_stored_before_the_worker_leaves(world, when):
    """A Call that runs on the leader answers, and closes, in the jobs at the end of a turn."""
    world.bring_to(Phase.DRAINING)
    (last,) = world.terms.open
    if when == "event":
        world.loop.reactor.post(last.close)
    else:
        world.loop.reactor.call_soon(last.close)
    world.loop.reactor.run()
    assert world.told_lost == [last]
    assert world.stored[-1] == 1, "what the end of the last connection counted is in no row"


def test_after_the_graceful_time_what_is_left_is_named_and_cut(world, caplog, stacks):
    world.bring_to(Phase.SERVING)
    connection = world.connect()
    request = SimpleNamespace(method="GET", path="/slow", id="abc-1")
    world.dispatch.running = [SimpleNamespace(request=request)]
    world.dispatch.idle = False
    world.serving.drain()
    world.loop.run_for(GRACEFUL - 0.1)
    assert not connection.aborted
    world.loop.reactor.run()
    assert connection.aborted
    assert world.serving.stuck == 1
    assert "2 connections and 1 calls did not end within 10 s (timeouts.graceful)" in caplog.text
    assert "still running: GET /slow (request abc-1)" in caplog.text
    assert stacks == [STACKS]


def test_without_a_call_that_runs_no_stacks_are_written(world, stacks):
    world.bring_to(Phase.DRAINING)
    world.loop.reactor.run()
    assert world.serving.phase is Phase.ENDED
    assert stacks == []


def test_a_lost_master_is_reported_once(world, caplog, stacks):
    world.bring_to(Phase.SERVING)
    world.lose_master()
    world.lose_master()
    assert caplog.text.count("the master is gone") == 1
    assert stacks == [f"from now on {ERROR_LOG}"], "nobody is left who would read the other file"
    assert not world.loop.watches(LIFELINE)


# -- the quick end


def test_a_quick_end_cuts_everything_and_tells_the_protocols(world):
    world.bring_to(Phase.SERVING)
    connections = {*world.terms.open, world.connect(), world.connect(protocol=object())}
    world.dispatch.running = {"call"}
    world.loop.reactor.post(world.serving.receive_signal, signal.SIGQUIT)
    world.loop.reactor.run()
    assert all(connection.aborted for connection in connections)
    assert set(world.told_lost) == connections, "no access log line, no count for what was cut"
    assert world.stored[-1] == len(connections)
    assert world.serving.stuck == 1
    assert world.log[0] == "disarm"
