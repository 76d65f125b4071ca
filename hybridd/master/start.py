"""Start: everything between the command and a master, in the order in which it can fail.

In the foreground, with root's rights if there are any: who to become, is another one running, the logs, the sockets.
Then, perhaps, in the background: the logs again, the PID file, and root's rights are given up before any worker exists.

Knows:     the parts of ops that make a daemon, and their order.
Never:     what a master does.
Runs in:   the process that was started; with ``daemon`` the second half in the daemon.
Raises:    HybriddError with the sentence for the operator.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import hybridd
from hybridd.config.address import Address, Kind
from hybridd.config.control import control_path
from hybridd.config.listener_words import words_of
from hybridd.config.loading import Loaded
from hybridd.config.problem import Origin, Problem, Source
from hybridd.config.settings import Config
from hybridd.errors import BindError, ConfigurationError, HybriddError, OperatingSystemError
from hybridd.master import certificates
from hybridd.master.certificates import NONE as NO_CERTIFICATES
from hybridd.master.certificates import Certificates
from hybridd.master.control import bind_control
from hybridd.master.handover import Role
from hybridd.master.predecessor import Predecessor
from hybridd.net.listener import Listener, bind_all
from hybridd.net.private import PrivateListener, away_from_others
from hybridd.ops import logs as logging_setup
from hybridd.ops import privileges
from hybridd.ops.accounts import Identity, UnknownAccountError, identify
from hybridd.ops.daemonize import Launcher, Verdict, fill_standard_streams, launch
from hybridd.ops.logs import Logs
from hybridd.ops.pidfile import PidFile
from hybridd.ops.sink import STANDARD
from hybridd.ops.systemd import take_listen_fds
from hybridd.ops.title import make_room

_log = logging.getLogger("hybridd.master")

ADMIN_BACKLOG: Final = 64


@dataclass(slots=True)
class Start:
    """What a master stands on.

    Attributes:
        identity: whom to become; None: we stay who we are.
        notes: what to say once it is clear where the log is.
        control: the control socket, None when there is none.
        before: the master whose place we take, None when there is none.
        certificates: read with root's rights, if there are any.
    """

    config: Config
    identity: Identity | None
    logs: Logs
    listeners: list[Listener]
    admin_listeners: list[Listener]
    pid_file: PidFile | None
    verdict: Verdict = field(default_factory=Verdict)
    before: Predecessor | None = None
    notes: list[str] = field(default_factory=list)
    control: PrivateListener | None = None
    certificates: Certificates = NO_CERTIFICATES

    @property
    def is_daemon(self) -> bool:
        """Whether this process has left the terminal."""
        return self.config.daemon

    def settle(self) -> None:
        """Do what is done in the process that stays, while it still has all its rights; then give them up."""
        if self.is_daemon:
            self.logs = open_logs(self.config, self.identity, daemon=True)
        if self.pid_file is not None:
            _prepare(self.pid_file, self.identity)
        if path := control_path(self.config.control, os.environ):
            self.control = self._control(path)
        if self.identity is not None:
            privileges.become(self.identity)
        if self.config.no_new_privs:
            privileges.take_no_more()
        for note in self.notes:
            _log.warning("%s", note)

    def _control(self, path: str) -> PrivateListener | None:
        if self.before is not None:
            with suppress(BindError):
                kept, _ = self.before.choose(Role.CONTROL, [Address(Kind.UNIX, path=path)])
                for listener in kept:
                    if isinstance(listener, PrivateListener):
                        return listener
        return bind_control(path, self.identity)

    def tell_where(self) -> None:
        """Say where we listen, and how."""
        said = words_of([listener.name for listener in self.listeners], self.config.listen)
        for listener, words in zip(self.listeners, said, strict=True):
            _log.info("listening on %s%s", f"{listener.address} {words}".rstrip(), _as_asked(listener))
        for listener in self.admin_listeners:
            _log.info("admin on %s%s", listener.address, _as_asked(listener))

    def ready(self) -> None:
        """Tell those who wait for it that we serve."""
        self.keep_pid_file()
        self.verdict.ready()

    def keep_pid_file(self) -> None:
        """Let the PID file name us."""
        if self.pid_file is not None:
            try:
                self.pid_file.write(os.getpid())
            except OSError as error:
                _log.error("the PID file %s cannot be written: %s", self.pid_file.path, error.strerror)

    def leave(self, code: int, reason: str) -> None:
        """Give back what is ours, and tell those who still wait for it how we end."""
        for listener in filter(None, (*self.listeners, *self.admin_listeners, self.control)):
            listener.close()
        if self.pid_file is not None:
            self.pid_file.remove()
        self.verdict.failed(code, reason)
        if self.before is not None:
            self.before.failed(code, reason)


def _as_asked(listener: Listener) -> str:
    return "" if listener.name == listener.address else f" ({listener.name})"


def begin(loaded: Loaded, before: Predecessor | None = None) -> Start | Launcher:
    """Make what is made in the foreground.  With ``daemon`` this returns twice: see ``daemonize.launch``.

    A successor is where the master before it is: in the background, if that is there.
    """
    config = loaded.config
    if config.daemon and os.getpid() == 1:
        text = "process 1 cannot leave: its end is the end of the container; run in the foreground there"
        raise ConfigurationError([str(Problem(loaded.origins["daemon"], text, "daemon"))])
    fill_standard_streams()
    make_room()
    identity = whom(loaded)
    if config.umask is not None:
        os.umask(config.umask)
    pid_file = PidFile(config.pid_file) if config.pid_file else None
    if pid_file is not None:
        pid_file.refuse_another(before.pid if before else 0)
    notes = list(_arrange(loaded, identity)) if identity else []
    found = certificates.at_start(config, loaded.sources.directory)
    if identity is not None:
        notes += certificates.unreadable_later(config, loaded.sources.directory, identity)
    if config.daemon and "NOTIFY_SOCKET" in os.environ:
        notes.append("whoever started hybridd waits to be notified by this process (NOTIFY_SOCKET): leave daemon out")
    logs = open_logs(config, identity)
    try:
        listeners, admin_listeners = bind(config, identity, before)
    except BindError as error:
        note_failure(config, error)
        raise
    start = Start(
        config, identity, logs, listeners, admin_listeners, pid_file, notes=notes, before=before, certificates=found
    )
    return _into_background(start) if config.daemon and before is None else start


def _into_background(start: Start) -> Start | Launcher:
    start.logs.close()  # the daemon opens them itself: its standard streams are others
    listeners = (*start.listeners, *start.admin_listeners)

    def unbind() -> None:
        for listener in listeners:
            listener.close()

    side = launch([listener.fileno() for listener in listeners], unbind)
    if isinstance(side, Launcher):
        for listener in listeners:
            listener.sock.close()  # and not more: its file is the daemon's
        return side
    start.verdict = side
    return start


def whom(loaded: Loaded) -> Identity | None:
    """Return whom to become, None when we need not."""
    if not loaded.config.user and privileges.have_root():
        raise ConfigurationError([_untold(loaded.origins["user"])])
    try:
        identity = identify(loaded.config.user, loaded.config.group)
    except UnknownAccountError as error:
        raise ConfigurationError([str(Problem(loaded.origins[error.key], str(error), error.key))]) from None
    if identity is None or privileges.already(identity):
        return None
    privileges.refuse_impossible(identity)
    return identity


def _untold(origin: Origin) -> str:
    """Return what to say to somebody who starts hybridd as root and perhaps does not mean it."""
    text = (
        "hybridd was started as root and is not told as whom to serve: name a user (--user NAME, HYBRIDD_USER=NAME,"
        " or user: NAME in the file), who need not be able to bind the port, or start it as that user; if it is to be"
        " root, name root"
    )
    return f"user: {text}" if origin.source is Source.DEFAULT else str(Problem(origin, text, "user"))


def _arrange(loaded: Loaded, identity: Identity) -> Iterator[str]:
    """Make sure that the user can do the work; yield what it will not be able to do."""
    for package in (os, hybridd):
        directory = os.path.dirname(os.path.abspath(str(package.__file__)))  # noqa: PTH100, PTH120 - text
        with privileges.acting_as(identity):
            closed = privileges.obstacle(directory)
        if closed:
            what = "Python's library" if package is os else "hybridd"
            raise OperatingSystemError(
                f"user {identity.name} may not read {what} in {directory}: {closed} is closed to it"
            )
    for path in dict.fromkeys((loaded.config.log.file, loaded.config.access_log.file)):
        if path not in {"-", "off", *STANDARD} and (note := privileges.give_log(path, identity)):
            yield note
    for file in loaded.sources.files:
        with privileges.acting_as(identity):
            readable = os.access(loaded.sources.directory / file, os.R_OK, effective_ids=True)
        if not readable:
            yield f"a reload will be refused: user {identity.name} may not read {file}"


def open_logs(config: Config, identity: Identity | None, *, daemon: bool = False) -> Logs:
    """Open the logs as the one who will open them again."""
    try:
        with privileges.acting_as(identity):
            return logging_setup.configure(config.log, config.access_log, os.environ, daemon=daemon)
    except OSError as error:
        raise OperatingSystemError(logging_setup.unopened(error, config.access_log)) from None


def bind(
    config: Config, identity: Identity | None, before: Predecessor | None = None
) -> tuple[list[Listener], list[Listener]]:
    """Bind everything or nothing, but what the master before us has already; a BindError names what could not be."""
    inherited = take_listen_fds(os.environ, os.getpid())

    def have(role: Role, addresses: Sequence[Address], backlog: int) -> list[Listener]:
        if before is None:
            return bind_all(addresses, backlog, inherited)
        kept, missing = before.choose(role, addresses)
        return [*kept, *bind_all(missing, backlog, {})]

    listeners = have(Role.PUBLIC, [one.address for one in config.listen], config.backlog)
    try:
        with away_from_others():
            admin_listeners = have(Role.ADMIN, [config.admin] if config.admin else [], ADMIN_BACKLOG)
    except BindError:
        for listener in listeners:
            listener.close()  # the file of a unix socket would stay
        raise
    if identity is not None:
        for listener in (*listeners, *admin_listeners):
            if listener.owned and listener.sock.family == socket.AF_UNIX:
                _give_socket(listener, identity)
    return listeners, admin_listeners


def _prepare(pid_file: PidFile, identity: Identity | None) -> None:
    """See to the PID file: with root's rights only where nobody else can lead them astray by a link."""
    if identity is not None and privileges.belongs_to_root(Path(pid_file.path).parent):
        pid_file.prepare((identity.uid, identity.gid))
        return
    with privileges.acting_as(identity):
        pid_file.prepare(None)


def _give_socket(listener: Listener, identity: Identity) -> None:
    """Let the file of a unix socket be the user's, who removes it at the end."""
    path = os.fsdecode(listener.sock.getsockname())
    with suppress(OSError):  # not on every file system; then it stays root's
        os.chown(path, identity.uid, identity.gid, follow_symlinks=False)


def note_failure(config: Config, error: HybriddError) -> None:
    """Write into the log why hybridd does not start, unless the command line says it in the same place."""
    if config.log.file not in {"-", *STANDARD}:
        _log.critical("%s", error)


def where_log(config: Config) -> str:
    """Return where the error log is, for a person who was left with an exit status."""
    return "lost (log.file is -)" if config.log.file == "-" else config.log.file
