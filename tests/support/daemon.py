"""A hybridd that is a daemon, for one test: the command is run to its end, the daemon is found by its PID file.

Knows:     ``--daemon``, the PID file, and that the test process is the subreaper of what leaves the terminal.
Never:     waits without a deadline.
Runs in:   the test process.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support import processes
from tests.support.server import APPS, ServerProcess
from tests.support.waiting import wait_until


class DaemonProcess(ServerProcess):
    """One daemon; ``before`` stands before the command (to run it as another user)."""

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any] | None = None,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        cwd: Path = APPS,
        before: Sequence[str] = (),
    ) -> None:
        self.pid_file = folder / "hybridd.pid"
        own = ("--daemon", "--pid-file", str(self.pid_file), "--log-file", str(folder / "error.log"))
        super().__init__(folder, config, arguments=[*own, *arguments], environment=environment, cwd=cwd)
        del self._environment["NOTIFY_SOCKET"]  # this is about life without a service manager
        self._command = [*before, *self._command]
        self._pid = 0
        self._session = 0

    def launch(self, within: float = 30) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, whatever that is."""
        done = subprocess.run(
            self._command,
            cwd=self._cwd,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        self.adopt()
        return done

    def start(self) -> DaemonProcess:
        """Launch it; it is ready then."""
        done = self.launch()
        assert done.returncode == 0, f"{done.returncode}: {done.stderr}\n{self.log()}"
        assert self._pid, "there is no process id in the PID file"
        return self

    def adopt(self) -> None:
        """Look for the daemon in the PID file, and reap who was on the way."""
        text = self.pid_file.read_text().strip() if self.pid_file.exists() else ""
        if text.isdecimal() and (found := processes.look(int(text))) is not None:
            self._pid, self._session = found.pid, found.session
        reap_orphans()

    def upgraded(self, within: float = 20) -> int:
        """Wait until the daemon has left for another one, which the PID file names; return its exit status."""
        old = self._pid
        wait_until(lambda: not processes.alive(old), within=within, what=lambda: f"its end; log:\n{self.log()}")
        _, status = os.waitpid(old, 0)  # we are its subreaper
        self.adopt()
        return os.waitstatus_to_exitcode(status)

    @property
    def pid(self) -> int:
        """The daemon's pid."""
        return self._pid

    @property
    def started(self) -> bool:
        """Tell whether there is (or was) a daemon."""
        return bool(self._pid)

    def living(self) -> list[processes.Process]:
        """Return the processes of the daemon's session that live."""
        return processes.in_session(self._session) if self._session else []

    def death(self) -> str:
        """Tell that the daemon is gone; "" while it lives."""
        return "" if processes.alive(self._pid) else f"the daemon is gone; its log:\n{self.log()}"

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the daemon."""
        os.kill(self._pid, number)

    def wait_ended(self, within: float = 20) -> int:
        """Wait for the end of the daemon and its workers; return the exit status (negative: a signal)."""
        wait_until(
            lambda: not processes.alive(self._pid), within=within, what=lambda: f"the daemon ends; log:\n{self.log()}"
        )
        _, status = os.waitpid(self._pid, 0)  # we are its subreaper
        self.wait_empty()
        reap_orphans()
        return os.waitstatus_to_exitcode(status)

    def finish(self) -> None:
        """End it whatever its state."""
        self.notify.close()
        if self.started and processes.look(self._pid) is not None:
            try:
                if processes.alive(self._pid):
                    self.stop()
            finally:
                self.kill_all()

    def kill_all(self) -> None:
        """Kill every process of the session and reap."""
        if self._session:
            processes.kill_session(self._session)
            wait_until(lambda: not self.living(), within=5, what="killed processes vanish")
        reap_orphans()


def title(pid: int) -> str:
    """Return what ``ps`` shows of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").decode()


def reap_orphans() -> None:
    """Take the exit statuses of all dead processes that were left to us."""
    for process in processes.children():
        if process.state == "Z":
            os.waitpid(process.pid, os.WNOHANG)


def wait_nobody_left() -> None:
    """Wait for the end of all our children; one that failed has told the command so just before its end."""

    def nobody() -> bool:
        reap_orphans()
        return not processes.children()

    wait_until(nobody, within=10, what="all processes end")
