"""A fork server: loads the application once and forks workers from it, which share its memory until they write to it.

It is a child of the master, so that the master stays clean, and it does nothing else: it serves nobody, and everything
that it holds is there for its workers.  They are the master's children, not its own (ops/reparenting.py): when it dies
they serve on.  It ends with the master (end of file, and a signal from the kernel should it load for ever), or when the
master kills it; nothing that the application has registered for the end of a process runs here.

Knows:     how to load, to fork, to say so.
Never:     which workers, or when: the master orders.
Runs in:   a process of its own, from the top of its stack; ``run`` returns in the workers only.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import logging
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from hybridd.errors import BootError, ExitCode
from hybridd.ops import fork_audit, task_limit
from hybridd.ops.parent_death import send_at_parents_death
from hybridd.ops.reparenting import fork_middle
from hybridd.ops.title import Title, fork_server_title
from hybridd.worker import multiprocess_mode, words
from hybridd.worker.births import LONGEST, LONGEST_REASON, Born, Failed, Loaded, Message, Order, Unborn, decode, encode
from hybridd.worker.life import Preloaded, arrange_signals
from hybridd.worker.loading import load
from hybridd.worker.spec import WorkerSpec

_log = logging.getLogger("hybridd.worker")


@dataclass(frozen=True, slots=True)
class Nursery:
    """What a fork server is born with.

    Attributes:
        spec: that of its first worker, in whose name it loads; every other gets a copy with a slot of its own.
        channel: to the master.
        again: no worker waits for it.
    """

    spec: WorkerSpec
    channel: socket.socket
    again: bool = False


class BecomeForkServer(BaseException):
    """Raised in a forked child; unwinds the master's stack up to the frame that calls ``run`` (as BecomeWorker)."""

    def __init__(self, nursery: Nursery) -> None:
        super().__init__(nursery)
        self.nursery = nursery


def run(nursery: Nursery) -> tuple[WorkerSpec, Preloaded]:
    """Be a fork server until the master ends it; in each worker return what it is born with, and the application."""
    try:
        return _ForkServer(nursery).run()
    except Exception:  # noqa: BLE001  # a defect of ours: said, and the process ends with it
        _log.critical("the fork server fails", exc_info=True)
        os._exit(ExitCode.UNEXPECTED)


class _ForkServer:
    def __init__(self, nursery: Nursery) -> None:
        self._nursery = nursery
        self._spec = nursery.spec
        self._channel = nursery.channel
        self._log_file = nursery.spec.logs.error.sink.fd
        self._title = Title()
        self._order: Order | None = None  # in a middle process and its worker

    def run(self) -> tuple[WorkerSpec, Preloaded]:
        spec = self._spec
        atexit._clear()  # noqa: SLF001  # what the master registered is the master's
        spec.logs.forked()
        faulthandler.enable(self._log_file if self._nursery.again else spec.stacks, all_threads=True)
        arrange_signals()
        send_at_parents_death(signal.SIGKILL, spec.scoreboard.header[words.MASTER_PID])
        os.register_at_fork(after_in_child=self._born)  # before any hook of the application
        self._title.show(fork_server_title(spec.generation, "loading"))
        began = time.monotonic()
        multiprocess_mode.arrange(spec.values, spec.scoreboard.header[words.MASTER_PID])
        application = self._load()
        arrange_signals()  # again: the application may have installed its own
        faulthandler.enable(self._log_file, all_threads=True)  # the other file is a worker's now
        for number in (signal.SIGTERM, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)  # a terminal or a service manager means the master
        self._title.show(fork_server_title(spec.generation))
        self._say(Loaded(time.monotonic() - began))
        while True:
            packet = self._channel.recv(LONGEST)
            if not packet:
                os._exit(ExitCode.CLEAN)  # the master is gone
            message = decode(packet)
            if not isinstance(message, Order):
                spec.logs.reopen()
            elif self._bear(message):
                return replace(spec, slot=message.slot, probation=message.probation), Preloaded(application)

    def _load(self) -> Any:
        """Load the application, or tell the master why that cannot be, and end."""
        sockets = fork_audit.open_sockets().values()
        try:
            application = load(self._spec.config)
        except BootError as error:
            _log.error("the application cannot boot: %s", error)  # it carries the traceback that matters
            self._say(Failed(str(error)[-LONGEST_REASON:]))
            os._exit(ExitCode.CANNOT_BOOT)
        text = fork_audit.warning(fork_audit.find_threads(), fork_audit.name_sockets(sockets))
        if text:
            _log.warning("%s", text)
        # A collection in a worker would write to every object that it looks at, and so copy its page.
        gc.collect()
        gc.freeze()
        return application

    def _bear(self, order: Order) -> bool:
        """Fork a worker that is the master's child; whether we are that worker, all signals blocked."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        try:
            middle = fork_middle()
            if middle == 0:
                return self._be_middle(order)
            with suppress(ChildProcessError):  # a thread of the application has waited for any child
                os.waitpid(middle, 0)
        except OSError as error:
            self._say(Unborn(order.ticket, task_limit.refusal(error)))
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return False

    def _be_middle(self, order: Order) -> bool:
        """Fork the worker and end, so that it becomes the master's child; returns in the worker."""
        self._order = order
        atexit._clear()  # noqa: SLF001  # before the hooks of the application, which may register something for the worker
        try:
            if os.fork():
                os._exit(ExitCode.CLEAN)
        except OSError as error:
            self._say(Unborn(order.ticket, task_limit.refusal(error)))
            os._exit(ExitCode.SYSTEM)
        return True

    def _born(self) -> None:
        """The first that a child does: say that it exists, if it is a worker.

        What the application forks while it is loaded says nothing and does not hold the channel open.
        """
        order, self._order = self._order, None  # the children of a worker have this hook, too
        if order is not None:
            try:
                self._say(Born(order.ticket, os.getpid()))
            except OSError:
                os._exit(ExitCode.SYSTEM)  # nobody would know it
        self._channel.close()

    def _say(self, message: Message) -> None:
        self._channel.send(encode(message))
