"""What is legal but unwise, said by ``hybridd check --strict``.

Knows:     the settings, and the facts about the machine that it is given.
Never:     the machine itself.
Runs in:   the command line tool; pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hybridd.config.address import Kind
from hybridd.config.conversion import GIB, MIB, format_duration
from hybridd.config.patterns import DISPATCHES, PATTERNS, name_of
from hybridd.config.settings import SCHEMA, Config

# systemd.service(5), TimeoutStopSec=: DefaultTimeoutStopSec= is 90s.
SYSTEMD_STOP = 90.0
# The idle timeout of AWS's load balancers; nginx, HAProxy and others are near it.
LOAD_BALANCER_IDLE = 60.0
# One request more is worth a thread for so long.
IDLE_IN_POOL = 5.0
MOST_THREADS = 256
# Descriptors that are no connections: listeners, logs, epoll, the application's files.
OTHER_DESCRIPTORS = 100
PUBLIC_DIRECTORIES = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 - named to warn of them


@dataclass(frozen=True, slots=True)
class Facts:
    """What matters of the machine; 0 means unknown.  ``missing`` are directories that do not exist."""

    cpus: int = 0
    somaxconn: int = 0
    descriptors: int = 0
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Advice:
    """One sentence about one setting, which begins with its value."""

    key: str
    text: str


Rule = Callable[[Config, Facts], Iterator[Advice]]


def advise(config: Config, facts: Facts) -> list[Advice]:
    """Return everything that is unwise about ``config`` on a machine with these facts."""
    return [advice for rule in RULES for advice in rule(config, facts)]


def _about(config: Config, key: str, text: str) -> Advice:
    """Return advice whose sentence begins with the value."""
    return Advice(key, f"{SCHEMA.settings[key].shown(SCHEMA.get(config, key))} {text}")


def _stopping(config: Config, _: Facts) -> Iterator[Advice]:
    whole = config.shutdown.drain_delay + config.timeouts.graceful
    if whole > SYSTEMD_STOP:
        text = (
            f"and shutdown.drain_delay let a stop take {format_duration(whole)}; systemd kills after"
            f" {format_duration(SYSTEMD_STOP)} (longer with TimeoutStopSec=), Kubernetes after 30s, Docker after 10s"
        )
        yield _about(config, "timeouts.graceful", text)
    if config.timeouts.handler > config.timeouts.graceful:
        text = "is longer than timeouts.graceful: a stop may cut requests that are in time"
        yield _about(config, "timeouts.handler", text)


def _clients(config: Config, _: Facts) -> Iterator[Advice]:
    idle = format_duration(LOAD_BALANCER_IDLE)
    own = DISPATCHES[config.dispatch].defaults.get("timeouts.keep_alive")
    if config.timeouts.keep_alive < LOAD_BALANCER_IDLE and config.timeouts.keep_alive not in (0.0, own):
        text = (
            f"is shorter than the {idle} after which load balancers close an idle connection: they will send requests"
            " into connections that hybridd is closing"
        )
        yield _about(config, "timeouts.keep_alive", text)
    if config.timeouts.head > LOAD_BALANCER_IDLE:
        text = "lets a client that sends byte by byte keep its connection for long"
        yield _about(config, "timeouts.head", text)
    if config.limits.body > GIB:
        yield _about(config, "limits.body", "in one request may fill the directory for temporary files")
    for key in ("limits.body_memory", "limits.response_memory"):
        if SCHEMA.get(config, key) > 16 * MIB:
            yield _about(config, key, "of memory is what every slow client may take")


def _machine(config: Config, facts: Facts) -> Iterator[Advice]:
    if facts.cpus and config.workers > facts.cpus:
        text = f"is more than the CPUs that hybridd may use ({facts.cpus}); waiting is what threads are for"
        yield _about(config, "workers", text)
    if config.threads > MOST_THREADS:
        text = "threads of one process mostly wait for the interpreter's lock; more workers do more"
        yield _about(config, "threads", text)
    if facts.somaxconn and config.backlog > facts.somaxconn:
        text = f"is cut to {facts.somaxconn} by the system's net.core.somaxconn"
        yield _about(config, "backlog", text)
    if facts.descriptors and config.limits.connections + OTHER_DESCRIPTORS > facts.descriptors:
        text = f"is more than {facts.descriptors} open files allow, the hard limit (LimitNOFILE=, ulimit -Hn)"
        yield _about(config, "limits.connections", text)


def _patterns(config: Config, _: Facts) -> Iterator[Advice]:
    chosen, dispatch = PATTERNS[config.pattern], config.dispatch
    named = name_of(config.workers, dispatch)
    if dispatch != chosen.dispatch and named:
        yield _about(config, "dispatch", f"makes pattern {config.pattern} what pattern {named} is")
    keep_alive = format_duration(config.timeouts.keep_alive)
    if dispatch == "serial" and config.timeouts.keep_alive:
        text = f"with timeouts.keep_alive {keep_alive}: one idle client holds a whole worker for as long"
        yield _about(config, "dispatch", text)
    if dispatch == "pool" and config.timeouts.keep_alive > IDLE_IN_POOL:
        text = (
            f"with timeouts.keep_alive {keep_alive}: each idle client holds one of {config.threads} threads for as long"
        )
        yield _about(config, "dispatch", text)
    if config.timeouts.handler and DISPATCHES[dispatch].handlers_hold_loop:
        text = f"ends no handler with dispatch {dispatch}: nobody looks at the clock while one runs"
        yield _about(config, "timeouts.handler", text)
    if config.handlers != "auto" and dispatch != "hybrid":
        yield _about(config, "handlers", f"means nothing with dispatch {dispatch}")
    for key, concerned in (("limits.connection_threads", "thread"), ("limits.connection_processes", "fork")):
        if dispatch == concerned and SCHEMA.get(config, key) > config.limits.connections:
            yield _about(config, key, f"is never reached: limits.connections is {config.limits.connections}")


def _exposure(config: Config, _: Facts) -> Iterator[Advice]:
    if config.admin and config.admin.wildcard:
        text = "shows metrics and status to everybody who reaches this machine; wise in a container only"
        yield _about(config, "admin", text)
    for address in (one.address for one in config.listen):
        if address.kind is Kind.UNIX and address.path.startswith(PUBLIC_DIRECTORIES):
            yield Advice("listen", f"{address} stands in a directory where everybody may write")


def lost_by_daemon(config: Config) -> Iterator[Advice]:
    """Yield advice about a log that nobody will ever see; whoever starts such a daemon is told without asking."""
    if config.daemon and config.log.file == "-":
        text = "- is standard error, which a daemon does not have: what hybridd has to say is lost; name a file"
        yield Advice("log.file", text)


def _daemon(config: Config, _: Facts) -> Iterator[Advice]:
    yield from lost_by_daemon(config)
    if config.log.file != "-" and config.daemon and config.access_log.file == "-":
        yield Advice("access_log.file", f"- is standard output, which with a daemon is {config.log.file}, log.file")
    if config.umask is not None and not config.umask & 0o002:
        yield _about(config, "umask", "lets everybody write the files and use the sockets that are made")


def _places(config: Config, facts: Facts) -> Iterator[Advice]:
    for key, path in places(config):
        if not path.startswith("/"):
            yield Advice(key, f"{path} is relative: it depends on where hybridd is started")
        elif directory_of(key, path) in facts.missing:
            yield Advice(key, f"{path} needs the directory {directory_of(key, path)}, which does not exist")
    if config.log.file == config.access_log.file != "-":
        yield Advice("access_log.file", f"{config.log.file} is also log.file; one file cannot be read in two formats")


def places(config: Config) -> Iterator[tuple[str, str]]:
    """Yield the settings that name places in the file system, with the place."""
    if config.chdir:
        yield "chdir", config.chdir
    if config.pid_file:
        yield "pid_file", config.pid_file
    for key, file in (("log.file", config.log.file), ("access_log.file", config.access_log.file)):
        if file not in ("-", "off"):
            yield key, file
    for address in (*(one.address for one in config.listen), config.admin):
        if address and address.kind is Kind.UNIX:
            yield ("admin" if address == config.admin else "listen"), address.path


def directory_of(key: str, path: str) -> str:
    """Return the directory that must exist for a place."""
    return path if key == "chdir" else path.rpartition("/")[0] or "/"


RULES: tuple[Rule, ...] = (_stopping, _clients, _machine, _patterns, _exposure, _daemon, _places)
