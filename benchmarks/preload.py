"""What ``preload`` saves: ``python -m benchmarks.preload [--workers 4] [--requests 1000]``.

Starts hybridd twice with the same application, asks every row of its table at random, and adds up the proportional set
sizes of all its processes, the master and the fork server among them.

Knows:     the command line, the control socket's /status.
Runs in:   a process of its own; the application needs Flask.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.applications.large_table import ROWS
from benchmarks.measure.memory import read_pss
from benchmarks.measure.process_tree import tree
from benchmarks.peers.catalogue import AS_ROOT

MIB = 2**20
PATIENCE = 60.0
APPLICATION = "benchmarks.applications.large_table:application"
ROOT = Path(__file__).resolve().parents[1]


class Hybridd:
    """One hybridd, with or without preload."""

    def __init__(self, folder: Path, workers: int, *, preload: bool) -> None:
        self._control = folder / "control.sock"
        self._workers = workers
        preloading = ["--preload"] if preload else []
        command = ["run", APPLICATION, "-b", "127.0.0.1:0", "-w", str(workers), "--control", str(self._control)]
        options = ["--admin", "off", "--access-log", "off", "--log-level", "error", *preloading, *AS_ROOT]
        self.process = subprocess.Popen([sys.executable, "-m", "hybridd", *command, *options], cwd=ROOT)  # noqa: S603 - ours

    def status(self) -> dict[str, Any]:
        """Return /status; empty while nobody answers."""
        command = [sys.executable, "-m", "hybridd", "status", "--json", "--control", str(self._control)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        found: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {}
        return found

    def wait_ready(self) -> dict[str, Any]:
        """Return /status as soon as all workers are ready."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            status = self.status()
            ready = [one["pid"] for one in status.get("workers", ()) if one["state"] == "ready"]
            if len(ready) == self._workers:
                return status
        raise SystemExit("hybridd is not ready")

    def ask(self, requests: int) -> None:
        """Send requests one after the other, each on a connection of its own, so that every worker gets some."""
        host, _, port = self.wait_ready()["listeners"][0]["address"].rpartition(":")
        chance = random.Random(1)  # noqa: S311 - the same rows each time
        for _ in range(requests):
            connection = http.client.HTTPConnection(host, int(port), timeout=10)
            connection.request("GET", f"/{chance.randrange(ROWS)}")
            connection.getresponse().read()
            connection.close()

    def memory(self) -> int:
        """Return the proportional set size of all its processes."""
        return read_pss(process.pid for process in tree(self.process.pid))


@contextmanager
def running(workers: int, *, preload: bool) -> Iterator[Hybridd]:
    """Run one hybridd."""
    with tempfile.TemporaryDirectory() as folder:
        server = Hybridd(Path(folder), workers, preload=preload)
        try:
            yield server
        finally:
            server.process.terminate()
            server.process.wait(PATIENCE)


def main() -> int:
    """Measure both and print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.preload", description="what preload saves")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--requests", type=int, default=1000)
    given = parser.parse_args()
    say = sys.stdout.write
    say(f"{given.workers} workers, PSS of all processes in MiB   ready   after {given.requests} requests\n")
    for preload in (False, True):
        with running(given.workers, preload=preload) as server:
            server.wait_ready()
            ready = server.memory()
            server.ask(given.requests)
            after = server.memory()
        name = "with preload" if preload else "without"
        say(f"{name:42} {ready / MIB:7.1f} {after / MIB:10.1f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
