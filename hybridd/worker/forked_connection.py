"""The life of a process that serves one connection (dispatch ``fork``).

It ends with its connection, by ``os._exit`` (life.py): what the application has registered for the end of a worker is
the worker's.  TERM lets it finish, QUIT cuts.  Should its worker die, the kernel sends it TERM; a handler that does not
come back within ``timeouts.graceful`` then is ended by a watchdog that needs neither loop nor interpreter lock.

Knows:     its connection, its row, signals.
Never:     other connections; the worker's loop, which it leaves behind.
Runs in:   the child, from the frame that ran the worker's loop.
"""

from __future__ import annotations

import faulthandler
import logging
import secrets
import signal
from collections.abc import Callable

from hybridd.errors import ExitCode
from hybridd.http.request import request_ids
from hybridd.net.reactor import Reactor
from hybridd.net.signal_bytes import SignalBytes
from hybridd.ops.parent_death import send_at_parents_death
from hybridd.ops.title import Title, connection_title
from hybridd.worker import words
from hybridd.worker.connection_processes import Handover
from hybridd.worker.in_flight import InFlight
from hybridd.worker.loop import Loop, private_loop
from hybridd.worker.spec import WorkerSpec

_log = logging.getLogger("hybridd.worker")

SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1)


def serve_forked(spec: WorkerSpec, handover: Handover, equip: Callable[[Loop], None]) -> int:
    """Serve the connection and return the exit status; the worker's loop is abandoned before, all signals blocked."""
    spec.logs.forked()
    faulthandler.enable(spec.logs.error.sink.fd, all_threads=True)  # the worker's own file is for its own end
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request_ids.prefix = secrets.token_hex(4) + "-"
    access = spec.logs.access.for_another_thread()  # what the worker has collected is the worker's to write
    loop = private_loop(spec.config, access.recorder, InFlight(handover.row))
    equip(loop)
    for listener in spec.listeners:
        listener.sock.close()
    _arrange_signals(spec, loop)
    Title().show(connection_title(spec.slot, spec.generation, handover.peer))

    def turned() -> None:
        access.flush()
        _store(spec, handover, loop)

    loop.reactor.after_turn.append(turned)
    status = ExitCode.CLEAN
    try:
        loop.serve(handover.listener, handover.sock, handover.peer)
    except Exception:  # noqa: BLE001  # a defect of ours: said, and the process ends with it
        _log.critical("a connection's loop failed; the connection is cut", exc_info=True)
        status = ExitCode.UNEXPECTED
    turned()
    return status


def abandon(reactor: Reactor, signals: SignalBytes) -> None:
    """Leave the worker's loop to the worker."""
    signal.set_wakeup_fd(-1)
    signals.close()
    reactor.abandon()


def _arrange_signals(spec: WorkerSpec, loop: Loop) -> None:
    config = spec.config

    def receive(number: int) -> None:
        match number:
            case signal.SIGTERM:
                loop.drain(config.shutdown.idle_grace)
            case signal.SIGQUIT:
                loop.cut()
            case signal.SIGUSR1:
                spec.logs.reopen()

    def end_in_time(number: int, frame: object) -> None:
        """Arm the watchdog: runs while a handler does, between two of its bytecodes."""
        del number, frame
        faulthandler.dump_traceback_later(config.timeouts.graceful + 1.0, exit=True, file=spec.logs.error.sink.fd)

    SignalBytes(loop.reactor, SIGNALS, receive).install()
    signal.signal(signal.SIGTERM, end_in_time)
    send_at_parents_death(signal.SIGTERM, spec.scoreboard.row(spec.slot).words[words.PID])
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _store(spec: WorkerSpec, handover: Handover, loop: Loop) -> None:
    row = handover.row
    words.store_http(row, loop.counts)
    row.words[words.NETWORK_RECEIVE] = loop.terms.received
    row.words[words.NETWORK_TRANSMIT] = loop.terms.sent
    row.store(words.LOG_DROPPED, spec.logs.dropped)
