"""Be the master: make everything that it needs, in the order in which it can fail, and run its loop.

Knows:     the parts and how they fit together.
Never:     what happens then (master.py).
Runs in:   the first process; ``run`` returns the exit status, in a forked child that of the worker.
"""

from __future__ import annotations

import gc
import logging
import os
import platform
import time
from collections.abc import Sequence

import hybridd
from hybridd.config.loading import Loaded
from hybridd.config.settings import Config
from hybridd.errors import ExitCode, HybriddError
from hybridd.master import predecessor, status
from hybridd.master.announcer import Announcer
from hybridd.master.command import Command, this_command
from hybridd.master.doors import make_doors
from hybridd.master.effects import Effects
from hybridd.master.farewell import Farewell
from hybridd.master.fork_servers import ForkServers
from hybridd.master.handover import Role
from hybridd.master.inheritance import Inheritance
from hybridd.master.listeners import Listeners, numbers_of
from hybridd.master.machine import Machine, shortcomings
from hybridd.master.master import Master, Parts
from hybridd.master.predecessor import Life, Predecessor
from hybridd.master.reload import Configurations, patience_of, policy_of
from hybridd.master.signals import SIGNALS
from hybridd.master.stacks import StackFiles
from hybridd.master.start import Start, begin, note_failure, where_log
from hybridd.master.state import State, first_state
from hybridd.master.upgrade import Doors, Estate, House, Upgrade
from hybridd.master.vitals import Vitals
from hybridd.net.listener import Listener
from hybridd.net.reactor import Reactor
from hybridd.net.signal_bytes import SignalBytes
from hybridd.ops import value_folder
from hybridd.ops.accept_queue import somaxconn
from hybridd.ops.cpus import available_cpus
from hybridd.ops.daemonize import Launcher
from hybridd.ops.limits import raise_open_files
from hybridd.ops.scoreboard import Scoreboard
from hybridd.ops.systemd import Notifier, watchdog_period
from hybridd.worker import fork_server, leaving_words, life, words
from hybridd.worker.fork_server import BecomeForkServer, Nursery
from hybridd.worker.life import BecomeWorker
from hybridd.worker.spec import WorkerSpec

_log = logging.getLogger("hybridd.master")


def run(loaded: Loaded) -> int:
    """Serve until the end; return the exit status of this process.

    Raises:
        HybriddError: hybridd cannot start: an address that cannot be bound, a log that cannot be opened.
    """
    notifier = Notifier.from_environment(os.environ)
    command = this_command(os.environ)
    before = predecessor.find(os.environ)
    notifier.silent = before is not None
    try:
        start = begin(loaded, before)
        if isinstance(start, Launcher):
            return start.wait(where_log(loaded.config))
    except HybriddError as error:
        notifier.status(str(error))
        if before is not None:
            before.failed(error.exit_code, str(error))
        raise
    try:
        return _be_master(loaded, start, notifier, command)
    except HybriddError as error:
        notifier.status(str(error))
        note_failure(loaded.config, error)
        start.leave(error.exit_code, str(error))
        if start.is_daemon:
            return error.exit_code  # the command says it
        raise
    except BecomeWorker as become:
        born: WorkerSpec | Nursery = become.spec
    except BecomeForkServer as become:
        born = become.nursery
    except Exception as error:
        start.leave(
            ExitCode.UNEXPECTED, f"unexpected: {error!r}; the traceback is in the log, {where_log(loaded.config)}"
        )
        raise
    # Outside of the handler, so that the exception and with it all frames of the master are gone.
    spec, preloaded = (born, None) if isinstance(born, WorkerSpec) else fork_server.run(born)
    try:
        return life.run(spec, preloaded)
    finally:
        for listener in spec.listeners:
            listener.sock.close()  # and not more: its file and its end are the master's


def _be_master(loaded: Loaded, start: Start, notifier: Notifier, command: Command) -> int:
    start.settle()
    listeners = Listeners(start.listeners)
    configurations = _configure(loaded, start, listeners)
    reactor = Reactor()
    parts = _make_parts(reactor, configurations, listeners, start, notifier)
    heritage = parts.effects.inheritance
    master = Master(_first_state(configurations, heritage.scoreboard, start.before), reactor, parts)
    _connect(master, parts.effects.fork_servers)
    doors = make_doors(master, parts, start)
    signals = SignalBytes(reactor, [understood.number for understood in SIGNALS], master.receive_signal)
    heritage.close_in_child += [
        *(door.close_in_child for door in doors),
        *(signals.close, start.verdict.close, parts.upgrade.close_in_child),
        *([start.before.close] if start.before is not None else []),
    ]
    signals.install()
    parts.upgrade.house = _make_house(command, master, parts, start, doors)
    if start.before is None:
        for door in doors:
            door.open()
    else:
        _follow(start.before, master, parts, doors)
    # What is there now is shared with every worker; a collection that looked at it would write to its pages and so
    # copy them, some 5 MiB for each worker.  (Measured when a worker held its 5,000th connection.)
    gc.collect()
    gc.freeze()
    configurations.watch_certificates(reactor)
    master.begin(watchdog_period(os.environ, os.getpid()))
    reactor.run()
    for door in doors:
        door.close()
    parts.farewell.end()
    signals.close()
    reactor.close()
    _tell_the_end(master, parts, start)
    parts.upgrade.close()
    if start.before is not None:
        start.before.close()
    heritage.close()
    return master.exit_code


