"""The parts of a worker, put together as its dispatch wants it (arrangement.py).

Knows:     which part needs which.
Never:     what they do.
Runs in:   the worker's main thread, once; nothing turns yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hybridd.app.wsgi import WsgiServer
from hybridd.config.listener_words import Words, words_of
from hybridd.config.trust import Trust
from hybridd.http.counts import HttpCounts
from hybridd.net.reactor import Reactor
from hybridd.net.terms import Terms
from hybridd.ops.scoreboard import Row
from hybridd.worker import words
from hybridd.worker.accepting import Acceptor, Take
from hybridd.worker.addresses import AddressLimits
from hybridd.worker.arrangement import ARRANGEMENTS, Arrangement, Home
from hybridd.worker.arrivals import arrival
from hybridd.worker.connection_processes import ConnectionProcesses
from hybridd.worker.connection_threads import ConnectionThreads
from hybridd.worker.crowd import Soonest
from hybridd.worker.dispatch import Dispatch
from hybridd.worker.gate import Gate
from hybridd.worker.http_service import HttpService
from hybridd.worker.in_flight import InFlight
from hybridd.worker.incidents import Incidents
from hybridd.worker.inline import Inline, InlineFiles
from hybridd.worker.loop import Loop, private_loop
from hybridd.worker.raw_service import RawService
from hybridd.worker.report import Report
from hybridd.worker.reserve import Reserve
from hybridd.worker.room import Room
from hybridd.worker.secure_service import SecureHttpService
from hybridd.worker.serving import Service, Serving
from hybridd.worker.spec import WorkerSpec
from hybridd.worker.work import Work

if TYPE_CHECKING:
    from hybridd.worker.securing import Secured

Equip = Callable[[Loop], None]
"""Gives a loop its services, one for each listener."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What runs in a worker process."""

    arrangement: Arrangement
    reactor: Reactor
    work: Work
    serving: Serving
    equip: Equip


@dataclass(frozen=True, slots=True)
class _Homes:
    """Where connections live.

    Attributes:
        ways: to there, one for each listener.
        door: counts what happens before a connection is there.
        services: those of the loop that everything runs on, if it is one.
        soonest: yields the connections, should one have to give way; None: they are the loop's own, who knows.
    """

    work: Work
    ways: Sequence[Take]
    door: HttpCounts
    services: Sequence[Service] = ()
    soonest: Soonest | None = None


def assemble(spec: WorkerSpec, row: Row, application: Any) -> Worker:
    """Return what serves ``spec.listeners`` with ``application``: a WSGI application or a factory of raw protocols."""
    config, logs = spec.config, spec.logs
    arrangement = ARRANGEMENTS[config.dispatch]
    serve = _raw(spec, application) if config.protocol else _http(spec, application, arrangement)
    equip = partial(_equip, spec, serve)
    reactor = Reactor()
    terms, counts = Terms(reactor, config.timeouts.write, write_rate=config.limits.response_rate), HttpCounts()
    make_homes = _on_the_loop if arrangement.home is Home.LOOP else _one_each
    homes = make_homes(spec, row, equip, terms, counts)
    work, acceptors = homes.work, _acceptors(spec, homes, terms)
    report = Report(spec, row, counts=counts, terms=terms, dispatch=work, acceptors=acceptors)
    if arrangement.main_thread and isinstance(work, Inline):
        work.before_step = report.turned  # a connection is accepted, read and served in one turn
    reactor.after_turn.append(logs.access.flush)
    serving = Serving(
        config,
        reactor=reactor,
        terms=terms,
        acceptors=acceptors,
        services=homes.services,
        dispatch=work,
        report=report,
        incidents=Incidents(counts),
        logs=logs,
        stacks=spec.stacks,
    )
    return Worker(arrangement, reactor, work, serving, equip)


def _on_the_loop(spec: WorkerSpec, row: Row, equip: Equip, terms: Terms, counts: HttpCounts) -> _Homes:
    """Let connections be many on one loop."""
    config, reactor = spec.config, terms.reactor
    arrangement = ARRANGEMENTS[config.dispatch]
    terms.eager = arrangement.hand_off  # else a handler that waits would hide that its connection was accepted
    desk = Dispatch(config, reactor, row) if arrangement.hand_off else _inline(spec, reactor, row)
    files = InlineFiles(reactor) if arrangement.main_thread else None
    loop = Loop(reactor, terms, desk, spec.logs.access.recorder, files, counts)
    equip(loop)
    return _Homes(desk, [*loop.takes], counts, loop.services)


