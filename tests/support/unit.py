"""One unit of a machine, as the tests of the units use it: configured by a drop-in, started, asked, read.

Knows:     systemctl, journalctl, curl; a Machine runs them.
Never:     changes the unit's own file: what is tested is what is installed.
Runs in:   the test process.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

from tests.support.machine import Machine

HELLO = {"HYBRIDD_APPLICATION": "service:app", "HYBRIDD_CHDIR": "/srv/apps"}
"""The application of the tests (tests/apps/service.py)."""

QUICK = {**HELLO, "HYBRIDD_WORKERS": "2", "HYBRIDD_SHUTDOWN__IDLE_GRACE": "300ms", "HYBRIDD_RELOAD__SETTLE": "200ms"}
"""With waits that are short enough for tests."""

PRIORITIES = {"emerg": 0, "alert": 1, "crit": 2, "err": 3, "warning": 4, "notice": 5, "info": 6, "debug": 7}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal."""

    priority: int
    identifier: str
    text: str


class Unit:
    """A service; ``port`` is where it listens by the configuration of the test, on the machine's loopback."""

    def __init__(self, machine: Machine, name: str = "hybridd", port: int = 8080) -> None:
        self.machine = machine
        self.name = name
        self.port = port
        self._cursor = machine.output("journalctl -n 0 --show-cursor").rpartition("-- cursor: ")[2]

    @property
    def drop_in(self) -> str:
        """The path of the test's own part of the unit."""
        return f"/run/systemd/system/{self.name}.service.d/test.conf"

    def configure(self, *lines: str, **environment: str) -> None:
        """Write the drop-in: lines of the section Service, and variables."""
        text = "\n".join(["[Service]", *lines, *(f"Environment={key}={value}" for key, value in environment.items())])
        self.machine.run(
            f"mkdir -p $(dirname {self.drop_in}) && cat > {self.drop_in} <<'END'\n{text}\nEND\nsystemctl daemon-reload"
        )

    def start(self, *lines: str, **environment: str) -> None:
        """Configure it (without anything: with the tests' application) and wait until systemctl says that it serves."""
        self.configure(*lines, **(environment or QUICK))
        socket = f"{self.name}.socket" if environment.get("HYBRIDD_LISTEN", "").startswith("systemd:") else ""
        self.machine.run(f"systemctl start {socket} {self.name}")

    def get(self, path: str = "/") -> str:
        """Return what it answers."""
        return self.machine.output(self.curl(path))

    def curl(self, path: str = "/") -> str:
        """Return the command that asks it."""
        return f"curl -sS --fail --max-time 30 'http://127.0.0.1:{self.port}{path}'"

    def answers(self) -> bool:
        """Tell whether it answers now."""
        return self.machine.run(self.curl(), check=False).returncode == 0

    def metrics(self) -> str:
        """Return what Prometheus would see."""
        return self.machine.output("curl -sS --max-time 5 http://127.0.0.1:9815/metrics")

    def show(self, name: str) -> str:
        """Return a property, as ``systemctl show -P`` does."""
        return self.machine.show(self.name, name)

    def main_pid(self) -> str:
        """Return the pid of the master, ``0`` when there is none."""
        return self.show("MainPID")

    def status(self) -> str:
        """Return the sentence of ``systemctl status``."""
        return self.show("StatusText")

    def processes(self) -> list[str]:
        """Return the pids of the service's processes."""
        return self.machine.output(
            f"cat /sys/fs/cgroup/systemd/system.slice/{self.name}.service/cgroup.procs 2>/dev/null"
            f" || cat /sys/fs/cgroup/system.slice/{self.name}.service/cgroup.procs 2>/dev/null || true"
        ).split()

    def wait_back(self, before: str) -> None:
        """Wait until another master than ``before`` serves."""
        self.machine.wait(
            lambda: self.main_pid() not in ("0", before) and self.answers(), "another master serves", within=60
        )

    def ended_well(self) -> None:
        """Assert that it has ended, of its own accord, as asked, with all its processes."""
        self.machine.wait(lambda: self.show("ActiveState") in ("inactive", "failed"), "it has stopped", within=60)
        assert (self.show("Result"), self.show("ExecMainStatus")) == ("success", "0"), self.machine.journal(self.name)
        assert self.processes() == []

    def journal(self) -> list[Line]:
        """Return what it and systemd said of it since this object was made."""
        text = self.machine.output(
            f"journalctl --sync; journalctl --no-pager -o json -u {self.name} --after-cursor '{self._cursor}'"
            " --output-fields=PRIORITY,SYSLOG_IDENTIFIER,MESSAGE"
        )
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [Line(int(one["PRIORITY"]), one.get("SYSLOG_IDENTIFIER", ""), str(one["MESSAGE"])) for one in lines]

    def said(self, text: str) -> Line | None:
        """Return the first line with this text, None when there is none."""
        return next((line for line in self.journal() if text in line.text), None)

    def wait_said(self, text: str, within: float = 20) -> Line:
        """Wait for a line in the journal."""
        found: list[Line] = []

        def look() -> bool:
            line = self.said(text)
            found.extend([line] if line else [])
            return bool(found)

        self.machine.wait(look, f"the journal says {text!r}", within)
        return found[0]

    def background(self, script: str) -> subprocess.Popen[str]:
        """Start a shell script on the machine; whoever starts it waits for it."""
        return self.machine.begin(script)
