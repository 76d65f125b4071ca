"""The peers, each with the command line that serves the same work on the same terms.

On the same terms: access log off, 127.0.0.1, a backlog of 2,048, idle connections kept for 75 s where that can be
set, room for 10,000 connections, 32 threads where there are threads.  Everything else is the server's own default.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from benchmarks.peers.peer import Peer, Setup
from benchmarks.peers.source import ROOT

BACKLOG = "2048"
KEEP_ALIVE = "75"
CONNECTIONS = "10000"

PLAIN = "plain listener"
"""The variant of the subject that accepts without asking whether another worker should."""

ACCESS_LOG = "access log on"
"""The variant of the subject that writes an access log to a file."""

SUBJECT = "hybridd"
"""Whom the comparison is about."""

AS_ROOT = ["--user", "root"] if os.geteuid() == 0 else []
"""hybridd wants to be told; the peers serve as root without."""


def _site(setup: Setup) -> str:
    return "flask_site:application" if setup.flask else "wsgi_site:application"


def _hybridd(binaries: Path, setup: Setup) -> list[str]:
    access_log = str(setup.scratch / "access.log") if setup.variant == ACCESS_LOG else "off"
    program = [str(binaries / "python"), "-m", "hybridd"]
    if setup.variant == PLAIN:
        program = [str(binaries / "python"), "-P", str(Path(__file__).with_name("serve_plain_listener.py"))]
    return [
        *program, "run", _site(setup), "--bind", f"127.0.0.1:{setup.port}", "--admin", f"127.0.0.1:{setup.admin}",
        "--workers", str(setup.workers), "--threads", str(setup.threads), "--access-log", access_log,
        "--backlog", BACKLOG, *AS_ROOT, *setup.options,
    ]  # fmt: skip


def _gunicorn(binaries: Path, setup: Setup, worker_class: str, *options: str) -> list[str]:
    return [
        str(binaries / "gunicorn"), _site(setup), "--worker-class", worker_class, "--workers", str(setup.workers),
        "--bind", f"127.0.0.1:{setup.port}", "--backlog", BACKLOG, "--keep-alive", KEEP_ALIVE,
        "--worker-connections", CONNECTIONS, "--worker-tmp-dir", str(setup.scratch), "--no-control-socket", *options,
    ]  # fmt: skip


def _sync(binaries: Path, setup: Setup) -> list[str]:
    return _gunicorn(binaries, setup, "sync")


def _gthread(binaries: Path, setup: Setup) -> list[str]:
    return _gunicorn(binaries, setup, "gthread", "--threads", str(setup.threads))


def _gevent(binaries: Path, setup: Setup) -> list[str]:
    return _gunicorn(binaries, setup, "gevent")


def _waitress(binaries: Path, setup: Setup) -> list[str]:
    return [
        str(binaries / "waitress-serve"), f"--listen=127.0.0.1:{setup.port}", f"--threads={setup.threads}",
        f"--backlog={BACKLOG}", f"--connection-limit={CONNECTIONS}", f"--channel-timeout={KEEP_ALIVE}",
        "--asyncore-use-poll", _site(setup),
    ]  # fmt: skip


def _uvicorn(binaries: Path, setup: Setup) -> list[str]:
    return [
        str(binaries / "uvicorn"), "asgi_site:application", "--host", "127.0.0.1", "--port", str(setup.port),
        "--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--no-access-log", "--workers",
        str(setup.workers), "--backlog", BACKLOG, "--timeout-keep-alive", KEEP_ALIVE, "--log-level", "warning",
    ]  # fmt: skip


def _granian(binaries: Path, setup: Setup) -> list[str]:
    return [
        str(binaries / "granian"), _site(setup), "--interface", "wsgi", "--host", "127.0.0.1", "--port",
        str(setup.port), "--workers", str(setup.workers), "--blocking-threads", str(setup.threads),
        "--backlog", BACKLOG, "--backpressure", CONNECTIONS, "--no-ws", "--http", "1",
        "--respawn-failed-workers", "--log-level", "warning",
    ]  # fmt: skip


def _bjoern(binaries: Path, setup: Setup) -> list[str]:
    return [
        str(binaries / "python"), "-P", str(Path(__file__).with_name("serve_bjoern.py")), _site(setup), str(setup.port),
    ]  # fmt: skip


def _uwsgi(binaries: Path, setup: Setup) -> list[str]:
    return [
        str(binaries / "uwsgi"), "--http11-socket", f"127.0.0.1:{setup.port}", "--module", _site(setup),
        "--virtualenv", str(binaries.parent), "--pythonpath", ".", "--master", "--processes", str(setup.workers),
        "--threads", str(setup.threads), "--enable-threads", "--listen", BACKLOG, "--disable-logging", "--need-app",
        "--lazy-apps", "--die-on-term", "--buffer-size", "32768", "--so-keepalive",
    ]  # fmt: skip


GUNICORN = ("gunicorn", "gevent", "packaging", "flask")

PEERS = {
    peer.name: peer
    for peer in (
        Peer(SUBJECT, "hybridd", (str(ROOT), "flask"), _hybridd),
        Peer("gunicorn sync", "gunicorn", GUNICORN, _sync, threaded=False, keeps_alive=False),
        Peer("gunicorn gthread", "gunicorn", GUNICORN, _gthread),
        Peer("gunicorn gevent", "gunicorn", GUNICORN, _gevent),
        Peer("waitress", "waitress", ("waitress", "flask"), _waitress, workers=False, stop=signal.SIGINT, reload=None),
        Peer("uvicorn", "uvicorn", ("uvicorn", "uvloop", "httptools"), _uvicorn, asgi=True),
        Peer("granian", "granian", ("granian", "flask"), _granian),
        Peer(
            "bjoern", "bjoern", ("bjoern", "flask"), _bjoern, threaded=False, workers=False, stop=signal.SIGINT,
            reload=None, needs="a C compiler and libev's headers (Debian: apt install gcc libev-dev)",
        ),
        Peer(
            "uWSGI", "uwsgi", ("uWSGI", "flask"), _uwsgi,
            needs="a C compiler and Python's headers (Debian: apt install gcc python3-dev)",
        ),
    )
}  # fmt: skip
"""By name.  (The wheels uWSGI and pyuwsgi overwrite each other's command: only one of them, ever.)"""
