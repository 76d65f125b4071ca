"""What ``ps`` shows: which process is which, and how it is.

Knows:     the words of a title.
Never:     what they are about.
Runs in:   every process; a worker renews its title about once per second, when it has changed.
"""

from __future__ import annotations

from typing import Final

import setproctitle

MASTER: Final = "hybridd: master"
"""How a master's title begins; a PID file is judged by it."""


def make_room() -> None:
    """Let setproctitle look for the memory that titles are written to, once, before the environment is changed.

    It is that of the arguments and of the environment behind them, which is only found as long as both are as exec(3)
    left them; afterwards titles would silently stay as they are.
    """
    setproctitle.getproctitle()


def master_title(application: str, generation: int, state: str) -> str:
    """Return for example ``hybridd: master [shop:app] gen 3, running``; without an application no brackets."""
    name = f" [{application}]" if application else ""
    return f"{MASTER}{name} gen {generation}, {state}"


def worker_title(slot: int, generation: int, state: str, *, connections: int, calls: int) -> str:
    """Return for example ``hybridd: worker 2 gen 3, 118 connections, 4 calls``; a state other than ready is named."""
    named = "" if state == "ready" else f" {state}"
    return f"hybridd: worker {slot} gen {generation}{named}, {connections} connections, {calls} calls"


def fork_server_title(generation: int, state: str = "") -> str:
    """Return for example ``hybridd: fork server (gen 3)``, with what it is at when that is not just waiting."""
    return f"hybridd: fork server (gen {generation})" + (f", {state}" if state else "")


def metrics_title() -> str:
    """Return the title of a process that lives for one scrape."""
    return "hybridd: application metrics"


def connection_from(peer: object) -> str:
    """Return for example ``connection from 10.0.0.1:4711``; ``peer`` as accept(2) has it."""
    return f"connection from {peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "connection from a unix socket"


def connection_title(slot: int, generation: int, peer: object) -> str:
    """Return for example ``hybridd: worker 2 gen 3, connection from 10.0.0.1:4711``, for a process of its own."""
    return f"hybridd: worker {slot} gen {generation}, {connection_from(peer)}"


class Title:
    """Sets the title of this process, and only when it is another one than before."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, title: str) -> None:
        """Show a title in ``ps`` (cut to what the kernel has room for)."""
        if title != self._shown:
            setproctitle.setproctitle(title)
            self._shown = title
