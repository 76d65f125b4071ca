"""One running server: started, waited for, ended by pid.

Knows:     how a process tree is ended without a doubt; what a server said last.
Runs in:   the harness.  Servers also die with it, however it dies (PR_SET_PDEATHSIG, and their lost parents).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from benchmarks.load import client
from benchmarks.measure import cpu, priority, process_tree
from benchmarks.peers import ending, source
from benchmarks.peers.environments import Installed, cache_folder
from benchmarks.peers.peer import SITES, Setup

BOOT_SECONDS = 30.0
POLITE_SECONDS = 3.0
_SETTLE_SECONDS, _LOOK_SECONDS, _QUIET_LOOKS = 10.0, 0.25, 2
_LITTLE = 0.05
_LAST_WORDS = 300


class ServerFailed(Exception):  # noqa: N818 - reads as the sentence it begins
    """A server did not serve; the message has its last words."""


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def with_ports(setup: Setup) -> Setup:
    """Return the set-up with ports that are free now."""
    return replace(setup, port=free_port(), admin=free_port())


class Server:
    """A started server; a context manager that ends it."""

    def __init__(self, installed: Installed, setup: Setup, cpus: Sequence[int]) -> None:
        self.installed = installed
        self.name = f"{installed.peer.name}, {setup.variant}" if setup.variant else installed.peer.name
        self.setup = setup
        self.started = time.monotonic()
        self._log = setup.scratch / f"{self.name.replace(' ', '-')}-{setup.port}.log"
        prefix = ["taskset", "--cpu-list", ",".join(map(str, cpus))]
        if shutil.which("setpriv"):
            prefix = ["setpriv", "--pdeathsig", "KILL", *prefix]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                [*prefix, *installed.peer.command(installed.binaries, setup)],
                cwd=SITES,
                env=_environment(setup),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the harness, which then ends everybody
            )
        priority.pass_on(self._process.pid)

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1."""
        return self.setup.port

    @property
    def pid(self) -> int:
        """The first process of the tree."""
        return self._process.pid

    def pids(self) -> list[int]:
        """Return the pids of the whole tree, the first process first."""
        return [process.pid for process in process_tree.tree(self.pid)]

    def wait_ready(self) -> None:
        """Wait until it serves.

        Raises:
            ServerFailed: it ended, or took longer than 30 s.
        """
        deadline = self.started + BOOT_SECONDS
        while True:
            with contextlib.suppress(OSError, client.BadAnswer):
                client.get(self.port, "/hello", timeout=2.0)
                return
            if self._process.poll() is not None:
                raise ServerFailed(f"{self.name} ended with status {self._process.returncode}: {self.last_words()}")
            if time.monotonic() > deadline:
                raise ServerFailed(f"{self.name} does not serve after {BOOT_SECONDS:.0f} s: {self.last_words()}")
            time.sleep(0.002)

    def wait_settled(self) -> None:
        """Wait until all workers have booted: until the tree stays as it is and hardly computes, 10 s at most."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        quiet = 0
        while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
            before = cpu.read_threads(self.pids())
            time.sleep(_LOOK_SECONDS)
            after = cpu.read_threads(self.pids())
            settled = before.keys() == after.keys() and cpu.spent(before, after) < _LITTLE * _LOOK_SECONDS * 1e9
            quiet = quiet + 1 if settled else 0

    def last_words(self) -> str:
        """Return the last error that it printed and its last lines, in one."""
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip(" ]")]
        errors = [line for line in lines[:-2] if "Error" in line]
        return " | ".join(line[-_LAST_WORDS:] for line in [*errors[-1:], *lines[-2:]]) or "it said nothing"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the first process."""
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def ask_to_stop(self) -> None:
        """Send the signal that ends it politely."""
        if self._process.poll() is None:
            self._process.send_signal(self.installed.peer.stop)

    def stop(self) -> None:
        """End the whole tree: politely, then not."""
        family = process_tree.tree(self.pid)
        self.ask_to_stop()
        ending.wait_gone(family, POLITE_SECONDS)
        family = [*family, *process_tree.tree(self.pid)]
        ending.kill(family)
        self._process.wait()
        ending.reap(family)


def _environment(setup: Setup) -> dict[str, str]:
    keep = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
    return {name: os.environ[name] for name in keep if name in os.environ} | {
        "PYTHONPATH": f"{SITES}:{source.folder(setup.scratch)}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "BENCH_SAMPLE_FILE": str(sample_file(cache_folder())),
    }


def sample_file(folder: Path) -> Path:
    """Return a file of 50 MB, made if need be."""
    path = folder / "50MB"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as file:
            file.writelines(os.urandom(1_000_000) for _ in range(50))
        unfinished.rename(path)
    return path


@contextlib.contextmanager
def serving(wanted: Sequence[tuple[Installed, Setup]], cpus: Sequence[int]) -> Iterator[tuple[list[Server], list[str]]]:
    """Start servers side by side, each on ports of its own; end them all at the end.

    Yields:
        Those that serve, and a sentence for each that does not.
    """
    with contextlib.ExitStack() as stack:
        started = []
        for installed, setup in wanted:
            started.append(stack.enter_context(Server(installed, with_ports(setup), cpus)))
        ready, failed = [], []
        for server in started:
            try:
                server.wait_ready()
                if server.setup.workers > 1:
                    server.wait_settled()
                ready.append(server)
            except ServerFailed as error:
                failed.append(f"left out: {error}")
        try:
            yield ready, failed
        finally:
            for server in started:  # all at once; the stack then waits for each
                server.ask_to_stop()
