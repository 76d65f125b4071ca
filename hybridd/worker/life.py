"""A worker process from its fork to its exit.

The main thread loads the application and then only waits: applications call ``asyncio.run`` or ``signal.signal`` and
would take the wake-up descriptor away from whoever leads in it (a TERM was lost that way).  Another thread leads.  Only
where the main thread is alone (arrangement.py) it leads itself, and takes back with each heartbeat what is ours.
After the end the main thread leaves normally, so that ``atexit`` functions run; only Calls that cannot be stopped are
left behind by ``os._exit``.

Knows:     the order of a worker's life; signals and descriptors that it inherits.
Never:     how connections are served (serving.py).
Runs in:   the child, from the top of its stack: whoever forked raises BecomeWorker there, and the outermost frame of
           the program calls ``run``.
"""

from __future__ import annotations

import atexit
import faulthandler
import logging
import os
import secrets
import signal
import threading
import time
from dataclasses import dataclass
from enum import Enum
from queue import SimpleQueue
from typing import Any

from hybridd.errors import BootError, ExitCode
from hybridd.http.request import request_ids
from hybridd.net.signal_bytes import SignalBytes
from hybridd.ops import task_limit
from hybridd.ops.scoreboard import Row
from hybridd.ops.title import Title, worker_title
from hybridd.worker import multiprocess_mode, orders, words
from hybridd.worker.assembly import Worker, assemble
from hybridd.worker.connection_processes import BecomeConnection, ConnectionProcesses
from hybridd.worker.forked_connection import abandon, serve_forked
from hybridd.worker.lead import LeadLostError
from hybridd.worker.loading import load
from hybridd.worker.orphan import end_in_time
from hybridd.worker.serving import Serving
from hybridd.worker.spec import WorkerSpec
from hybridd.worker.words import WorkerState

_log = logging.getLogger("hybridd.worker")

SIGNALS = (signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, orders.RETIRE, orders.REVIVE, orders.LEAVE)
"""What a worker understands: drain, quick stop, reopen the logs, and the master's orders."""

IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH)
"""A terminal sends some of these to the whole process group; they are the master's business."""

_LAST_WORDS = 5.0
"""Seconds that ``atexit`` functions and threads of the application have after a clean drain."""


class Errand(Enum):
    """What the main thread is needed for while another one leads."""

    TAKE_SIGNALS_BACK = "take signals back"  # Python lets no other thread do it
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Preloaded:
    """An application that a fork server has loaded, whatever it is."""

    application: Any


class BecomeWorker(BaseException):
    """Raised in a forked child; unwinds the master's stack up to the frame that calls ``run(spec)``.

    Not an Exception, and nothing of the master's may catch it or clean up on its way: all of that is the parent's.
    """

    def __init__(self, spec: WorkerSpec) -> None:
        super().__init__(spec)
        self.spec = spec


def run(spec: WorkerSpec, preloaded: Preloaded | None = None) -> int:
    """Be a worker; the exit status of the process.

    Args:
        spec: what it is born with.
        preloaded: the application when a fork server has loaded it; else it is loaded here.
    """
    if preloaded is None:
        atexit._clear()  # noqa: SLF001  # what the master registered is the master's (multiprocessing does the same)
    spec.logs.forked()
    row = spec.scoreboard.row(spec.slot)
    # Before signals are let in: one that nobody has arranged for would kill.
    faulthandler.register(orders.STACKS, spec.stacks, all_threads=True)
    arrange_signals()
    for others in set(spec.stack_files) - {spec.stacks}:
        os.close(others)
    faulthandler.enable(spec.stacks, all_threads=True)  # SIGABRT and faults: for the death certificate
    request_ids.prefix = secrets.token_hex(4) + "-"
    row.words[words.PID] = os.getpid()
    row.words[words.HEARTBEAT] = time.monotonic_ns()
    row.words[words.STATE] = words.pack_state(WorkerState.BOOTING, spec.generation)
    Title().show(worker_title(spec.slot, spec.generation, "booting", connections=0, calls=0))
    try:
        if preloaded is None:
            multiprocess_mode.arrange(spec.values, spec.scoreboard.header[words.MASTER_PID])
        application = preloaded.application if preloaded else load(spec.config)
    except BootError as error:
        sentence, _, traceback = str(error).partition("\n")  # it carries the traceback that matters
        _log.error("the application cannot boot: %s", sentence, extra={"traceback": traceback})
        words.write_boot_error(row, str(error))
        return ExitCode.CANNOT_BOOT
    return _serve(spec, row, application)