def _one_each(spec: WorkerSpec, row: Row, equip: Equip, terms: Terms, counts: HttpCounts) -> _Homes:
    """Let each connection have a thread or a process."""
    config, door = spec.config, HttpCounts()
    arrangement = ARRANGEMENTS[config.dispatch]
    hosts: ConnectionThreads | ConnectionProcesses
    soonest: Soonest | None = None
    if arrangement.home is Home.PROCESS:
        hosts = ConnectionProcesses(spec, terms, counts, door, arrangement.limit(config))
    else:
        make_loop = partial(_private_loop, spec, equip, Room(config.limits.spool))
        hosts = ConnectionThreads(config, terms, counts, row, make_loop, door=door, pooled=arrangement.pooled)
        soonest = hosts.soonest
    terms.reactor.after_turn.append(hosts.collect)
    return _Homes(hosts, [partial(hosts.take, number) for number, _ in enumerate(spec.listeners)], door, (), soonest)


def _acceptors(spec: WorkerSpec, homes: _Homes, terms: Terms) -> list[Acceptor]:
    work = homes.work
    gate = Gate(
        spec.scoreboard,
        spec.slot,
        load=lambda: words.pack_load(len(work.running) + work.queued, len(terms.open)),
        capacity=work.has_capacity,
    )
    limit = ARRANGEMENTS[spec.config.dispatch].limit(spec.config)
    reserve, addresses = Reserve(), _address_limits(spec)
    if addresses is not None:
        terms.left, terms.admit = addresses.left, addresses.admit
    return [
        Acceptor(
            listener,
            terms,
            limit,
            gate=gate,
            take=way,
            counts=homes.door,
            reserve=reserve,
            addresses=addresses,
            soonest=homes.soonest,
        )
        for listener, way in zip(spec.listeners, homes.ways, strict=True)
    ]


def _address_limits(spec: WorkerSpec) -> AddressLimits | None:
    """Return the limits per address; None: there are none, and nothing is counted."""
    limits, board = spec.config.limits, spec.scoreboard
    if not limits.address_connections and not limits.address_rate:
        return None

    def others() -> list[int]:
        rows = range(board.rows_used)
        return [slot for slot in rows if slot != spec.slot and board.row(slot).words[words.STATE]]

    return AddressLimits(
        spec.addresses,
        spec.slot,
        most_open=limits.address_connections,
        most_new=limits.address_rate,
        exempt=Trust(spec.config.trusted_proxies),
        others=others,
    )


def _inline(spec: WorkerSpec, reactor: Reactor, row: Row) -> Inline:
    """Return a desk that runs Calls on the loop.

    To name each of them in the row costs 2 microseconds: little beside a connection for every request, and a price for
    a limit on handlers; but a sixth of all work with many connections.
    """
    config = spec.config
    names = ARRANGEMENTS[config.dispatch].main_thread or config.timeouts.handler or config.timeouts.stuck
    return Inline(config, reactor, InFlight(row) if names else None)


def _private_loop(spec: WorkerSpec, equip: Equip, room: Room) -> Loop:
    """Return a loop for one connection at a time, in a thread of its own."""
    access = spec.logs.access.for_another_thread()
    loop = private_loop(spec.config, access.recorder, room=room)
    loop.reactor.after_turn.append(access.flush)
    equip(loop)
    return loop


def _said(spec: WorkerSpec) -> list[Words]:
    return words_of([listener.name for listener in spec.listeners], spec.config.listen)


def _equip(spec: WorkerSpec, serve: Equip, loop: Loop) -> None:
    """Give a loop its services, and the ways to them."""
    serve(loop)
    said = _said(spec)
    ways: Sequence[Secured | None] = [None] * len(said)
    if any(special.tls for special in said):
        from hybridd.worker.securing import secured  # noqa: PLC0415 - OpenSSL takes 4 MB and 20 ms

        ways = secured(spec, said, loop)
    loop.takes = [
        arrival(spec.config, special, loop, service, way)
        for special, service, way in zip(said, loop.services, ways, strict=True)
    ]


def _raw(spec: WorkerSpec, factory: Callable[[], Any]) -> Equip:
    def equip(loop: Loop) -> None:
        service = RawService(factory, loop.counts)
        loop.terms.lost_one = service.lost_one
        loop.services = [service] * len(spec.listeners)

    return equip


def _http(spec: WorkerSpec, application: Any, arrangement: Arrangement) -> Equip:
    config = spec.config
    server = WsgiServer(
        application,
        multithread=arrangement.multithread(config),
        multiprocess=config.workers != 1 or arrangement.home is Home.PROCESS,
    )
    said = _said(spec)
    context = copy_context()  # what the application set while it was loaded is seen by every Call

    def equip(loop: Loop) -> None:
        loop.services = [
            (SecureHttpService if special.tls else HttpService)(
                config,
                loop.reactor,
                server,
                loop.desk,
                counts=loop.counts,
                context=context,
                local=listener.address,
                slot=spec.slot,
                record=loop.record,
                files=loop.files,
            )
            for listener, special in zip(spec.listeners, said, strict=True)
        ]

    return equip
