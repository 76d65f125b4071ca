"""A hybridd of its own for one test: started, watched and ended like a service manager does it.

It runs ``python -m hybridd run`` in a session of its own, with its configuration in a file, port 0 and the admin
endpoint on a Unix socket, and is ready when it says READY=1 to the notify socket that this class holds.

Knows:     the command line, the exit codes, /status, /metrics, the log.
Never:     a fixed port, a pause that hopes; every wait asks for an announced state and has a deadline.
Runs in:   the test process.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support import processes
from tests.support.client import PATIENT, Answer, Client, fetch
from tests.support.measurements import Metrics
from tests.support.notify import NotifySocket
from tests.support.waiting import patient, wait_until

ROOT = Path(__file__).resolve().parents[2]
APPS = ROOT / "tests" / "apps"
OUTSIDE = re.compile(r"HYBRIDD_|LISTEN_|NOTIFY_SOCKET|WATCHDOG_|RUNTIME_DIRECTORY|WEB_CONCURRENCY|PYTHON")

# The suite's machine is small and its patience short; every test overrides what it is about.
DEFAULTS: dict[str, Any] = {
    "listen": ["127.0.0.1:0"],
    "workers": 2,
    "timeouts": {"graceful": "10s", "boot": "15s", "linger": "500ms"},
    "reload": {"settle": "200ms"},
    "shutdown": {"idle_grace": "300ms", "linger": "100ms"},
}
# hybridd serves as root only when it is told so; the folders of the tests are root's when root runs them.
AS_ROOT = ["--user", "root"] if os.geteuid() == 0 else []
if AS_ROOT:
    DEFAULTS["user"] = "root"


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``over`` laid upon it, section by section."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


class ServerProcess:
    """One hybridd; ``folder`` takes its configuration, its sockets and its logs.

    ``inside``: a command that becomes the one behind it, elsewhere (on a host of hosts.py).
    """

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any] | None = None,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        cwd: Path = APPS,
        python: Sequence[str] = ("-W", "error"),
        pass_fds: Sequence[int] = (),
        inside: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.log_file = folder / "error.log"
        self.access_file = folder / "access.log"
        self.config_file = folder / "hybridd.yaml"
        self.admin = f"unix:{folder}/admin.sock"
        self.control = str(folder / "control.sock")
        self.notify = NotifySocket(folder / "notify.sock")
        self.configure(config or {})
        self._command = [
            *inside,
            sys.executable,
            *python,
            "-m",
            "hybridd",
            "run",
            "-c",
            str(self.config_file),
            *arguments,
        ]
        kept = {key: value for key, value in os.environ.items() if not OUTSIDE.match(key)}
        kept["PYTHONPATH"] = str(ROOT)  # what stands beside these tests, and not what is installed
        self._environment = {**kept, "NOTIFY_SOCKET": self.notify.path, **(environment or {})}
        self._cwd = cwd
        self._pass_fds = tuple(pass_fds)
        self._process: subprocess.Popen[bytes] | None = None
        self._successor = 0
        self._read_before = {self.log_file: 0, self.access_file: 0}
        self.ended = False

    # -- life

    def configure(self, config: Mapping[str, Any]) -> None:
        """Write the configuration file; a running server reads it at its next reload."""
        own = {"admin": self.admin, "control": self.control, "access_log": {"file": str(self.access_file)}}
        self.config_file.write_text(yaml.safe_dump(merged(merged(DEFAULTS, own), config)))

    def start(self) -> ServerProcess:
        """Start it; it is not ready then."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=self._pass_fds,
            )
        return self

    def wait_ready(self, within: float = 15) -> ServerProcess:
        """Wait for READY=1."""
        self.notify.wait_for("READY", within=within, hopeless=self.death)
        return self

    def death(self) -> str:
        """Tell how the master ended; "" while it lives."""
        if self._successor:
            return "" if processes.alive(self._successor) else f"the server is gone; its log:\n{self.log()}"
        status = self.process.poll()
        return "" if status is None else f"the server ended with status {status}; its log:\n{self.log()}"

    def upgraded(self, within: float = 20) -> int:
        """Wait until the master has left for another one, which is the master from now on; return its exit status."""
        status = self._wait_master(within)
        self._successor = self.status()["pid"]
        return status

    def _wait_master(self, within: float) -> int:
        try:
            if not self._successor:
                return self.process.wait(patient(within))
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"the server did not end within {patient(within):g} s; its log:\n{self.log()}"
            ) from None
        wait_until(
            lambda: not processes.alive(self._successor), within=within, what=lambda: f"its end; log:\n{self.log()}"
        )
        _, status = os.waitpid(self._successor, 0)  # we are its subreaper
        return os.waitstatus_to_exitcode(status)

    def wait_ended(self, within: float = 20) -> int:
        """Wait for the end of the whole session; return the master's exit status (negative: a signal)."""
        status = self._wait_master(within)
        self.wait_empty()
        return status

    def wait_empty(self, within: float = 5) -> None:
        """Wait until no process of the session is left."""
        wait_until(
            lambda: not self.living(),
            within=within,
            what=lambda: f"processes left behind: {self.living()}; log:\n{self.log()}",
        )
        wait_until(lambda: processes.reap(self.pid), within=5, what="the dead can be reaped")

    def stop(self, number: signal.Signals = signal.SIGTERM, *, status: int = 0, within: float = 20) -> None:
        """Stop it, require this exit status and that nothing is left behind."""
        self.signal(number)
        ended_with = self.wait_ended(within)
        assert ended_with == status, f"exit status {ended_with}, expected {status}; log:\n{self.log()}"

    def finish(self) -> None:
        """End it whatever its state, for the fixture: one that still runs must stop cleanly when asked to."""
        if self._process is None or self.ended:
            self.notify.close()
            return
        self.ended = True
        try:
            if not self.death():
                self.stop()
            else:
                self.wait_empty()
        finally:
            self.kill_all()
            self.notify.close()

    def kill_all(self) -> None:
        """Kill every process of the session and reap."""
        if self._process is None:
            return
        processes.kill_session(self.pid)
        self.process.wait(patient(5))
        wait_until(lambda: not self.living(), within=5, what="killed processes vanish")
        wait_until(lambda: processes.reap(self.pid), within=5, what="the dead can be reaped")

    # -- what it is

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The master."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def started(self) -> bool:
        """Tell whether there is (or was) a process."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The pid of the master that was started, which is the number of its session too."""
        return self.process.pid

    @property
    def master(self) -> int:
        """The pid of the master: after an upgrade that of the newest."""
        return self._successor or self.pid

    def living(self) -> list[processes.Process]:
        """Return the processes of the session that live."""
        return processes.in_session(self.pid)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the master."""
        os.kill(self.master, number)

    def status(self) -> dict[str, Any]:
        """Return /status."""
        answer = self.ask_admin("/status")
        assert answer.status == 200, answer
        found: dict[str, Any] = json.loads(answer.body)
        return found

    def workers(self) -> list[dict[str, Any]]:
        """Return what /status says of each worker."""
        found: list[dict[str, Any]] = self.status()["workers"]
        return found

    def ready_pids(self) -> list[int]:
        """Return the pids of the workers that are ready, in the order of their slots."""
        return [worker["pid"] for worker in self.workers() if worker["state"] == "ready"]

    def wait_workers(self, count: int, *, without: Sequence[int] = (), within: float = 10) -> list[int]:
        """Wait until exactly ``count`` workers exist, all ready and none of the pids ``without``."""

        def settled() -> list[int]:
            workers = self.workers()
            pids = [worker["pid"] for worker in workers if worker["state"] == "ready"]
            return pids if len(pids) == len(workers) == count and not set(pids) & set(without) else []

        return wait_until(
            settled,
            within=within,
            what=lambda: f"{count} ready workers, none of {list(without)}; there are {self.workers()}",
            hopeless=self.death,
        )

    @property
    def address(self) -> str:
        """The address of the first public listener, as bound."""
        return self.addresses[0]

    @property
    def addresses(self) -> list[str]:
        """The addresses of the public listeners, as bound."""
        return [listener["address"] for listener in self.status()["listeners"]]

    @property
    def url(self) -> str:
        """The first listener as a URL."""
        return f"http://{self.address}"

    def metrics(self) -> Metrics:
        """Scrape /metrics."""
        answer = self.ask_admin("/metrics")
        assert answer.status == 200, answer
        return Metrics(answer.text)

    def wait_metric(self, name: str, value: float, *, within: float = 5, **labels: str) -> None:
        """Wait until a sample has this value: workers say what they count when their loop has come round."""
        wait_until(
            lambda: self.metrics().value(name, **labels) == value,
            within=within,
            what=lambda: f"{name}{labels} is {value:g}; it is {self.metrics().value(name, **labels):g}",
            hopeless=self.death,
        )

    def ask_admin(self, target: str, method: str = "GET", headers: dict[str, str] | None = None) -> Answer:
        """Ask the admin endpoint."""
        return fetch(self.admin, target, method, headers)

    def client(self, timeout: float = PATIENT) -> Client:
        """Connect to the first public listener."""
        return self.client_of(0, timeout)

    def client_of(self, listener: int, timeout: float = PATIENT) -> Client:
        """Connect to a public listener by its place in the configuration."""
        return Client(self.addresses[listener], timeout)

    def fetch(self, target: str = "/", method: str = "GET", **further: Any) -> Answer:
        """Ask the first public listener once."""
        return fetch(self.address, target, method, **further)

    # -- what it wrote

    def turn_page(self) -> None:
        """Let both logs begin here: another test uses this server from now on."""
        self._read_before = {path: path.stat().st_size if path.exists() else 0 for path in self._read_before}

    def log(self) -> str:
        """Return the error log (and what went to standard output)."""
        return self._page(self.log_file).decode(errors="replace")

    def access_log(self) -> list[str]:
        """Return the lines of the access log."""
        return self._page(self.access_file).decode().splitlines()

    def _page(self, path: Path) -> bytes:
        return path.read_bytes()[self._read_before[path] :] if path.exists() else b""

    def wait_log(self, pattern: str, *, within: float = 10, since: int = 0, times: int = 1) -> re.Match[str]:
        """Wait until the error log from position ``since`` on has ``times`` matches; return the last of these."""

        def found() -> list[re.Match[str]]:
            matches = list(re.finditer(pattern, self.log()[since:], re.MULTILINE))
            return matches if len(matches) >= times else []

        matches = wait_until(found, within=within, what=lambda: f"{pattern!r} in the log:\n{self.log()[since:]}")
        return matches[times - 1]

    def wait_access(self, pattern: str, *, within: float = 5) -> str:
        """Wait for a line of the access log that ``pattern`` matches."""
        return wait_until(
            lambda: next((line for line in self.access_log() if re.search(pattern, line)), ""),
            within=within,
            what=lambda: f"{pattern!r} in the access log {self.access_log()[-5:]}",
        )
