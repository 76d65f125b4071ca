"""Every setting of hybridd, each declared once (those of bounds.py and supervision.py there).

Defaults, kinds with their ranges, help, flags and what a reload can change stand there and nowhere else; YAML keys,
environment names, command line, JSON Schema, docs/settings.md and the checks come from it.

Knows:     kinds of values.
Never:     files, the environment, the machine (``workers`` 0 means auto and is resolved by the master).
Runs in:   every process; values only.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybridd.config.address import Address, Kind
from hybridd.config.bounds import Limits, Timeouts
from hybridd.config.declaration import Schema, setting
from hybridd.config.listener_words import EXPLANATION, Endpoint
from hybridd.config.patterns import DEFAULT, DISPATCHES, PATTERNS, WORKER_CLASSES
from hybridd.config.quantities import boolean, integer, mode
from hybridd.config.supervision import MOST_WORKERS, Crash, Recycle, Reload, Shutdown
from hybridd.config.tls import Tls
from hybridd.config.trust import NOBODY, proxy
from hybridd.config.words import (
    account,
    address,
    choice,
    directory,
    endpoint,
    file,
    host,
    own_file,
    own_socket,
    reference,
    several,
)

__all__ = [
    "MOST_WORKERS",
    "SCHEMA",
    "AccessLog",
    "Config",
    "Crash",
    "Limits",
    "Log",
    "Recycle",
    "Reload",
    "Shutdown",
    "Timeouts",
    "Tls",
]

SOCKETS = "the master binds its own sockets once, when it starts"
RIGHTS = "rights are given up once, when hybridd starts, and cannot be had again"
START = "it is about how hybridd starts"


@dataclass(frozen=True, slots=True)
class Log:
    """The error log: what hybridd and the application have to say."""

    level: str = setting(
        "info",
        choice("debug", "info", "warning", "error"),
        "The least important messages that are logged.",
        flags="--log-level",
        also="loglevel verbosity",
    )
    format: str = setting(
        "text",
        choice("text", "json"),
        "Lines for people, or one JSON object per line.",
    )
    file: str = setting(
        "-",
        file("standard error"),
        "Where the log goes. USR1 opens the file again.",
        flags="--log-file --error-logfile",
        also="errorlog error_log",
    )


@dataclass(frozen=True, slots=True)
class AccessLog:
    """The access log: one line for every request, whatever became of it."""

    file: str = setting(
        "-",
        file("standard output", off=True),
        "Where the access log goes. USR1 opens the file again.",
        flags="--access-log --access-logfile",
        also="accesslog",
    )
    format: str = setting(
        "combined",
        choice("combined", "json"),
        "Apache's combined format, or one JSON object per line with the times of every phase.",
        also="access_log_format access_logformat",
    )


@dataclass(frozen=True, slots=True)
class Config:
    """What is served, where, and by how many."""

    application: str = setting(
        "",
        reference("MODULE:CALLABLE", "shop.wsgi:application"),
        "The WSGI application to serve. Without one the built-in welcome application is served.",
        also="app wsgi wsgi_app",
    )
    factory: bool = setting(
        False,
        boolean(),
        "The CALLABLE makes the application: it is called once per worker, without arguments.",
        flags="--factory",
    )
    protocol: str = setting(
        "",
        reference("MODULE:FACTORY", "shop.echo:EchoProtocol"),
        "Serve a raw TCP protocol instead of HTTP: FACTORY makes an asyncio.Protocol per connection.",
        flags="--protocol",
    )
    preload: bool = setting(
        False,
        boolean(),
        "Load the application once, in a fork server, and fork the workers from it: they share its memory and start at"
        " once. Threads and connections that loading it opens do not survive the fork; a warning names them.",
        flags="--preload",
        also="preload_app preload_application",
    )
    chdir: str = setting(
        "",
        directory(),
        "The directory that every worker enters before it loads the application.",
        flags="--chdir",
        also="working_directory",
    )
    listen: tuple[Endpoint, ...] = setting(
        (Endpoint(Address(Kind.TCP, host="0.0.0.0", port=8080)),),  # noqa: S104 - a server serves; the first promise of the defaults
        several(endpoint()),
        "The addresses to serve on: HOST:PORT, [IPV6]:PORT, unix:/path, fd:N (inherited), systemd:NAME (socket unit)."
        f" Port 0 lets the system choose. What is special to one of them stands in words behind it: {EXPLANATION}.",
        flags="--bind -b --listen",
        also="address host port",
    )
    trusted_proxies: tuple[str, ...] = setting(
        (NOBODY,),
        several(proxy()),
        "The proxies in front, whose word about the client is believed: addresses, networks, and unix for whoever"
        " reaches a unix socket. What others say of themselves in such fields, the application does not see.",
        also="forwarded_allow_ips proxy_allow_ips set_real_ip_from trusted_proxy",
    )
    forwarded: str = setting(
        "x-forwarded",
        choice("x-forwarded", "forwarded", "off"),
        "In which fields trusted_proxies tell of the client: X-Forwarded-For and its kin, or Forwarded (RFC 7239)."
        " Those of the other kind, those of anybody else and with off all of them are removed.",
        also="forwarded_headers",
    )
    forwarded_fields: tuple[str, ...] = setting(
        ("for", "proto"),
        several(choice("for", "proto", "host", "port", "prefix")),
        "What of it is believed: only what the proxies set themselves, whatever the client has sent. for is the"
        " client's address, proto http or https, host and port what the client has asked for, prefix the SCRIPT_NAME.",
        also="trusted_proxy_headers forwarder_headers proxy_fix",
    )
    backlog: int = setting(
        2048,
        integer(1, 65_535),
        "How many connections may wait to be accepted, per address. The system's net.core.somaxconn is a limit to it.",
        flags="--backlog",
    )
    admin: Address | None = setting(  # noqa: RUF009 - declares a field
        Address(Kind.TCP, host="127.0.0.1", port=9815),
        address(off=True),
        "The address of /metrics, /healthz, /readyz and /status; off for none.",
        flags="--admin",
        restart=SOCKETS,
        also="metrics status",
    )
    admin_hosts: tuple[str, ...] = setting(
        ("localhost",),
        several(host()),
        "The names by which the admin address may be asked over TCP, beside addresses, names without a dot and the name"
        " in admin: what a Host header may say. .NAME stands for all names below it, * for any.",
        also="admin_host allowed_hosts",
    )
    application_metrics: bool = setting(
        True,
        boolean(),
        "Put what the application counts with prometheus_client on /metrics, added up over all workers. Its processes"
        " then keep their values in files in memory ($RUNTIME_DIRECTORY or /dev/shm).",
        also="multiprocess_metrics prometheus_multiproc",
    )
    control: str = setting(
        "auto",
        own_socket(),
        "The unix socket (mode 0600) that hybridd reload, scale, stop and the other verbs talk to; auto: hybridd.ctl in"
        " $RUNTIME_DIRECTORY when systemd sets that, else off.",
        flags="--control",
        restart=SOCKETS,
        also="control_socket ctl",
    )
    pattern: str = setting(
        DEFAULT,
        choice(*PATTERNS, also=WORKER_CLASSES),
        "How connections are dealt to processes and threads: a name for workers and dispatch.",
        flags="--pattern -k --worker-class",
        also="model mode",
    )
    workers: int = setting(
        0,
        integer(1, MOST_WORKERS, zero="auto"),
        "The number of worker processes, in place of the pattern's; auto: one per CPU that hybridd may use (affinity,"
        " cgroup quota)."
        " WEB_CONCURRENCY is honoured when HYBRIDD_WORKERS is not set.",
        flags="--workers -w",
        also="worker processes worker_processes concurrency",
    )
    dispatch: str = setting(
        PATTERNS[DEFAULT].dispatch,
        choice(*DISPATCHES),
        "What a worker does with a connection, in place of the pattern's.",
        flags="--dispatch",
    )
    threads: int = setting(
        32,
        integer(1, 1024),
        "How many requests (with dispatch pool: connections) of one worker the application may work on at once.",
        flags="--threads",
        also="thread worker_threads",
    )
    handlers: str = setting(
        "auto",
        choice("auto", "inline", "threads"),
        "With dispatch hybrid, where handlers run. auto: on the thread of the event loop until they block, then handed"
        " off; inline: there, and a handler that blocks stops its worker; threads: always in a thread of the pool.",
        flags="--handlers",
    )
    daemon: bool = setting(
        False,
        boolean(),
        "Leave the terminal and go on in the background; the command returns when hybridd is ready, or with its error."
        " Not for systemd or a container.",
        flags="--daemon -D",
        restart=START,
        also="daemonize background",
    )
    pid_file: str = setting(
        "",
        own_file(),
        "Where the master writes its process id once it is ready; removed at the end.",
        flags="--pid-file -p --pid",
        restart=START,
        also="pid pidfile",
    )
    user: str = setting(
        "",
        account("user"),
        "The user to become once the sockets are bound, with all groups of that user, for which hybridd must be started"
        " as root; and started as root, it must be told: root is a user that can be named, too.",
        flags="--user -u",
        restart=RIGHTS,
        also="uid run_as",
    )
    group: str = setting(
        "",
        account("group"),
        "The group to run as, in place of the user's own.",
        flags="--group -g",
        restart=RIGHTS,
        also="gid",
    )
    no_new_privs: bool = setting(
        True,
        boolean(),
        "No program that the application starts gets more rights than it has itself, as sudo, ping and sendmail of"
        " Postfix want by a set-user-ID or set-group-ID bit. Where the application needs such a program, say false.",
        restart=RIGHTS,
        also="no_new_privileges nonewprivileges",
    )
    umask: int | None = setting(
        None,
        mode(none="inherit"),
        "The permissions that new files and unix sockets, of hybridd and of the application, never have; inherit: as"
        " whoever starts hybridd has it.",
        flags="--umask -m",
        restart=START,
    )
    tls: Tls = Tls()  # noqa: RUF009 - frozen
    timeouts: Timeouts = Timeouts()  # noqa: RUF009 - frozen
    limits: Limits = Limits()  # noqa: RUF009 - frozen
    reload: Reload = Reload()  # noqa: RUF009 - frozen
    recycle: Recycle = Recycle()  # noqa: RUF009 - frozen
    shutdown: Shutdown = Shutdown()  # noqa: RUF009 - frozen
    crash: Crash = Crash()  # noqa: RUF009 - frozen
    log: Log = Log()
    access_log: AccessLog = AccessLog()


SCHEMA = Schema(Config)