def _configure(loaded: Loaded, start: Start, listeners: Listeners) -> Configurations:
    """Fit the configuration to this machine, and say what runs, where, and what the machine lacks for it."""
    open_files = raise_open_files().after

    def look_at_machine() -> Machine:
        return Machine(available_cpus(), open_files, somaxconn())

    configurations = Configurations(loaded, look_at_machine, listeners, start.certificates)
    for shortcoming in shortcomings(loaded.config, look_at_machine()):
        _log.warning("%s", shortcoming)
    _log.info("hybridd %s starts: %s", hybridd.__version__, _describe(configurations.in_force))
    start.tell_where()
    return configurations


def _make_parts(
    reactor: Reactor, configurations: Configurations, listeners: Listeners, start: Start, notifier: Notifier
) -> Parts:
    config = configurations.in_force
    scoreboard = Scoreboard.create(words.LAYOUT)
    scoreboard.header[words.MASTER_PID] = os.getpid()
    inheritance = Inheritance(
        reactor=reactor,
        scoreboard=scoreboard,
        logs=start.logs,
        config=config,
        listeners=listeners,
        certificates=configurations.certificates,
        doorbell=os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK),
        lifeline=os.pipe(),
        stacks=StackFiles(),
        values=value_folder.choose(os.environ, start.before.values if start.before else ""),
    )
    return Parts(
        effects=Effects(inheritance),
        configurations=configurations,
        vitals=Vitals(scoreboard),
        announcer=Announcer(notifier, config.protocol or config.application, start.ready),
        history=status.History(started=reactor.now, reload_timestamp=time.time()),
        farewell=Farewell(),
        upgrade=Upgrade(reactor),
    )


def _tell_the_end(master: Master, parts: Parts, start: Start) -> None:
    """Tell everybody who waits for it how we end."""
    last_words = parts.announcer.last_words
    if start.before is not None and last_words:
        start.before.failed(master.exit_code, f"{last_words}\n{parts.announcer.last_said}")
    log = where_log(parts.effects.inheritance.config)
    start.leave(master.exit_code, f"{last_words}; its log is {log}" if last_words else "")
    _log.info("hybridd ends with exit status %d", master.exit_code)


def _make_house(command: Command, master: Master, parts: Parts, start: Start, doors: Sequence[Doors]) -> House:
    """Say what an upgrade of this master would have to arrange."""
    heritage = parts.effects.inheritance
    control = [] if start.control is None else [(Role.CONTROL, start.control)]

    def estate() -> Estate:
        return Estate(
            [
                *((Role.PUBLIC, listener) for listener in heritage.listeners.current),
                *((Role.ADMIN, listener) for listener in start.admin_listeners),
                *control,
            ],
            (parts.configurations.in_force.workers, master.state.desired.workers),
            heritage.values.name,
        )

    def let_go(gone: Sequence[Listener]) -> None:
        leaving_words.write(heritage.scoreboard.header[words.LEAVING_LISTENERS], numbers_of(gone))

    return House(
        command,
        estate,
        doors,
        master.ask,
        parts.announcer.speak_no_more,
        let_go,
        start.keep_pid_file,
        parts.effects.fork_servers,
    )


def _follow(before: Predecessor, master: Master, parts: Parts, doors: Sequence[Doors]) -> None:
    """Take the place of the master before us, when it gives the word."""
    heritage = parts.effects.inheritance

    def take_over() -> None:
        for listener in heritage.listeners.current:
            if listener.owned:
                listener.sock.listen(parts.configurations.in_force.backlog)  # again: it may have changed
        for door in doors:
            door.open()

    life = Life(
        tell=master.ask,
        state=lambda: master.state,
        take_over=take_over,
        release=parts.effects.revive,
        speak=lambda: parts.announcer.begin_to_speak(master.state, master.now()),
    )
    master.watchers.append(before.review)
    before.begin(heritage.reactor, life)


def _first_state(configurations: Configurations, scoreboard: Scoreboard, before: Predecessor | None) -> State:
    config = configurations.in_force
    return first_state(
        before.workers(config.workers) if before else config.workers,
        patience_of(config),
        policy_of(config),
        drain_delay=config.shutdown.drain_delay,
        slots=scoreboard.capacity,
        surge=config.reload.surge,
        unavailable=config.recycle.max_unavailable,
        heir=before is not None,
    )


def _connect(master: Master, fork_servers: ForkServers) -> None:
    fork_servers.tell, fork_servers.look = master.ask, master.look
    master.watchers.append(lambda: fork_servers.follow(master.state.desired))


def _describe(config: Config) -> str:
    what = config.protocol or config.application or "the built-in welcome application"
    return (
        f"{what}, pattern {config.pattern} (workers {config.workers}, dispatch {config.dispatch},"
        f" threads {config.threads}), Python {platform.python_version()}, pid {os.getpid()}"
    )