def arrange_signals() -> None:
    """Until the application is loaded, TERM and QUIT end the process as they would any other."""
    signal.set_wakeup_fd(-1)
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    for number in (*SIGNALS, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # a log rotation during the boot must not kill
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _serve(spec: WorkerSpec, row: Row, application: Any) -> int:
    worker = assemble(spec, row, application)
    serving = worker.serving
    children = worker.work if isinstance(worker.work, ConnectionProcesses) else None

    def receive(number: int) -> None:
        if children is not None:
            children.receive_signal(number)
        serving.receive_signal(number)

    signals = SignalBytes(worker.reactor, (*SIGNALS, signal.SIGCHLD) if children is not None else SIGNALS, receive)
    signals.install()  # after loading: the application may have installed its own
    if worker.arrangement.runs_on_loop(spec.config):
        end_in_time(spec.lifeline, spec.config.timeouts.graceful, spec.logs.error.sink.fd)
    worker.reactor.call_soon(serving.begin, spec.lifeline, spec.probation)
    try:
        failure = _lead(worker, signals) if worker.arrangement.main_thread else _let_lead(worker, signals)
    except BecomeConnection as become:
        handover = become.handover
    except RuntimeError as error:
        _log.critical("cannot serve: %s; %s", error, task_limit.WHERE)
        signals.close()
        return ExitCode.SYSTEM
    else:
        if children is not None:
            children.close()
        signals.close()
        return _leave(spec, serving, failure)
    # Outside of the handler, so that the exception and with it the frames of the worker's loop are gone.
    abandon(worker.reactor, signals)
    os._exit(serve_forked(spec, handover, worker.equip))


def _take_signals_back(signals: SignalBytes) -> None:
    """Undo what the application, a C extension say, has done to them; main thread only."""
    if signals.reclaim():
        _log.warning("something in this worker took over a signal that hybridd needs; it is taken back")


def _lead(worker: Worker, signals: SignalBytes) -> BaseException | None:
    """Run the worker's loop in the main thread, which is the only one; return what ended it, if that was an error."""
    worker.serving.on_beat = lambda: _take_signals_back(signals)
    try:
        worker.reactor.run()
    except Exception as error:  # noqa: BLE001  # a defect of ours: said, and the process ends with it
        return error
    return None


def _let_lead(worker: Worker, signals: SignalBytes) -> BaseException | None:
    """Let other threads run the worker's loop, and do what only the main thread can; return as ``_lead`` does.

    Raises:
        RuntimeError: no thread can be started to lead.
    """
    failure: list[BaseException] = []
    errands: SimpleQueue[Errand] = SimpleQueue()

    def lead() -> None:
        try:
            worker.reactor.run()
        except LeadLostError:
            return  # another thread leads; this one is of the pool now
        except BaseException as error:  # noqa: BLE001  # a defect of ours: said, and the process ends with it
            failure.append(error)
        errands.put(Errand.LEAVE)

    def check_signals() -> None:
        if not signals.intact():
            errands.put(Errand.TAKE_SIGNALS_BACK)

    worker.serving.on_beat = check_signals
    worker.work.start(lead)
    while errands.get() is Errand.TAKE_SIGNALS_BACK:
        _take_signals_back(signals)
    return failure[0] if failure else None


def _leave(spec: WorkerSpec, serving: Serving, failure: BaseException | None) -> int:
    """What the main thread does when the leader has ended; returns only when the interpreter may end normally."""
    for number in SIGNALS:  # the interpreter's end would restore the default: a second TERM would cut ``atexit`` short
        signal.signal(number, signal.SIG_IGN)
    if failure:
        _log.critical("the worker fails: its loop ended with an error", exc_info=failure)
        spec.logs.access.flush()
        os._exit(ExitCode.UNEXPECTED)
    spec.logs.access.flush()
    if serving.stuck:
        _log.warning("leaving with %d calls that cannot be stopped", serving.stuck)
        os._exit(ExitCode.CLEAN)
    # Threads of the application that are no daemons are joined by the interpreter, and its atexit functions may hang.
    last = threading.Timer(_LAST_WORDS, _leave_anyway)
    last.daemon = True
    last.start()
    return ExitCode.CLEAN


def _leave_anyway() -> None:
    _log.warning("threads or atexit functions of the application did not end within %g s; leaving anyway", _LAST_WORDS)
    os._exit(ExitCode.CLEAN)
