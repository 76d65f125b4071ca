"""Servers that the tests of one file use one after the other: each start costs a third of a second of CPU.

For tests that ask and are answered.  One that counts what a server has done since its start, that signals it or harms a
worker takes one of its own (the fixture ``serve``).  Who borrows a server finds nobody else's connection, and logs that
begin with this test; who brings it back has left its workers alive, or has failed.

Knows:     which servers run, with what configuration, and which workers they had.
Never:     lends one again whose test has failed.
Runs in:   the test process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.server import ServerProcess
from tests.support.waiting import wait_until


class SharedServers:
    """Those of one file; ``folder`` takes theirs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, tuple[ServerProcess, list[int]]] = {}
        self._lent: dict[str, tuple[ServerProcess, list[int]]] = {}
        self._started = 0

    @property
    def running(self) -> list[ServerProcess]:
        """All of them, lent or not."""
        return [server for server, _ in (*self._kept.values(), *self._lent.values())]

    @property
    def lent(self) -> list[ServerProcess]:
        """Those that the running test has."""
        return [server for server, _ in self._lent.values()]

    def lend(self, config: Mapping[str, Any], **further: Any) -> ServerProcess:
        """Return a server with this configuration that is ready; ``further`` goes to ServerProcess."""
        key = json.dumps([config, further], sort_keys=True)
        if key in self._kept:
            self._lent[key] = self._kept.pop(key)
            server, _ = self._lent[key]
            wait_until(
                lambda: not server.metrics().total("hybridd_connections"),
                within=5,
                what="the connections of the test before are closed",
                hopeless=server.death,
            )
            server.turn_page()
        elif key not in self._lent:
            server = ServerProcess(self._folder / f"server{self._started}", config, **further)
            self._started += 1
            self._lent[key] = (server, [])
            server.start().wait_ready()
            self._lent[key] = (server, server.ready_pids())
        return self._lent[key][0]

    def take_back(self, *, failed: bool) -> None:
        """Keep what was lent for the next test, if this one has not failed; AssertionError when it has harmed one."""
        while self._lent:
            key, (server, workers) = self._lent.popitem()
            if not failed and not server.death() and server.ready_pids() == workers:
                self._kept[key] = (server, workers)
                continue
            server.finish()
            assert failed, (
                f"a server that other tests use no longer has its workers {workers}; its log:\n{server.log()}"
            )

    def finish(self) -> None:
        """End them all; each must stop cleanly."""
        with ExitStack() as stack:
            for server in self.running:
                stack.callback(server.finish)
