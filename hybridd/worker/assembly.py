"""The parts of a worker, put together: one acceptor and one service per listener, one dispatch, one report.

Knows:     which part needs which.
Never:     what they do.
Runs in:   the worker's main thread, once; nothing turns yet.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from hybridd.app.wsgi import WsgiServer
from hybridd.http.counts import HttpCounts
from hybridd.net.listener import Listener
from hybridd.net.terms import Terms
from hybridd.ops.scoreboard import Row
from hybridd.worker import words
from hybridd.worker.accepting import Acceptor
from hybridd.worker.dispatch import Dispatch
from hybridd.worker.gate import Gate
from hybridd.worker.http_service import HttpService
from hybridd.worker.raw_service import RawService
from hybridd.worker.report import Report
from hybridd.worker.serving import Service, Serving
from hybridd.worker.spec import WorkerSpec


def assemble(spec: WorkerSpec, row: Row, application: Any, dispatch: Dispatch) -> Serving:
    """Return what serves ``spec.listeners`` with ``application``: a WSGI application or a factory of raw protocols."""
    config, logs, reactor = spec.config, spec.logs, dispatch.reactor
    terms = Terms(reactor, config.timeouts.write)
    counts = HttpCounts()
    make_service = _raw(application, counts, terms) if config.protocol else _http(spec, application, counts, dispatch)
    services = [make_service(listener) for listener in spec.listeners]
    gate = Gate(
        spec.scoreboard,
        spec.slot,
        load=lambda: words.pack_load(len(dispatch.running) + dispatch.queued, len(terms.open)),
        capacity=lambda: dispatch.has_capacity,
    )
    acceptors = [
        Acceptor(listener, terms, config.limits.connections, service.connection, gate)
        for listener, service in zip(spec.listeners, services, strict=True)
    ]
    report = Report(spec, row, counts=counts, terms=terms, dispatch=dispatch, acceptors=acceptors, gate=gate)
    reactor.after_turn.append(logs.access.flush)
    return Serving(
        config,
        reactor=reactor,
        terms=terms,
        acceptors=acceptors,
        services=services,
        dispatch=dispatch,
        report=report,
        logs=logs,
    )


def _raw(factory: Callable[[], Any], counts: HttpCounts, terms: Terms) -> Callable[[Listener], Service]:
    service = RawService(factory, counts)
    terms.lost_one = service.lost_one
    return lambda _: service


def _http(spec: WorkerSpec, application: Any, counts: HttpCounts, dispatch: Dispatch) -> Callable[[Listener], Service]:
    config = spec.config
    server = WsgiServer(application, multithread=config.threads > 1, multiprocess=config.workers != 1)
    context = copy_context()  # what the application set while it was loaded is seen by every Call
    return lambda listener: HttpService(
        config,
        dispatch.reactor,
        server,
        dispatch,
        counts=counts,
        context=context,
        local=listener.address,
        slot=spec.slot,
        record=spec.logs.access.append,
    )
