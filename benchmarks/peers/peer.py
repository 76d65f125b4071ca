"""What a peer is: a server that can be installed, started on a port and ended.

Knows:     names, packages, command lines.
Never:     starts anything.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SITES = Path(__file__).resolve().parents[1] / "applications"
"""The folder of the applications: every server gets it as its working directory and its PYTHONPATH."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How a server is to be started.

    Attributes:
        port: the TCP port on 127.0.0.1.
        workers: worker processes.
        threads: threads for the application in each worker, where the server has threads.
        flask: serve the Flask application instead of the plain one.
        everywhere: on all CPUs, the load generator's too: for scenarios without load.
        variant: a name for settings of its own (an access log, for one); empty: none.
        options: further arguments of the subject.
        admin: the TCP port of its own pages on 127.0.0.1, where it has such.
        scratch: a folder for files.
    """

    port: int
    admin: int
    scratch: Path
    workers: int = 1
    threads: int = 32
    flask: bool = False
    everywhere: bool = False
    variant: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """A server.

    Attributes:
        name: as it is called in tables.
        environment: the virtual environment it lives in; peers may share one.
        packages: what is installed there; the first one's version is the server's.
        command: the command line, from the environment's ``bin`` folder and the set-up.
        asgi: it serves the ASGI twin (and not Flask).
        threaded: a blocking handler does not block the other clients.
        workers: it can have several worker processes.
        keeps_alive: it serves more than one request on a connection.
        stop: the signal that ends it politely.
        reload: the signal that replaces its workers, None when it has none.
        needs: what must be there before it can be installed, for the message when that fails.
    """

    name: str
    environment: str
    packages: tuple[str, ...]
    command: Callable[[Path, Setup], list[str]]
    asgi: bool = False
    threaded: bool = True
    workers: bool = True
    keeps_alive: bool = True
    stop: signal.Signals = signal.SIGTERM
    reload: signal.Signals | None = signal.SIGHUP
    needs: str = ""

    def application(self, setup: Setup) -> str:
        """Return MODULE:ATTRIBUTE of what is to be served."""
        if self.asgi:
            return "asgi_site:application"
        return "flask_site:application" if setup.flask else "wsgi_site:application"
