"""Real proxies in front of real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.front import Front, haproxy, nginx
from tests.support.ports import free_port
from tests.support.server import ServerProcess, merged

TRUSTED = {"application": "service:app", "trusted_proxies": ["127.0.0.1", "unix"]}
PROXIES = ("nginx", "haproxy")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """End proxies before their servers."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def behind(serve: Callable[..., ServerProcess], stack: ExitStack, tmp_path: Path) -> Callable[..., Any]:
    """Start a server and a proxy in front: ``behind("nginx", {...}, {...changes of the example})`` gives both."""

    def start(
        program: str, config: dict[str, Any] | None = None, changes: dict[str, str] | None = None
    ) -> tuple[ServerProcess, Front]:
        server, line = one_more(program, serve, "one", config)
        front = (nginx if program == "nginx" else haproxy)(tmp_path / program, line, changes)
        return server, stack.enter_context(front)

    return start


def one_more(
    program: str, serve: Callable[..., ServerProcess], name: str, config: dict[str, Any] | None = None
) -> tuple[ServerProcess, str]:
    """Start a server; give the line of the proxy's configuration that names it."""
    admin = free_port()
    server = serve(merged({**TRUSTED, "admin": f"127.0.0.1:{admin}"}, config or {}), wait=False)
    server.admin = f"127.0.0.1:{admin}"
    server.wait_ready()
    upstream = server.address
    if program == "nginx":
        return server, f"server {upstream} fail_timeout=1s;"
    return server, f"server {name} {upstream.replace('unix:', 'unix@')} port {admin} addr 127.0.0.1"
